"""The generation log: one entry for each call to Claude, and the failed generations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

FailureType = Literal["truncation", "parse_error", "api_error", "validation_error"]
CallStatus = Literal["success", "failed", "rate_limited", "timeout"]
CallKind = Literal["conversation", "judgement"]


@dataclass(frozen=True, slots=True)
class GenerationLogEntry:
    """One call to Claude: its request, outcome and cost.

    What a conversation was asked for with is its item's prompt by the plan of its job, which stays
    as it is. A judge reads a text that may be edited later: `request` is the JSON of system prompt
    and user prompt, compressed with zlib to a third of its size. Durations in milliseconds, money
    in millionths of a dollar.
    """

    owner_id: str
    log_id: str
    run_id: str
    item_id: str
    conversation_id: str
    template_id: str
    model_used: str
    max_tokens: int
    status: CallStatus
    retry_attempt: int
    duration_ms: int
    input_tokens: int
    output_tokens: int
    cost_micro_usd: int
    simulated: bool
    created_at: str
    response_id: str | None = None
    stop_reason: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    kind: CallKind = "conversation"
    request: bytes | None = None


class LoggedCall(NamedTuple):
    """What totals need of a log entry."""

    status: CallStatus
    model_used: str
    duration_ms: int
    input_tokens: int
    output_tokens: int
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class FailedGeneration:
    """One item that ended without a conversation; `raw_file_path` is the key of its full report."""

    owner_id: str
    failure_id: str
    run_id: str
    item_id: str
    conversation_id: str
    failure_type: FailureType
    reason: str
    error_message: str
    model: str
    max_tokens: int
    prompt_length: int
    input_tokens: int
    output_tokens: int
    raw_file_path: str
    persona_id: str
    emotional_arc_id: str
    training_topic_id: str
    template_id: str
    created_at: str
    stop_reason: str | None = None
    truncation_pattern: str | None = None
    truncation_details: str | None = None
    structured_outputs_enabled: bool = True
    simulated: bool = False
