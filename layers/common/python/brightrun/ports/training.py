"""The seams of training: jobs' rows, their records, SageMaker, the workflow, the artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from brightrun.domain.model_artifact import ModelArtifact
    from brightrun.domain.notification import Notification
    from brightrun.domain.pages import Page
    from brightrun.domain.training_job import TrainingJob
    from brightrun.domain.training_records import CostRecord, MetricsPoint, TrainingEvent
    from brightrun.domain.training_run import TrainingRun


class TrainingJobRepository(Protocol):
    """Training jobs' rows, written together with what must change in the same moment."""

    def create(self, job: TrainingJob, notification: Notification) -> None:
        """Store a new job, count it on its dataset and tell its owner, in one transaction.

        Raises DuplicateKeyError when there is a job of this id already, and DatasetNotReadyError
        when the dataset is gone or not ready any more.
        """

    def job(self, owner_id: str, job_id: str) -> TrainingJob:
        """Read one row, strongly consistent; raises NotFoundError."""

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[TrainingJob]:
        """List an owner's jobs, newest first.

        A page filtered by status may be short, or empty, and still have a cursor: one request
        reads only so much.
        """

    def replace(
        self, job: TrainingJob, seen_version: int, notification: Notification | None = None
    ) -> None:
        """Store a row in the place of the version that was seen, not one that is settled.

        The stored row's version is one more than the version seen. Raises VersionConflictError,
        whose details are the state stored now.
        """

    def settle(
        self,
        job: TrainingJob,
        seen_version: int,
        *,
        cost: CostRecord,
        notifications: Sequence[Notification],
        model: ModelArtifact | None,
    ) -> None:
        """Close a job for good: its row, its cost record, its dataset's count, its model, in one.

        The stored row is settled, names its cost record and, where there is one, its model; its
        version is one more than the version seen. Raises VersionConflictError.
        """


class OpenTrainingJobs(Protocol):
    """The jobs of all owners whose bill is not closed; for the sweep alone."""

    def open_jobs(self) -> Iterator[TrainingJob]:
        """Every such job, in no order."""


class TrainingRecords(Protocol):
    """A job's metrics and events."""

    def add_points(self, job: TrainingJob, points: Sequence[MetricsPoint]) -> None:
        """Keep points; writing the same ones again changes nothing."""

    def points(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[MetricsPoint]:
        """List a job's points in their order."""

    def latest_points(self, owner_id: str, job_id: str, limit: int) -> list[MetricsPoint]:
        """The last points of a job, in their order."""

    def add_event(self, job: TrainingJob, event: TrainingEvent) -> None:
        """Keep an event; writing the same one again changes nothing."""

    def events(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingEvent]:
        """List a job's events in their order."""


class ModelRepository(Protocol):
    """Delivered models' rows."""

    def model(self, owner_id: str, model_id: str) -> ModelArtifact:
        """Read one row; raises NotFoundError."""

    def models(self, owner_id: str, *, limit: int, cursor: str | None) -> Page[ModelArtifact]:
        """List an owner's models, newest first."""


class CostRecords(Protocol):
    """What ended jobs cost."""

    def between(self, owner_id: str, first_day: str, last_day: str) -> Iterator[CostRecord]:
        """All records of the days from one to another, both whole, oldest first."""

    def of_job(self, job: TrainingJob) -> list[CostRecord]:
        """The records of one job: one when it is settled, else none."""


class TrainingWorkflow(Protocol):
    """Starts the state machine that trains an adapter."""

    def ensure_training(self, job: TrainingJob) -> None:
        """Start the job's execution; starting it again changes nothing."""


class TrainingExecutions(TrainingWorkflow, Protocol):
    """The executions of that state machine, one after another."""

    def go_on(self, job: TrainingJob, run: int) -> None:
        """Start a later execution of the job; starting it again changes nothing."""

    def revive(self, job: TrainingJob) -> int | None:
        """Start the next execution of a job that has none running; gives its number, else None."""


class RunStopper(Protocol):
    """What cancelling needs of SageMaker."""

    def stop(self, name: str) -> None:
        """Stop a training job; nothing happens when it has ended or does not exist."""


class TrainingService(RunStopper, Protocol):
    """SageMaker, as far as training needs it."""

    def start(self, request: Mapping[str, Any]) -> None:
        """Create a training job; one of this name that exists already is the same job.

        Raises NoCapacityError (also for quotas) and TrainingRequestError.
        """

    def describe(self, name: str) -> TrainingRun | None:
        """Look at a training job; None when there is no such job."""

    def active(self, name_prefix: str) -> Iterator[str]:
        """The names of the jobs that are in progress and begin with a prefix."""


class ArtifactFiles(Protocol):
    """The bucket of models: what trainers leave and what is delivered."""

    def open(self, key: str) -> IO[bytes] | None:
        """Open an object as a stream; None when there is no such object."""

    def read(self, key: str, offset: int, most: int) -> bytes:
        """Read up to `most` bytes from a byte on; nothing when it is missing or shorter."""

    def write(self, key: str, source: IO[bytes], size: int) -> None:
        """Store a stream of `size` bytes, in parts where it is large."""
