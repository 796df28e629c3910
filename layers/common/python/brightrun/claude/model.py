"""A prompt for Claude, the completion it returns, and what the stop reason means."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from brightrun.core.errors import ConversationRefusedError

MAX_OUTPUT_TOKENS = 24_576
"""Limit on one completion, thinking included: v1's figure, six times its longest completion."""
CONNECT_TIMEOUT_S = 5.0
"""Limit on reaching Claude: an address that swallows packets is told soon, not after a call's."""


CacheLifetime = Literal["5m", "1h"]
"""How long the prompt cache keeps what it was given, counted from when it was last read."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to Claude, the template it was made from, and the room for its answer.

    `shared_characters` is how long the start of `user` is that the other prompts of the template
    have, too; None where that is not known. With `cached_for`, the system prompt and that start are
    marked for Claude's prompt cache: what is asked is the same.
    """

    system: str
    user: str
    template_id: str
    template_version: int
    max_output_tokens: int = MAX_OUTPUT_TOKENS
    shared_characters: int | None = None
    cached_for: CacheLifetime | None = None

    @property
    def size(self) -> int:
        """Bytes of its texts, the upper limit on their tokens."""
        return len(self.system.encode()) + len(self.user.encode())


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished call, with the token counts that the API bills.

    Tokens of the prompt that were read from or written to the prompt cache are not among
    `input_tokens`.
    """

    text: str
    stop_reason: str
    model: str
    response_id: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    """Those of `cache_write_tokens` that are kept for an hour."""
    marked: bool = False
    """Whether the prompt was marked for the prompt cache."""
    refusal_category: str | None = None
    duration_ms: int = 0
    simulated: bool = False
    max_output_tokens: int = MAX_OUTPUT_TOKENS
    """The limit that the call was made with."""
    reused: bool = False
    """Whether it was paid for by an earlier batch; it has no tokens then."""
    object_key: str = ""
    """Where it is stored; empty before it is."""
    batched: bool = False
    """Answered in a Message Batch, at the price of batches."""
    near_limit: bool = False
    """Whether its headers said that little is left of a rate limit; not stored."""

    def again(self) -> Completion:
        """The same answer for another batch, which is billed nothing for it."""
        return replace(
            self,
            input_tokens=0,
            output_tokens=0,
            cache_read_tokens=0,
            cache_write_tokens=0,
            cache_write_1h_tokens=0,
            marked=False,
            duration_ms=0,
            reused=True,
            object_key="",
        )

    def metadata(self) -> dict[str, Any]:
        """What is stored beside the text: all that the answer itself tells."""
        fields = asdict(self)
        del fields["text"], fields["object_key"], fields["near_limit"]
        return fields


_COUNTED = (
    "input_tokens",
    "output_tokens",
    "cost_micro_usd",
    "cache_calls",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_saved_micro_usd",
)


@dataclass(slots=True)
class Usage:
    """What the answers to one item used together; amounts in millionths of a US dollar.

    `cache_calls` counts those whose prompt was marked for the prompt cache.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    cache_calls: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_saved_micro_usd: int = 0
    simulated: bool = False
    answers: list[Completion] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)
    """Of the above, what the item's job has counted before."""

    @property
    def last(self) -> Completion | None:
        """The answer that counts, None before there is one."""
        return self.answers[-1] if self.answers else None

    @property
    def reused(self) -> bool:
        """Whether the answer that counts was paid for by an earlier batch."""
        return self.last is not None and self.last.reused

    def due(self) -> dict[str, Any]:
        """What the item's job has still to count, under the names of an outcome."""
        due = {name: getattr(self, name) - self.counted.get(name, 0) for name in _COUNTED}
        return {**due, "simulated": self.simulated, "reused": self.reused}

    def add(
        self,
        completion: Completion,
        cost_micro_usd: int,
        saved_micro_usd: int = 0,
        *,
        counted_before: bool = False,
    ) -> None:
        """Count an answer, and what the prompt cache saved of its cost."""
        self.input_tokens += completion.input_tokens
        self.output_tokens += completion.output_tokens
        self.cost_micro_usd += cost_micro_usd
        self.cache_calls += completion.marked
        self.cache_read_tokens += completion.cache_read_tokens
        self.cache_write_tokens += completion.cache_write_tokens
        self.cache_saved_micro_usd += saved_micro_usd
        self.simulated = self.simulated or completion.simulated
        self.answers.append(completion)
        if counted_before:
            self.counted = {name: getattr(self, name) for name in _COUNTED}


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
