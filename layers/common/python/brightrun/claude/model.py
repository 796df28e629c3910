"""A prompt for Claude, the completion it returns, and what the stop reason means."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from brightrun.core.errors import ConversationRefusedError


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to Claude, and the template it was made from."""

    system: str
    user: str
    template_id: str
    template_version: int


MAX_OUTPUT_TOKENS = 24_576
"""Limit on one completion, thinking included: v1's figure, six times its longest completion."""
CALL_TIMEOUT_S = 180.0
"""Limit on one call: v1's figure; its slowest conversation took 107 s."""
CONNECT_TIMEOUT_S = 5.0
"""Limit on reaching Claude: an address that swallows packets is told soon, not after a call's."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished call, with the token counts that the API bills."""

    text: str
    stop_reason: str
    model: str
    response_id: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    refusal_category: str | None = None
    duration_ms: int = 0
    simulated: bool = False
    object_key: str = ""
    """Where it is stored; empty before it is."""

    def metadata(self) -> dict[str, Any]:
        """All fields but the text and its place, as they are stored beside it."""
        fields = asdict(self)
        del fields["text"], fields["object_key"]
        return fields


def require_end_turn(completion: Completion) -> None:
    """Accept only a completion that Claude ended by itself (`end_turn`).

    Raises ConversationRefusedError: `validation_error` for a refusal, else `truncation`.
    """
    reason = completion.stop_reason
    if reason == "end_turn":
        return
    if reason == "refusal":
        category = completion.refusal_category or "no category given"
        raise ConversationRefusedError(
            "validation_error", "refused_by_claude", f"Claude declined to write it ({category})."
        )
    messages = {
        "max_tokens": f"The answer was cut at {completion.output_tokens} tokens.",
        "model_context_window_exceeded": "The answer did not fit the model's context window.",
    }
    raise ConversationRefusedError(
        "truncation",
        reason if reason in messages else "unexpected_stop_reason",
        messages.get(reason, f"Claude stopped for an unexpected reason: {reason}."),
        pattern="unexpected_stop_reason",
    )
