"""The models the simulated API knows: limits, rules and lifecycle."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from local.claude_simulator.api_errors import ApiError

Lifecycle = Literal["active", "deprecated", "retired"]
EFFORTS = ("low", "medium", "high", "xhigh", "max")


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Model:
    """What one model accepts. Token limits count tokens; dates are UTC midnights.

    `tokenizer_factor` is how many tokens this model counts for a token of the older tokenizer:
    models since 4.7 count about 30 % more for the same text (vendor's migration guide).
    """

    id: str
    display_name: str
    line: str
    created_at: datetime
    retires_at: datetime | None = None
    max_input_tokens: int = 1_000_000
    max_tokens: int = 128_000
    minimum_cacheable_tokens: int = 1_024
    tokenizer_factor: float = 1.3
    thinking_types: frozenset[str] = frozenset({"adaptive", "disabled"})
    thinks_by_default: bool = True
    default_effort: str = "high"
    accepts_prefill: bool = False
    accepts_sampling: bool = False
    accepts_forced_tool: bool = True
    structured_outputs: bool = True
    aliases: tuple[str, ...] = field(default=())

    @property
    def has_effort(self) -> bool:
        """Whether the model takes an effort level: those that think adaptively do."""
        return "adaptive" in self.thinking_types

    def lifecycle(self, now: datetime) -> Lifecycle:
        """Where the model stands at `now`; retirement takes effect at `retires_at` exactly."""
        if self.retires_at is None:
            return "active"
        return "retired" if now >= self.retires_at else "deprecated"


_BUDGETED = frozenset({"enabled", "disabled"})

# Newest first, as the endpoint lists them. Identifiers, dates and rules: the vendor's model pages
# and the deprecation table of the anthropic 2.11 SDK.
MODELS: tuple[Model, ...] = (
    Model(
        "claude-haiku-5-5", "Claude Haiku 5.5", "haiku", _day("2026-10-07"), default_effort="medium"
    ),
    Model(
        "claude-sonnet-5-5",
        "Claude Sonnet 5.5",
        "sonnet",
        _day("2026-09-28"),
        minimum_cacheable_tokens=512,
        accepts_forced_tool=False,
        thinking_types=frozenset({"adaptive", "between_tools"}),
    ),
    Model(
        "claude-opus-5-5",
        "Claude Opus 5.5",
        "opus",
        _day("2026-09-22"),
        minimum_cacheable_tokens=512,
        accepts_forced_tool=False,
        default_effort="medium",
        thinking_types=frozenset({"adaptive"}),
    ),
    Model(
        "claude-opus-5", "Claude Opus 5", "opus", _day("2026-07-24"), minimum_cacheable_tokens=512
    ),
    Model("claude-sonnet-5", "Claude Sonnet 5", "sonnet", _day("2026-06-30")),
    Model(
        "claude-haiku-4-5-20251001",
        "Claude Haiku 4.5",
        "haiku",
        _day("2025-10-01"),
        max_input_tokens=200_000,
        max_tokens=64_000,
        minimum_cacheable_tokens=4_096,
        tokenizer_factor=1.0,
        thinking_types=_BUDGETED,
        thinks_by_default=False,
        accepts_prefill=True,
        accepts_sampling=True,
        aliases=("claude-haiku-4-5",),
    ),
    Model(
        "claude-sonnet-4-5-20250929",
        "Claude Sonnet 4.5",
        "sonnet",
        _day("2025-09-29"),
        retires_at=_day("2026-11-30"),
        max_input_tokens=200_000,
        max_tokens=64_000,
        tokenizer_factor=1.0,
        thinking_types=_BUDGETED,
        thinks_by_default=False,
        accepts_prefill=True,
        accepts_sampling=True,
        aliases=("claude-sonnet-4-5",),
    ),
    Model(
        "claude-sonnet-4-20250514",
        "Claude Sonnet 4",
        "sonnet",
        _day("2025-05-14"),
        retires_at=_day("2026-06-15"),
        max_input_tokens=200_000,
        max_tokens=64_000,
        tokenizer_factor=1.0,
        thinking_types=_BUDGETED,
        thinks_by_default=False,
        accepts_prefill=True,
        accepts_sampling=True,
        structured_outputs=False,
        aliases=("claude-sonnet-4-0",),
    ),
)

_BY_NAME = {name: model for model in MODELS for name in (model.id, *model.aliases)}


def find_model(name: str) -> Model:
    """The model called `name`, retired ones included; ApiError 404 for an unknown one."""
    model = _BY_NAME.get(name)
    if model is None:
        raise ApiError(404, f"model: {name}")
    return model


def callable_model(name: str, now: datetime) -> Model:
    """The model called `name` if it answers at `now`; ApiError 404 if unknown or retired."""
    model = find_model(name)
    if model.lifecycle(now) == "retired":
        raise ApiError(404, f"model: {name}")
    return model
