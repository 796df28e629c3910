"""Reads training jobs with their metrics, events and costs, and cancels them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from brightrun.core.errors import ConflictError, JobEndedError, VersionConflictError
from brightrun.core.pages import Page
from brightrun.core.timestamps import Clock
from brightrun.training.costs.model import CostRecord, cost_record, cost_so_far
from brightrun.training.costs.repository import CostRecords
from brightrun.training.model import MetricsPoint, TrainingEvent, TrainingJob, training_event
from brightrun.training.notices import job_cancelled
from brightrun.training.repository import TrainingJobRepository, TrainingRecords
from brightrun.training.sagemaker.gateway import RunStopper
from brightrun.training.transitions import cancelled, ended

LATEST_POINTS = 100
"""Metrics points in the details of a job, as in v1, but the last ones instead of the first."""


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job, its last metrics points, and its cost record once the bill is closed."""

    job: TrainingJob
    metrics: list[MetricsPoint]
    cost_records: list[CostRecord]


@dataclass(frozen=True, slots=True)
class TrainingJobReader:
    """Reads training jobs and what belongs to them."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    costs: CostRecords
    clock: Clock

    def page(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[TrainingJob]:
        """List an owner's jobs, newest first."""
        page = self.jobs.jobs(owner_id, status=status, limit=limit, cursor=cursor)
        return page.map(self.with_cost)

    def details(self, owner_id: str, job_id: str) -> JobDetails:
        """Read a job with its last metrics points and its cost record; raises NotFoundError."""
        job = self.jobs.job(owner_id, job_id)
        return JobDetails(
            job=self.with_cost(job),
            metrics=self.records.latest_points(owner_id, job_id, LATEST_POINTS),
            cost_records=self.costs.of_job(job),
        )

    def metrics(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[MetricsPoint]:
        """List a job's metrics points in the order of the run; raises NotFoundError."""
        self.jobs.job(owner_id, job_id)  # An unknown job is an error, not an empty list.
        return self.records.points(owner_id, job_id, limit=limit, cursor=cursor)

    def events(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingEvent]:
        """List a job's events, oldest first; raises NotFoundError."""
        self.jobs.job(owner_id, job_id)  # An unknown job is an error, not an empty list.
        return self.records.events(owner_id, job_id, limit=limit, cursor=cursor)

    def with_cost(self, job: TrainingJob) -> TrainingJob:
        """The job with its cost until now instead of until its last write."""
        return dataclasses.replace(job, current_cost=cost_so_far(job, self.clock()))


_TRIES = 5


@dataclass(frozen=True, slots=True)
class TrainingCanceller:
    """The service of POST /api/jobs/{id}/cancel."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    training: RunStopper
    clock: Clock

    def cancel(self, owner_id: str, job_id: str) -> TrainingJob:
        """Cancel a job and return it; cancelling it again changes nothing.

        A queued job has no SageMaker job, so its bill is closed at 0. For any other, SageMaker is
        asked to stop, and the workflow closes the bill when it has stopped. Raises NotFoundError,
        JobEndedError for a job that is completed or failed, ConflictError when concurrent writes
        keep changing it, StorageError.
        """
        for _ in range(_TRIES):
            job = self.jobs.job(owner_id, job_id)
            if job.ended and job.status != "cancelled":
                raise _job_ended(job)
            try:
                self._store_cancellation(job)
            except VersionConflictError:
                continue
            return self._stop(self.jobs.job(owner_id, job_id))
        raise ConflictError("The training job is being changed by other requests; try again.")

    def _store_cancellation(self, job: TrainingJob) -> None:
        now = self.clock()
        if job.status == "cancelled":
            return
        if job.status == "queued":
            end = ended(
                job,
                now,
                "cancelled",
                final_cost=0.0,
                billed_seconds=0,
                stopped_reason="cancelled",
            )
            notifications = [job_cancelled(end, now)]
            cost = cost_record(end, now)
            self.jobs.close_billing(
                end, job.version, cost=cost, notifications=notifications, model=None
            )
        else:
            stopping = cancelled(job, now)
            self.jobs.replace(stopping, job.version, job_cancelled(stopping, now))
        message = "The job was cancelled by its owner."
        self.records.add_event(job, training_event(now, "info", "cancelled", message))

    def _stop(self, job: TrainingJob) -> TrainingJob:
        """Stop the SageMaker job, also on repetition: the first request may have failed."""
        if not job.settled:
            self.training.stop(job.external_job_id)
        return job


def _job_ended(job: TrainingJob) -> JobEndedError:
    return JobEndedError(
        f"The training job '{job.name}' is {job.status}; only a job that has not ended can be "
        "cancelled.",
        details=job.state(),
    )
