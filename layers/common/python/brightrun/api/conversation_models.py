"""What the conversation, failure and generation-log routes answer."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from brightrun.api.requests import ResponseModel
from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.generation_records import (
    CallStatus,
    FailedGeneration,
    FailureType,
    GenerationLogEntry,
)
from brightrun.domain.pages import Page
from brightrun.services.read_conversations import Download, LogStatistics


class ConversationView(BaseModel):
    """A conversation's row; `id` and `conversation_id` are the same value."""

    model_config = ConfigDict(extra="ignore")

    id: str
    conversation_id: str
    conversation_name: str
    batch_job_id: str
    status: str
    processing_status: str
    enrichment_status: str
    tier: str
    persona_id: str
    persona_key: str
    emotional_arc_id: str
    emotional_arc_key: str
    training_topic_id: str
    training_topic_key: str
    template_id: str
    turn_count: int
    starting_emotion: str
    ending_emotion: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: float
    simulated: bool
    file_path: str
    file_size: int
    raw_response_path: str
    raw_response_size: int
    parse_method_used: str
    created_at: str
    updated_at: str
    version: int
    scaffolding_snapshot: dict[str, Any]

    @classmethod
    def of(cls, record: ConversationRecord) -> Self:
        """Show a row."""
        return cls(
            id=record.conversation_id, cost_usd=record.cost_micro_usd / 1e6, **asdict(record)
        )


class ConversationList(ResponseModel):
    """GET /api/conversations."""

    conversations: list[ConversationView]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[ConversationRecord]) -> Self:
        """Show a page."""
        shown = [ConversationView.of(record) for record in page.records]
        return cls(conversations=shown, count=len(shown), next_cursor=page.next_cursor)


class TurnView(BaseModel):
    """One turn, as the file has it."""

    turn_number: int
    role: Literal["user", "assistant"]
    content: str
    emotional_context: dict[str, Any]


class ConversationAnswer(ResponseModel):
    """GET /api/conversations/{id}; turns with ?includeTurns=true."""

    conversation: ConversationView
    turns: list[TurnView] | None = None


class DownloadAnswer(ResponseModel):
    """A short-lived link to a file."""

    conversation_id: str
    download_url: str
    filename: str
    file_size: int | None
    expires_at: str
    expires_in_seconds: int

    @classmethod
    def of(cls, download: Download) -> Self:
        """Show a link."""
        return cls(**asdict(download))


class FailureView(BaseModel):
    """A failed generation's row."""

    model_config = ConfigDict(extra="ignore")

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
    id: str

    @classmethod
    def of(cls, failure: FailedGeneration) -> Self:
        """Show a row."""
        return cls(id=failure.failure_id, **asdict(failure))


class FailureList(ResponseModel):
    """GET /api/failed-generations."""

    failures: list[FailureView]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[FailedGeneration]) -> Self:
        """Show a page."""
        shown = [FailureView.of(record) for record in page.records]
        return cls(failures=shown, count=len(shown), next_cursor=page.next_cursor)


class FailureAnswer(ResponseModel):
    """GET /api/failed-generations/{id}."""

    failure: FailureView


class LogEntryView(BaseModel):
    """One call to Claude, without the request's text."""

    model_config = ConfigDict(extra="ignore")

    id: str
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
    cost_usd: float
    simulated: bool
    created_at: str

    @classmethod
    def of(cls, entry: GenerationLogEntry) -> Self:
        """Show an entry."""
        return cls(id=entry.log_id, cost_usd=entry.cost_micro_usd / 1e6, **asdict(entry))


class LogEntryList(ResponseModel):
    """GET /api/generation-logs."""

    logs: list[LogEntryView]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[GenerationLogEntry]) -> Self:
        """Show a page."""
        shown = [LogEntryView.of(record) for record in page.records]
        return cls(logs=shown, count=len(shown), next_cursor=page.next_cursor)


class CostStatistics(ResponseModel):
    """GET /api/generation-logs/stats?type=cost."""

    type: Literal["cost"] = "cost"
    total_cost_usd: float
    cost_usd_by_model: dict[str, float]
    input_tokens: int
    output_tokens: int
    calls: int

    @classmethod
    def of(cls, sums: LogStatistics) -> Self:
        """Show the money."""
        by_model = {model: cost / 1e6 for model, cost in sums.cost_micro_usd.items()}
        return cls(
            total_cost_usd=sum(sums.cost_micro_usd.values()) / 1e6,
            cost_usd_by_model=by_model,
            input_tokens=sums.input_tokens,
            output_tokens=sums.output_tokens,
            calls=sums.calls.total(),
        )


class PerformanceStatistics(ResponseModel):
    """GET /api/generation-logs/stats?type=performance; durations in ms, null without a success."""

    type: Literal["performance"] = "performance"
    calls: int
    calls_by_status: dict[str, int]
    success_rate: float | None
    median_duration_ms: float | None
    longest_duration_ms: int | None

    @classmethod
    def of(cls, sums: LogStatistics) -> Self:
        """Show the times."""
        calls = sums.calls.total()
        durations = sums.durations_ms
        return cls(
            calls=calls,
            calls_by_status=dict(sums.calls),
            success_rate=sums.calls["success"] / calls if calls else None,
            median_duration_ms=statistics.median(durations) if durations else None,
            longest_duration_ms=max(durations, default=None),
        )
