"""How the batch routes show jobs; camelCase and snake_case are mixed as in the original."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from brightrun.api.shapes import Answer, CamelAnswer, CamelPart, Part
from brightrun.domain.batch import BatchJob, ErrorHandling, JobKind, Priority
from brightrun.domain.pages import Page
from brightrun.domain.transitions import JobStatus


class JobSummary(CamelPart):
    """A job as the lists show it."""

    id: str = Field(validation_alias="job_id")
    name: str
    kind: JobKind
    status: JobStatus
    total_items: int
    completed_items: int
    successful_items: int
    failed_items: int
    cancelled_items: int
    priority: Priority
    concurrent_processing: int
    error_handling: ErrorHandling
    model: str
    created_at: str
    started_at: str | None
    completed_at: str | None
    stopped_reason: str | None = Field(validation_alias="stop_reason")


class JobAnswer(Answer):
    """GET /api/batch-jobs/{id}."""

    job: JobSummary


class JobList(Answer):
    """GET /api/batch-jobs."""

    jobs: list[JobSummary]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[BatchJob]) -> Self:
        """Show a page of jobs."""
        jobs = [JobSummary.model_validate(job) for job in page.records]
        return cls(jobs=jobs, count=len(jobs), next_cursor=page.next_cursor)


class Progress(Part):
    """How far a job is; percentage 0 to 100 with one decimal."""

    total: int
    completed: int
    successful: int
    failed: int
    cancelled: int
    processing: int
    queued: int
    percentage: float

    @classmethod
    def of(cls, job: BatchJob) -> Self:
        """Count a job."""
        return cls(
            total=job.total_items,
            completed=job.completed_items,
            successful=job.successful_items,
            failed=job.failed_items,
            cancelled=job.cancelled_items,
            processing=job.processing_items,
            queued=job.queued_items,
            percentage=job.percentage(),
        )


class JobStatusAnswer(CamelAnswer):
    """GET /api/conversations/batch/{id}/status; what Claude cost is in snake_case."""

    job_id: str
    name: str
    status: JobStatus
    progress: Progress
    estimated_time_remaining: int | None = Field(description="Seconds; null while unknown.")
    started_at: str | None
    completed_at: str | None
    stopped_reason: str | None
    cost_usd: float = Field(alias="cost_usd")
    input_tokens: int = Field(alias="input_tokens")
    output_tokens: int = Field(alias="output_tokens")
    simulated: bool

    @classmethod
    def of(cls, job: BatchJob, now: datetime) -> Self:
        """Show a job's status."""
        return cls(
            job_id=job.job_id,
            name=job.name,
            status=job.status,
            progress=Progress.of(job),
            estimated_time_remaining=job.seconds_remaining(now),
            started_at=job.started_at,
            completed_at=job.completed_at,
            stopped_reason=job.stop_reason,
            cost_usd=job.cost_micro_usd / 1e6,
            input_tokens=job.input_tokens,
            output_tokens=job.output_tokens,
            simulated=job.simulated,
        )
