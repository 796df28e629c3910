"""A training job as SageMaker describes it, and what its statuses mean.

tests/unit/training/test_sagemaker_status.py holds both tables equal to the lists of botocore's own
model, so that tests find a status that AWS adds. A status that is unknown to a deployed version
changes nothing: the job continues to be watched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from brightrun.training.model import JobStage, JobStatus

RunState = Literal["active", "ended"]
RUN_STATES: Mapping[str, RunState] = {
    "InProgress": "active",
    "Stopping": "active",
    "Completed": "ended",
    "Failed": "ended",
    "Stopped": "ended",
    # The job's record is being deleted; nothing runs any more.
    "Deleting": "ended",
}


class RunStage(NamedTuple):
    """A job's stage and status; `status` is None if the status does not change."""

    status: JobStatus | None
    stage: JobStage
    message: str


_ENDED = "SageMaker has ended the training; its output is being checked."
RUN_STAGES: Mapping[str, RunStage] = {
    "Pending": RunStage(
        "initializing",
        "waiting_for_capacity",
        "SageMaker has accepted the job and looks for instances.",
    ),
    "Starting": RunStage("initializing", "starting", "SageMaker is preparing the job."),
    "LaunchingMLInstances": RunStage("initializing", "starting", "The instances are starting."),
    "PreparingTrainingStack": RunStage(
        "initializing", "starting", "The instances are being set up."
    ),
    "Downloading": RunStage(
        "initializing", "downloading", "The dataset and the base model are being downloaded."
    ),
    "DownloadingTrainingImage": RunStage(
        "initializing", "downloading", "The training image is being downloaded."
    ),
    "Training": RunStage("running", "training", "The adapter is being trained."),
    "Updating": RunStage("running", "training", "SageMaker is updating the running job."),
    "Uploading": RunStage("running", "uploading", "The adapter is being uploaded."),
    "Interrupted": RunStage(
        "initializing",
        "waiting_for_capacity",
        "The spot instance was reclaimed; training continues from its last checkpoint.",
    ),
    "Restarting": RunStage("initializing", "starting", "Training starts again on new instances."),
    "Stopping": RunStage(None, "stopping", "Training is being stopped; its state is saved."),
    "Completed": RunStage(None, "verifying", _ENDED),
    "Failed": RunStage(None, "verifying", _ENDED),
    "Stopped": RunStage(None, "verifying", _ENDED),
    "MaxRuntimeExceeded": RunStage(None, "verifying", _ENDED),
    "MaxWaitTimeExceeded": RunStage(None, "verifying", _ENDED),
}


def run_state(status: str) -> RunState:
    """Whether a job of this TrainingJobStatus is still in progress."""
    return RUN_STATES.get(status, "active")


def run_stage(secondary_status: str, current: JobStage) -> RunStage:
    """The stage of a SecondaryStatus; an unknown one leaves the stage unchanged."""
    unknown = RunStage(None, current, f"SageMaker reports: {secondary_status}.")
    return RUN_STAGES.get(secondary_status, unknown)


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A training job as SageMaker describes it; durations in seconds, None if unknown."""

    name: str
    status: str
    secondary_status: str
    failure_reason: str | None
    status_message: str | None
    created_at: datetime
    training_started_at: datetime | None
    training_ended_at: datetime | None
    training_seconds: int | None
    billable_seconds: int | None
    artifact_uri: str | None
    environment: Mapping[str, str]
    stage_since: datetime | None = None

    @property
    def state(self) -> RunState:
        """Whether it is still in progress."""
        return run_state(self.status)

    @property
    def trained(self) -> bool:
        """Whether it ever had instances; SageMaker bills from then on."""
        return self.training_started_at is not None

    def billed_seconds(self, now: datetime) -> int:
        """Seconds that are billed: SageMaker's figure, or else the time with instances.

        Spot capacity is billed for less than its run time; only SageMaker's figure shows that.
        """
        if self.billable_seconds is not None:
            return self.billable_seconds
        if self.training_started_at is None:
            return 0
        until = self.training_ended_at or now
        return max(0, round((until - self.training_started_at).total_seconds()))
