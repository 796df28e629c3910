"""Shows training jobs with their metrics, events and costs, and cancels them."""

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
"""Points that a job is shown with, as in the original; but the last ones, not the first."""


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job, its last points in their order, and the record of its cost once it has one."""

    job: TrainingJob
    metrics: list[MetricsPoint]
    cost_records: list[CostRecord]


@dataclass(frozen=True, slots=True)
class TrainingJobReader:
    """What the jobs function reads."""

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
        """Read a job with its last points and its cost record; raises NotFoundError."""
        job = self.jobs.job(owner_id, job_id)
        return JobDetails(
            job=self.with_cost(job),
            metrics=self.records.latest_points(owner_id, job_id, LATEST_POINTS),
            cost_records=self.costs.of_job(job),
        )

    def metrics(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[MetricsPoint]:
        """List all of a job's points in their order; raises NotFoundError."""
        self.jobs.job(owner_id, job_id)  # A job that is not there has no list, not an empty one.
        return self.records.points(owner_id, job_id, limit=limit, cursor=cursor)

    def events(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingEvent]:
        """List what happened to a job, oldest first; raises NotFoundError."""
        self.jobs.job(owner_id, job_id)  # A job that is not there has no list, not an empty one.
        return self.records.events(owner_id, job_id, limit=limit, cursor=cursor)

    def with_cost(self, job: TrainingJob) -> TrainingJob:
        """The job with what it has cost until this moment, not until its last write."""
        return dataclasses.replace(job, current_cost=cost_so_far(job, self.clock()))


_TRIES = 5


@dataclass(frozen=True, slots=True)
class TrainingCanceller:
    """What POST /api/jobs/{id}/cancel does."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    training: RunStopper
    clock: Clock

    def cancel(self, owner_id: str, job_id: str) -> TrainingJob:
        """Cancel a job and give it as it is then; cancelling it again changes nothing.

        A queued job has no SageMaker job, so its bill is closed with nothing on it. Any other is
        cancelled and its SageMaker job told to stop; the workflow closes the bill when it has.
        Raises NotFoundError, JobEndedError for a job that is completed or failed, ConflictError
        when others keep changing it, StorageError.
        """
        for _ in range(_TRIES):
            job = self.jobs.job(owner_id, job_id)
            if job.ended and job.status != "cancelled":
                raise _too_late(job)
            try:
                self._write(job)
            except VersionConflictError:
                continue
            return self._stopped(self.jobs.job(owner_id, job_id))
        raise ConflictError("The training job is being changed by others; try again.")

    def _write(self, job: TrainingJob) -> None:
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
            told = [job_cancelled(end, now)]
            cost = cost_record(end, now)
            self.jobs.close_billing(end, job.version, cost=cost, notifications=told, model=None)
        else:
            stopping = cancelled(job, now)
            self.jobs.replace(stopping, job.version, job_cancelled(stopping, now))
        message = "The job was cancelled by its owner."
        self.records.add_event(job, training_event(now, "info", "cancelled", message))

    def _stopped(self, job: TrainingJob) -> TrainingJob:
        """Tell SageMaker each time: the first request may have died before it did."""
        if not job.settled:
            self.training.stop(job.external_job_id)
        return job


def _too_late(job: TrainingJob) -> JobEndedError:
    return JobEndedError(
        f"The training job '{job.name}' is {job.status}; only a job that has not ended can be "
        "cancelled.",
        details=job.state(),
    )
