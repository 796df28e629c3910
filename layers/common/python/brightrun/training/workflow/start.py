"""Creates a job's training job in SageMaker, and waits while SageMaker has no capacity.

The job is stored as "initializing" before SageMaker is called, and as "queued" again only when
SageMaker has no such job, so that cancelling a queued job has nothing to stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from brightrun.catalog.base_models import BaseModelEntry, base_model
from brightrun.core.errors import (
    NoCapacityError,
    ObjectChangedError,
    TrainingRequestError,
    UntrainableError,
    VersionConflictError,
)
from brightrun.core.timestamps import Clock
from brightrun.datasets.repository import DatasetRepository
from brightrun.training.adapters.repository import ArtifactFiles
from brightrun.training.check_dataset import DatasetChecker
from brightrun.training.gateway import TrainingWorkflow
from brightrun.training.model import TrainingJob, training_event
from brightrun.training.repository import TrainingJobRepository, TrainingRecords
from brightrun.training.sagemaker.gateway import TrainingService
from brightrun.training.sagemaker.request import TrainingResources, training_request
from brightrun.training.transitions import changed, starting, waiting_for_capacity
from brightrun.training.workflow.finish import Failure
from brightrun.training.workflow.model import (
    MAX_TURNS,
    TrainingStep,
    TrainingStepResult,
    gives_up_at,
    next_step,
    pause_s,
)

_AT_ONCE_S = 1
_NO_CAPACITY_HINT = (
    "Choose another GPU type, ask AWS for a higher quota for training jobs on this instance type, "
    "or try again later."
)
_NOTHING_BILLED = "No instance was started, and nothing is billed."


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStarter:
    """The start_training function's service; it can be repeated at any point."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    datasets: DatasetRepository
    checker: DatasetChecker
    base_models: ArtifactFiles
    training: TrainingService
    workflow: TrainingWorkflow
    resources: TrainingResources
    clock: Clock
    capacity_retry_s: int

    def start(self, step: TrainingStep) -> TrainingStepResult:
        """Start the job's training once; the result is to watch it, to wait, or to finish it.

        Raises NotFoundError, StorageError.
        """
        job = self.jobs.job(step.owner_id, step.job_id)
        if job.settled:
            return next_step(step, "settled")
        if step.turn >= MAX_TURNS:
            self.workflow.ensure_training(job, step.run + 1)
            return next_step(step, "hand_over")
        if job.ended:
            return self._stop(step, job)
        try:
            return self._start(step, job)
        except VersionConflictError:
            # The job changed since it was read, usually by a concurrent cancellation.
            return next_step(step, "start", _AT_ONCE_S)

    def _start(self, step: TrainingStep, job: TrainingJob) -> TrainingStepResult:
        reason_before = job.stage_reason
        # A check that ends the function itself must not hold the job up in execution after
        # execution.
        gives_up = job.status == "initializing" and step.run > 1
        if job.status == "queued":
            job = self._replace(job, starting(job, self.clock()))
        try:
            job = self._checked(job, gives_up=gives_up)
            self.training.start(self._request(job))
        except (
            NoCapacityError,
            TrainingRequestError,
            ObjectChangedError,
            UntrainableError,
        ) as refusal:
            # On repetition, the job itself may use up the quota: then it exists, and all is well.
            if self.training.describe(job.external_job_id) is None:
                if isinstance(refusal, NoCapacityError):
                    return self._wait(step, job, refusal.message, reason_before)
                return self._fail(step, job, _refused(refusal))
        after = self.jobs.job(job.owner_id, job.job_id)
        if after.ended:
            # Cancelled while SageMaker was being called, when there was nothing to stop yet.
            return self._stop(step, after)
        message = f"SageMaker has accepted the job as {job.external_job_id}."
        event = training_event(self.clock(), "info", "submitted", message)
        self.records.add_event(job, event)
        return next_step(step, "watch", _AT_ONCE_S)

    def _stop(self, step: TrainingStep, job: TrainingJob) -> TrainingStepResult:
        self.training.stop(job.external_job_id)
        return next_step(step, "watch", _AT_ONCE_S)

    def _checked(self, job: TrainingJob, *, gives_up: bool) -> TrainingJob:
        """Check the dataset before SageMaker is asked; returns the job with what was found."""
        dataset = self.datasets.dataset(job.owner_id, job.dataset_id)
        model = base_model(job.base_model)
        check = self.checker.before_start(job, dataset, model, gives_up=gives_up)
        if check == job.dataset_check:
            return job
        return self._replace(job, changed(job, self.clock(), dataset_check=check))

    def _request(self, job: TrainingJob) -> dict[str, Any]:
        model = base_model(job.base_model)
        dataset = self.datasets.dataset(job.owner_id, job.dataset_id)
        # The tiny model is on no hub; a local run may still be generating it into the bucket.
        mirrored = model.local_only or self._is_mirrored(model)
        if model.gated and not mirrored:
            raise TrainingRequestError(
                f"The base model {model.key} is gated: containers cannot load it from the hub. "
                f"Mirror its revision {model.revision} into the bucket of base models first."
            )
        return training_request(job, dataset, model, self.resources, mirrored=mirrored)

    def _is_mirrored(self, model: BaseModelEntry) -> bool:
        found = self.base_models.open(f"{model.object_prefix}config.json")
        if found is not None:
            found.close()
        return found is not None

    def _wait(
        self, step: TrainingStep, job: TrainingJob, reason: str, reason_before: str | None
    ) -> TrainingStepResult:
        now = self.clock()
        if now >= gives_up_at(job):
            return self._fail(step, job, no_capacity(reason))
        pause = pause_s(job.start_attempts, self.capacity_retry_s)
        if reason != reason_before:
            event = training_event(now, "warning", "waiting_for_capacity", reason)
            self.records.add_event(job, event)
        self._replace(job, waiting_for_capacity(job, now, reason, now + timedelta(seconds=pause)))
        return next_step(step, "start", pause)

    def _fail(self, step: TrainingStep, job: TrainingJob, failure: Failure) -> TrainingStepResult:
        self._replace(job, failing(job, self.clock(), failure))
        return next_step(step, "finish")

    def _replace(self, seen: TrainingJob, job: TrainingJob) -> TrainingJob:
        self.jobs.replace(job, seen.version)
        return job


def failing(job: TrainingJob, now: datetime, failure: Failure) -> TrainingJob:
    """A job that has failed, while its bill is still open."""
    return changed(
        job,
        now,
        status="failed",
        next_try_at=None,
        error_code=failure.code,
        error_message=failure.message,
        error_hint=failure.hint,
    )


def no_capacity(reason: str) -> Failure:
    """The failure of a job that has waited LONGEST_WAIT_FOR_CAPACITY for instances."""
    message = f"There were no instances within 24 hours. {reason}"
    return Failure("no_capacity", message, _NO_CAPACITY_HINT)


def _refused(refusal: TrainingRequestError | ObjectChangedError | UntrainableError) -> Failure:
    """The failure of a job that was refused before it started."""
    if isinstance(refusal, TrainingRequestError):
        hint = "The operator of the deployment must correct the role, the image or the request."
    elif isinstance(refusal, UntrainableError):
        hint = f"{_NOTHING_BILLED} The dataset's receipt with these settings has the rows."
    else:
        hint = _NOTHING_BILLED
    return Failure(refusal.code, refusal.message, hint)
