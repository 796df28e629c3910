"""Responses of the routes of failed generations and of the generation log."""

from __future__ import annotations

import statistics
from typing import Literal, Self

from pydantic import AliasPath, Field

from brightrun.conversations.generation_log.model import (
    CallKind,
    CallStatus,
    FailureType,
)
from brightrun.conversations.generation_log.service import LogStatistics
from brightrun.http.schemas import (
    NestedModel,
    PageCount,
    ResponseModel,
    Usd,
)


class FailureView(NestedModel):
    """A failed generation's row."""

    id: str = Field(validation_alias=AliasPath("failure_id"))
    failure_id: str
    run_id: str
    item_id: str
    conversation_id: str
    failure_type: FailureType
    reason: str
    error_message: str
    stop_reason: str | None
    truncation_pattern: str | None
    truncation_details: str | None
    model: str
    max_tokens: int
    prompt_length: int
    input_tokens: int
    output_tokens: int
    structured_outputs_enabled: bool
    simulated: bool
    persona_id: str
    emotional_arc_id: str
    training_topic_id: str
    template_id: str
    raw_file_path: str
    created_at: str


class FailureResponse(ResponseModel):
    """GET /api/failed-generations/{id}."""

    failure: FailureView


class FailureList(ResponseModel):
    """GET /api/failed-generations."""

    failures: list[FailureView]
    count: PageCount
    next_cursor: str | None


class LogEntryView(NestedModel):
    """One call to Claude, without the text of the request; durations in milliseconds."""

    id: str = Field(validation_alias="log_id")
    kind: CallKind
    run_id: str
    item_id: str
    conversation_id: str
    template_id: str
    model_used: str
    max_tokens: int
    status: CallStatus
    stop_reason: str | None
    error_code: str | None
    error_message: str | None
    retry_attempt: int
    duration_ms: int
    input_tokens: int
    output_tokens: int
    cost_usd: Usd = Field(validation_alias="cost_micro_usd")
    simulated: bool
    created_at: str


class LogEntryList(ResponseModel):
    """GET /api/generation-logs."""

    logs: list[LogEntryView]
    count: PageCount
    next_cursor: str | None


class CostStatistics(ResponseModel):
    """GET /api/generation-logs/stats?type=cost."""

    type: Literal["cost"] = "cost"
    total_cost_usd: float
    cost_usd_by_model: dict[str, float]
    input_tokens: int
    output_tokens: int
    calls: int

    @classmethod
    def from_domain(cls, sums: LogStatistics) -> Self:
        """Create the response from the totals."""
        by_model = {model: cost / 1e6 for model, cost in sums.cost_micro_usd.items()}
        return cls(
            total_cost_usd=sum(sums.cost_micro_usd.values()) / 1e6,
            cost_usd_by_model=by_model,
            input_tokens=sums.input_tokens,
            output_tokens=sums.output_tokens,
            calls=sums.calls.total(),
        )


class PerformanceStatistics(ResponseModel):
    """GET /api/generation-logs/stats?type=performance; null durations without a success."""

    type: Literal["performance"] = "performance"
    calls: int
    calls_by_status: dict[str, int]
    success_rate: float | None
    median_duration_ms: float | None
    longest_duration_ms: int | None

    @classmethod
    def from_domain(cls, sums: LogStatistics) -> Self:
        """Create the response from the totals."""
        calls = sums.calls.total()
        durations = sums.durations_ms
        return cls(
            calls=calls,
            calls_by_status=dict(sums.calls),
            success_rate=sums.calls["success"] / calls if calls else None,
            median_duration_ms=statistics.median(durations) if durations else None,
            longest_duration_ms=max(durations, default=None),
        )
