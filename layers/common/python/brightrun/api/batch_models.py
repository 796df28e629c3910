"""What the batch routes take and answer, in the original's camelCase."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from brightrun.api.requests import CamelPart, CamelResponse, RequestModel, ResponseModel
from brightrun.domain.batch import BatchItem, BatchJob, Priority
from brightrun.domain.batch_log import LogLine
from brightrun.domain.pages import Page
from brightrun.domain.transitions import ENDED_JOBS, ItemStatus, JobStatus


class JobSummary(CamelPart):
    """A job as the lists show it."""

    id: str
    name: str
    status: JobStatus
    total_items: int
    completed_items: int
    successful_items: int
    failed_items: int
    cancelled_items: int
    priority: Priority
    concurrent_processing: int
    error_handling: str
    model: str
    created_at: str
    started_at: str | None
    completed_at: str | None
    stopped_reason: str | None

    @classmethod
    def of(cls, job: BatchJob) -> Self:
        """Show a job."""
        return cls(
            id=job.job_id,
            name=job.name,
            status=job.status,
            total_items=job.total_items,
            completed_items=job.completed_items,
            successful_items=job.successful_items,
            failed_items=job.failed_items,
            cancelled_items=job.cancelled_items,
            priority=job.priority,
            concurrent_processing=job.concurrent_processing,
            error_handling=job.error_handling,
            model=job.model,
            created_at=job.created_at,
            started_at=job.started_at,
            completed_at=job.completed_at,
            stopped_reason=job.stop_reason,
        )


class Progress(CamelPart):
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


class JobStatusAnswer(ResponseModel):
    """GET …/status."""

    jobId: str  # noqa: N815 - the original mixes both styles in this answer
    name: str
    status: JobStatus
    progress: Progress
    estimatedTimeRemaining: int | None = Field(description="Seconds; null while unknown.")  # noqa: N815
    startedAt: str | None  # noqa: N815
    completedAt: str | None  # noqa: N815
    stoppedReason: str | None  # noqa: N815
    cost_usd: float
    input_tokens: int
    output_tokens: int
    simulated: bool

    @classmethod
    def of(cls, job: BatchJob, now: datetime) -> Self:
        """Show a job's status."""
        return cls(
            jobId=job.job_id,
            name=job.name,
            status=job.status,
            progress=Progress.of(job),
            estimatedTimeRemaining=job.seconds_remaining(now),
            startedAt=job.started_at,
            completedAt=job.completed_at,
            stoppedReason=job.stop_reason,
            cost_usd=job.cost_micro_usd / 1e6,
            input_tokens=job.input_tokens,
            output_tokens=job.output_tokens,
            simulated=job.simulated,
        )


class JobList(ResponseModel):
    """GET /api/batch-jobs."""

    jobs: list[JobSummary]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[BatchJob]) -> Self:
        """Show a page of jobs."""
        jobs = [JobSummary.of(job) for job in page.records]
        return cls(jobs=jobs, count=len(jobs), next_cursor=page.next_cursor)


class JobAnswer(ResponseModel):
    """GET /api/batch-jobs/{id}."""

    job: JobSummary


class ItemSummary(ResponseModel):
    """An item as the lists show it."""

    success: Literal[True] = Field(default=True, exclude=True)
    id: str
    position: int
    status: ItemStatus
    persona_key: str
    emotional_arc_key: str
    training_topic_key: str
    tier: str
    conversation_id: str | None
    attempts: int
    error_code: str | None
    error_message: str | None
    updatedAt: str  # noqa: N815 - as the original

    @classmethod
    def of(cls, item: BatchItem) -> Self:
        """Show an item."""
        return cls(
            id=item.item_id,
            position=item.position,
            status=item.status,
            persona_key=item.persona_key,
            emotional_arc_key=item.emotional_arc_key,
            training_topic_key=item.training_topic_key,
            tier=item.tier,
            conversation_id=item.conversation_id,
            attempts=item.attempts,
            error_code=item.error_code,
            error_message=item.error_message,
            updatedAt=item.updated_at,
        )


class ItemList(ResponseModel):
    """GET …/items."""

    items: list[ItemSummary]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[BatchItem]) -> Self:
        """Show a page of items."""
        items = [ItemSummary.of(item) for item in page.records]
        return cls(items=items, count=len(items), next_cursor=page.next_cursor)


class LogPage(ResponseModel):
    """GET …/log."""

    lines: list[str]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[LogLine]) -> Self:
        """Show a page of log lines."""
        lines = [line.text() for line in page.records]
        return cls(lines=lines, count=len(lines), next_cursor=page.next_cursor)


class ControlRequest(RequestModel):
    """PATCH /api/conversations/batch/{id}."""

    action: Literal["pause", "resume", "cancel"]


class ControlAnswer(CamelResponse):
    """What a control did."""

    job_id: str
    status: JobStatus
    message: str


class CancelAnswer(CamelResponse):
    """POST …/cancel."""

    message: str
    job: JobSummary


class RetryAnswer(ControlAnswer):
    """POST …/retry-failed."""

    requeued: int


class ProcessNextAnswer(CamelResponse):
    """POST …/process-next: the workflow does the work; this shows where it stands."""

    status: Literal["processed", "job_completed", "job_cancelled", "paused"]
    remaining_items: int
    progress: Progress

    @classmethod
    def of(cls, job: BatchJob) -> Self:
        """Say in the original's words how a job stands."""
        status: Literal["processed", "job_completed", "job_cancelled", "paused"] = "processed"
        if job.status is JobStatus.CANCELLED:
            status = "job_cancelled"
        elif job.status in ENDED_JOBS:
            status = "job_completed"
        elif job.status is JobStatus.PAUSED:
            status = "paused"
        return cls(status=status, remaining_items=job.open_items, progress=Progress.of(job))
