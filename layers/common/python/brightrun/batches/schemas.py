"""Request and response bodies of the routes that show and control batch jobs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from brightrun.batches.model import (
    ENDED_JOBS,
    ErrorHandling,
    ItemStatus,
    JobKind,
    JobStatus,
    Priority,
)
from brightrun.http.schemas import (
    CamelNestedModel,
    CamelResponseModel,
    NestedModel,
    RequestModel,
    ResponseModel,
)
from brightrun.scaffolding.model import Tier

if TYPE_CHECKING:
    from brightrun.batches.log import LogLine
    from brightrun.batches.model import BatchItem, BatchJob
    from brightrun.core.pages import Page


class JobSummary(CamelNestedModel):
    """A job, without its token counts."""

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


class JobResponse(ResponseModel):
    """GET /api/batch-jobs/{id}."""

    job: JobSummary


class JobList(ResponseModel):
    """GET /api/batch-jobs."""

    jobs: list[JobSummary]
    count: int
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[BatchJob]) -> Self:
        """Show a page of jobs."""
        jobs = [JobSummary.model_validate(job) for job in page.records]
        return cls(jobs=jobs, count=len(jobs), next_cursor=page.next_cursor)


class Progress(NestedModel):
    """A job's items by status; percentage 0 to 100 with one decimal."""

    total: int = Field(validation_alias="total_items")
    completed: int = Field(validation_alias="completed_items")
    successful: int = Field(validation_alias="successful_items")
    failed: int = Field(validation_alias="failed_items")
    cancelled: int = Field(validation_alias="cancelled_items")
    processing: int = Field(validation_alias="processing_items")
    queued: int = Field(validation_alias="queued_items")
    percentage: float


class JobStatusResponse(CamelResponseModel):
    """GET /api/conversations/batch/{id}/status; fields that v1 does not have are in snake_case."""

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
    def from_domain(cls, job: BatchJob, now: datetime) -> Self:
        """Show a job's status."""
        return cls(
            job_id=job.job_id,
            name=job.name,
            status=job.status,
            progress=Progress.model_validate(job),
            estimated_time_remaining=job.seconds_remaining(now),
            started_at=job.started_at,
            completed_at=job.completed_at,
            stopped_reason=job.stop_reason,
            cost_usd=job.cost_micro_usd / 1e6,
            input_tokens=job.input_tokens,
            output_tokens=job.output_tokens,
            simulated=job.simulated,
        )


class ItemSummary(NestedModel):
    """An item, with the keys of its scaffolding."""

    id: str = Field(validation_alias="item_id")
    position: int
    status: ItemStatus
    persona_key: str
    emotional_arc_key: str
    training_topic_key: str
    tier: Tier
    conversation_id: str | None
    attempts: int
    error_code: str | None
    error_message: str | None
    updated_at: str = Field(serialization_alias="updatedAt")


class ItemList(ResponseModel):
    """GET /api/conversations/batch/{id}/items."""

    items: list[ItemSummary]
    count: int
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[BatchItem]) -> Self:
        """Show a page of items."""
        items = [ItemSummary.model_validate(item) for item in page.records]
        return cls(items=items, count=len(items), next_cursor=page.next_cursor)


class LogPage(ResponseModel):
    """GET /api/batch-jobs/{id}/log."""

    lines: list[str]
    count: int
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[LogLine]) -> Self:
        """Show a page of log lines."""
        lines = [line.text() for line in page.records]
        return cls(lines=lines, count=len(lines), next_cursor=page.next_cursor)


V1Status = Literal["processed", "job_completed", "job_cancelled", "paused"]


class ControlRequest(RequestModel):
    """PATCH /api/conversations/batch/{id}."""

    action: Literal["pause", "resume", "cancel"]


class ControlResponse(CamelResponseModel):
    """The job after a control, with a message."""

    job_id: str
    status: JobStatus
    message: str


class CancelResponse(CamelResponseModel):
    """POST /api/batch-jobs/{id}/cancel."""

    message: str
    job: JobSummary


class RetryResponse(ControlResponse):
    """POST /api/batch-jobs/{id}/retry-failed."""

    requeued: int


class ProcessNextResponse(CamelResponseModel):
    """POST /api/batch-jobs/{id}/process-next: the job's progress, with v1's status values."""

    status: V1Status
    remaining_items: int
    progress: Progress

    @classmethod
    def from_domain(cls, job: BatchJob) -> Self:
        """Show a job's progress."""
        return cls(
            status=_v1_status(job.status),
            remaining_items=job.open_items,
            progress=Progress.model_validate(job),
        )


def _v1_status(status: JobStatus) -> V1Status:
    if status is JobStatus.CANCELLED:
        return "job_cancelled"
    if status in ENDED_JOBS:
        return "job_completed"
    return "paused" if status is JobStatus.PAUSED else "processed"
