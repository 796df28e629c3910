"""Shows training jobs, their curves, what happened to them and what they cost until now."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from brightrun.domain.pages import Page
from brightrun.domain.training_costs import cost_so_far
from brightrun.domain.training_job import TrainingJob
from brightrun.domain.training_records import CostRecord, MetricsPoint, TrainingEvent
from brightrun.ports import Clock
from brightrun.ports.training import CostRecords, TrainingJobRepository, TrainingRecords

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
