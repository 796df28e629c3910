"""A training job: what DescribeTrainingJob says of it, and how its statuses follow one another."""

from dataclasses import asdict, dataclass, field
from typing import Any

from local.settings import ACCOUNT, REGION

STATUS_OF = {
    "Starting": "InProgress",
    "Pending": "InProgress",
    "Downloading": "InProgress",
    "Training": "InProgress",
    "Interrupted": "InProgress",
    "Restarting": "InProgress",
    "Uploading": "InProgress",
    "Stopping": "Stopping",
    "Stopped": "Stopped",
    "MaxRuntimeExceeded": "Stopped",
    "Completed": "Completed",
    "Failed": "Failed",
}
"""The status that goes with each secondary status that jobs take here."""

MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Pending": "Training job waiting for capacity",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Interrupted": "Training job interrupted",
    "Restarting": "Restarting the training job",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "Completed": "Training job completed",
}
"""What SageMaker says of each; a failed job's message is its reason."""

ENDED = ("Completed", "Failed", "Stopped")
FAILURE_LIMIT = 1024
"""Characters of a FailureReason. Source: botocore's service model."""


@dataclass
class TrainingJob:
    """One job; times are in seconds since 1970.

    ``attempt`` counts the times that instances were at work for it; ``earlier_seconds`` is how
    long they were before the present attempt, ``attempt_start`` when the present one began. A job
    is ``waiting`` until its turn comes.
    """

    description: dict[str, Any]
    tags: list[dict[str, str]] = field(default_factory=list)
    attempt: int = 0
    earlier_seconds: float = 0.0
    attempt_start: float | None = None
    waiting: bool = True

    @property
    def name(self) -> str:
        """The job's name, unique for ever."""
        return str(self.description["TrainingJobName"])

    @property
    def status(self) -> str:
        """The TrainingJobStatus."""
        return str(self.description["TrainingJobStatus"])

    @property
    def secondary_status(self) -> str:
        """The SecondaryStatus."""
        return str(self.description["SecondaryStatus"])

    @property
    def has_ended(self) -> bool:
        """Whether the job has come to its end, good or bad."""
        return self.status in ENDED

    def enter(self, secondary: str, now: float, message: str | None = None) -> None:
        """Take on a secondary status; a job that is being stopped keeps its status until it ends.

        The last transition ends where the next one begins, and a final one at once.
        """
        transitions = self.description["SecondaryStatusTransitions"]
        if transitions:
            transitions[-1].setdefault("EndTime", now)
        text = message or MESSAGES[secondary]
        transitions.append({"Status": secondary, "StartTime": now, "StatusMessage": text})
        status = STATUS_OF[secondary]
        if self.status != "Stopping" or status in ENDED:
            self.description["TrainingJobStatus"] = status
        self.description["SecondaryStatus"] = secondary
        self.description["LastModifiedTime"] = now
        if status in ENDED:
            transitions[-1]["EndTime"] = now
            self._end(now)

    def fail(self, reason: str, now: float) -> None:
        """End as failed, with at most FAILURE_LIMIT characters of the reason."""
        self.description["FailureReason"] = reason[:FAILURE_LIMIT]
        self.enter("Failed", now, reason[:FAILURE_LIMIT])

    def begin_attempt(self, now: float) -> None:
        """Note that instances are at work: what follows is billed."""
        self.attempt += 1
        self.attempt_start = now
        self.description.setdefault("TrainingStartTime", now)

    def interrupt(self, at: float, now: float) -> None:
        """Note that the attempt was cut off at a time; the job begins again."""
        if self.attempt_start is not None:
            self.earlier_seconds += max(0.0, at - self.attempt_start)
            self.attempt_start = None
        self.enter("Interrupted", now)

    def _end(self, now: float) -> None:
        self.description["TrainingEndTime"] = now
        trained = self.earlier_seconds
        if self.attempt_start is not None:
            trained += now - self.attempt_start
        if "TrainingStartTime" in self.description:
            self.description["TrainingTimeInSeconds"] = round(trained)
            self.description["BillableTimeInSeconds"] = max(1, round(trained))

    def as_record(self) -> dict[str, Any]:
        """Return what is kept on disk."""
        return asdict(self)


def new_job(request: dict[str, Any], described: set[str], now: float) -> TrainingJob:
    """Return the job that a checked request asks for, of which these members are described."""
    fields = {name: value for name, value in request.items() if name in described}
    job = TrainingJob(
        {
            **fields,
            "TrainingJobArn": arn_of(request["TrainingJobName"]),
            "CreationTime": now,
            "TrainingJobStatus": "InProgress",
            "SecondaryStatusTransitions": [],
        },
        tags=list(request.get("Tags", ())),
    )
    job.enter("Starting", now)
    return job


def arn_of(name: str) -> str:
    """Return the ARN of a job."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name}"
