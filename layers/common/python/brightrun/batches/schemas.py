"""Request and response bodies of the routes that show and control batch jobs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from brightrun.batches.model import (
    ENDED_JOBS,
    ErrorHandling,
    ItemStatus,
    JobKind,
    JobStatus,
    Lane,
    Priority,
    QuoteSource,
)
from brightrun.batches.prompt_cache import CacheUse, cache_notice
from brightrun.core.fields import Tier
from brightrun.http.schemas import (
    CamelNestedModel,
    CamelResponseModel,
    NestedModel,
    PageCount,
    RequestModel,
    ResponseModel,
    Usd,
)

if TYPE_CHECKING:
    from brightrun.batches.log import LogLine
    from brightrun.batches.model import BatchItem, BatchJob
    from brightrun.batches.read_batches import PlannedItems
    from brightrun.core.pages import Page


MaxCostUsd = Annotated[float, Field(ge=0.0001, le=1_000_000)]
"""A cap on what a batch spends, in US dollars."""


TotalItems = Annotated[int, Field(description="All items of the job: each is one conversation.")]
CompletedItems = Annotated[
    int,
    Field(description="Items that have succeeded or failed, as in v1: successful and failed ones."),
]
SuccessfulItems = Annotated[int, Field(description="Items that have succeeded.")]
FailedItems = Annotated[int, Field(description="Items that have failed; completed includes them.")]
CancelledItems = Annotated[
    int,
    Field(description="Items left undone when the job was cancelled, stopped, or at its cap."),
]


class QuoteView(NestedModel):
    """What a batch was expected to cost when it was ordered, in US dollars.

    Nine of ten batches stay within p90.
    """

    p50: Usd = Field(validation_alias="p50_micro_usd")
    p90: Usd = Field(validation_alias="p90_micro_usd")
    source: QuoteSource = Field(
        description="own_batches: what the caller's own batches with this model used, by template "
        "and arc. typical: v1's typical conversation, while there are too few."
    )
    conversations: int = Field(description="Of the caller's own, that the quote is based on.")
    batches: int = Field(description="Of the caller's own, that these conversations are of.")


class PromptCacheView(NestedModel):
    """What a batch's prompts read from Claude's prompt cache and wrote to it, in tokens.

    They are not among `input_tokens`, and their price is part of the cost.
    """

    read_tokens: int
    written_tokens: int
    hit_rate: float | None = Field(
        description="The share of these tokens that was read; null without any."
    )
    saved_usd: Usd = Field(
        validation_alias="saved_micro_usd",
        description="Against the same calls without a cache; negative where it cost more.",
    )
    notice: str | None = Field(description="Why nothing is saved; null if it is, or may yet be.")

    @classmethod
    def from_domain(cls, job: BatchJob) -> Self:
        """Show what is counted of a job."""
        use = CacheUse.of(job)
        return cls(
            read_tokens=use.read_tokens,
            written_tokens=use.written_tokens,
            hit_rate=use.hit_rate,
            saved_micro_usd=use.saved_micro_usd,
            notice=cache_notice(job),
        )


class QuoteAccuracyView(NestedModel):
    """How wrong quotes of one source were, for batches that were written whole.

    `cost_mape` is the mean absolute error as a share of the cost, `cost_p90_coverage` the share of
    batches that cost at most their p90.
    """

    source: QuoteSource
    simulated: bool
    batches: int = Field(description="How many are compared.")
    cost_mape: float
    cost_p90_coverage: float


class QuoteAccuracyResponse(ResponseModel):
    """GET /api/batch-jobs/quotes: by source, and simulated batches by themselves."""

    accuracy: list[QuoteAccuracyView]


class JobSummary(CamelNestedModel):
    """A job, without its token counts."""

    id: str = Field(validation_alias="job_id")
    name: str
    kind: JobKind
    status: JobStatus
    status_line: str = Field(description="The status and its reason, to be shown.")
    total_items: TotalItems
    completed_items: CompletedItems
    successful_items: SuccessfulItems
    failed_items: FailedItems
    cancelled_items: CancelledItems
    priority: Priority
    lane: Lane = Field(description="Which it began in: with switchAt, realtime from then on.")
    done_by: str | None = Field(description="When it is to be done; null without a deadline.")
    switch_at: str | None = Field(
        description="When what the economy lane has not answered goes over to realtime."
    )
    was_on_time: bool | None = Field(description="Null until it is done.")
    concurrent_processing: int = Field(description="Workers.")
    calls_in_flight: int = Field(
        validation_alias="most_calls_in_flight", description="Of all workers, at the most."
    )
    error_handling: ErrorHandling
    model: str
    cost_usd: Usd = Field(validation_alias="cost_micro_usd")
    simulated: bool
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
    count: PageCount
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[BatchJob]) -> Self:
        """Show a page of jobs."""
        jobs = [JobSummary.model_validate(job) for job in page.records]
        return cls(jobs=jobs, count=len(jobs), next_cursor=page.next_cursor)


class Progress(NestedModel):
    """A job's items by status; percentage 0 to 100 with one decimal."""

    total: TotalItems = Field(validation_alias="total_items")
    completed: CompletedItems = Field(validation_alias="completed_items")
    successful: SuccessfulItems = Field(validation_alias="successful_items")
    failed: FailedItems = Field(validation_alias="failed_items")
    cancelled: CancelledItems = Field(validation_alias="cancelled_items")
    processing: int = Field(
        validation_alias="processing_items", description="Items that a worker holds."
    )
    queued: int = Field(
        validation_alias="queued_items",
        description="Items that wait for a worker, or for another attempt.",
    )
    percentage: float = Field(description="Of all items, those that are completed or cancelled.")


class JobStatusResponse(CamelResponseModel):
    """GET /api/conversations/batch/{id}/status; fields that v1 does not have are in snake_case."""

    job_id: str
    name: str
    status: JobStatus
    status_line: str = Field(
        alias="status_line", description="The status and its reason, to be shown."
    )
    progress: Progress
    estimated_time_remaining: int | None = Field(description="Seconds; null while unknown.")
    started_at: str | None
    completed_at: str | None
    stopped_reason: str | None
    lane: Lane = Field(description="Which it is in now, or was in at its end.")
    done_by: str | None = Field(
        alias="done_by", description="When it is to be done; null without a deadline."
    )
    switch_at: str | None = Field(
        alias="switch_at",
        description="When what the economy lane has not answered goes over to realtime.",
    )
    was_on_time: bool | None = Field(alias="was_on_time", description="Null until it is done.")
    cost_usd: float = Field(alias="cost_usd")
    input_tokens: int = Field(alias="input_tokens")
    output_tokens: int = Field(alias="output_tokens")
    max_cost_usd: float | None = Field(
        alias="max_cost_usd", description="The cap; null: there is none."
    )
    reserved_cost_usd: float = Field(
        alias="reserved_cost_usd",
        description="Beside cost_usd: the most that calls in flight may cost. Only with a cap.",
    )
    reused_items: int = Field(
        alias="reused_items", description="Written by earlier answers, at no cost."
    )
    quote: QuoteView | None = Field(description="Null for batches of earlier versions.")
    quote_error: float | None = Field(
        alias="quote_error",
        description="How far the cost is from the quote's p50, as a share of it; known once nearly "
        "all conversations are written.",
    )
    prompt_cache: PromptCacheView = Field(alias="prompt_cache")
    simulated: bool

    @classmethod
    def from_domain(cls, job: BatchJob, now: datetime) -> Self:
        """Show a job's status."""
        return cls(
            job_id=job.job_id,
            name=job.name,
            status=job.status,
            status_line=job.status_line,
            progress=Progress.model_validate(job),
            estimated_time_remaining=job.seconds_remaining(now),
            started_at=job.started_at,
            completed_at=job.completed_at,
            stopped_reason=job.stop_reason,
            lane=job.lane_at(now),
            done_by=job.done_by,
            switch_at=job.switch_at,
            was_on_time=job.was_on_time,
            cost_usd=job.cost_micro_usd / 1e6,
            input_tokens=job.input_tokens,
            output_tokens=job.output_tokens,
            max_cost_usd=usd(job.max_cost_micro_usd),
            reserved_cost_usd=job.reserved_micro_usd / 1e6,
            reused_items=job.reused_items,
            quote=QuoteView.model_validate(job.quote) if job.quote else None,
            quote_error=job.quote_error,
            prompt_cache=PromptCacheView.from_domain(job),
            simulated=job.simulated,
        )


class ItemSummary(NestedModel):
    """An item, with the keys of its scaffolding; tokens and cost are those of all its answers."""

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
    input_tokens: int
    output_tokens: int
    cost_usd: Usd = Field(validation_alias="cost_micro_usd")
    reused: bool = Field(description="Written by an earlier answer, at no cost.")
    updated_at: str = Field(serialization_alias="updatedAt")


class ItemList(ResponseModel):
    """GET /api/conversations/batch/{id}/items."""

    items: list[ItemSummary]
    count: PageCount
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[BatchItem]) -> Self:
        """Show a page of items."""
        items = [ItemSummary.model_validate(item) for item in page.records]
        return cls(items=items, count=len(items), next_cursor=page.next_cursor)


class PlannedCombination(NestedModel):
    """How many items of one persona, arc and topic are not written yet."""

    persona_key: str
    emotional_arc_key: str
    training_topic_key: str
    planned: int


class PlannedCombinations(ResponseModel):
    """GET /api/batch-jobs/planned."""

    combinations: list[PlannedCombination]
    total: int = Field(description="The sum over the combinations.")
    complete: bool

    @classmethod
    def from_domain(cls, planned: PlannedItems) -> Self:
        """Show the combinations in the order of their keys."""
        combinations = [
            PlannedCombination(**combination._asdict(), planned=count)
            for combination, count in sorted(planned.counts.items())
        ]
        total = sum(planned.counts.values())
        return cls(combinations=combinations, total=total, complete=planned.is_complete)


class LogPage(ResponseModel):
    """GET /api/batch-jobs/{id}/log."""

    lines: list[str]
    count: PageCount
    next_cursor: str | None

    @classmethod
    def from_domain(cls, page: Page[LogLine]) -> Self:
        """Show a page of log lines."""
        lines = [line.text() for line in page.records]
        return cls(lines=lines, count=len(lines), next_cursor=page.next_cursor)


def usd(micro_usd: int | None) -> float | None:
    """Convert millionths of a US dollar."""
    return None if micro_usd is None else micro_usd / 1e6


V1Status = Literal["processed", "job_completed", "job_cancelled", "paused"]


class ControlRequest(RequestModel):
    """PATCH /api/conversations/batch/{id}."""

    action: Literal["pause", "resume", "cancel"]
    max_cost_usd: MaxCostUsd | None = Field(
        default=None, description="Only with resume: a higher cap than before, in US dollars."
    )

    @model_validator(mode="after")
    def _raises_on_resume_only(self) -> Self:
        if self.max_cost_usd is not None and self.action != "resume":
            raise ValueError("max_cost_usd is for resume only")
        return self


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

    requeued: int = Field(description="Items that were failed or cancelled, and are queued again.")


class ProcessNextResponse(CamelResponseModel):
    """POST /api/batch-jobs/{id}/process-next: the job's progress, with v1's status values."""

    status: V1Status
    remaining_items: int = Field(description="Items that are queued or processing.")
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
