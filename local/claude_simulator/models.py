"""The models the simulated API knows: limits, rules and retirement dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from local.claude_simulator.api_errors import ApiError

EFFORTS = ("low", "medium", "high", "xhigh", "max")


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Model:
    """What one model accepts. Limits are tokens; a model answers until `retires_at` (UTC).

    `tokenizer_factor` is how many tokens this model counts for a token of the older tokenizer:
    models since 4.7 count about 30 % more for the same text (vendor's migration guide).
    `cache_minimum` is how many tokens a marked start needs to be cached; that of the 5.5 models is
    not published, and assumed here.
    """

    id: str
    alias: str | None = None
    retires_at: datetime | None = None
    max_input_tokens: int = 1_000_000
    max_tokens: int = 128_000
    tokenizer_factor: float = 1.3
    cache_minimum: int = 1_024
    thinking_types: frozenset[str] = frozenset({"adaptive", "disabled"})
    thinks_by_default: bool = True
    default_effort: str = "high"
    accepts_prefill: bool = False
    accepts_sampling: bool = False
    accepts_forced_tool: bool = True
    structured_outputs: bool = True

    @property
    def has_effort(self) -> bool:
        """Whether the model takes an effort level: those that think adaptively do."""
        return "adaptive" in self.thinking_types


# Identifiers, dates and rules: the vendor's model pages and the deprecation table of the
# anthropic 2.11 SDK.
_CURRENT: tuple[Model, ...] = (
    Model("claude-haiku-5-5", default_effort="medium"),
    Model(
        "claude-sonnet-5-5",
        accepts_forced_tool=False,
        thinking_types=frozenset({"adaptive", "between_tools"}),
    ),
    Model(
        "claude-opus-5-5",
        accepts_forced_tool=False,
        default_effort="medium",
        thinking_types=frozenset({"adaptive"}),
    ),
    Model("claude-opus-5", cache_minimum=512),
    Model("claude-sonnet-5"),
)

_before_adaptive_thinking = partial(
    Model,
    max_input_tokens=200_000,
    max_tokens=64_000,
    tokenizer_factor=1.0,
    thinking_types=frozenset({"enabled", "disabled"}),
    thinks_by_default=False,
    accepts_prefill=True,
    accepts_sampling=True,
)
_OLDER: tuple[Model, ...] = (
    _before_adaptive_thinking(
        "claude-haiku-4-5-20251001", alias="claude-haiku-4-5", cache_minimum=4_096
    ),
    _before_adaptive_thinking(
        "claude-opus-4-5-20251101",
        alias="claude-opus-4-5",
        retires_at=_day("2027-01-22"),
        cache_minimum=4_096,
    ),
    _before_adaptive_thinking(
        "claude-sonnet-4-5-20250929", alias="claude-sonnet-4-5", retires_at=_day("2026-11-30")
    ),
    _before_adaptive_thinking(
        "claude-sonnet-4-20250514",
        alias="claude-sonnet-4-0",
        retires_at=_day("2026-06-15"),
        structured_outputs=False,
    ),
)

_BY_NAME = {
    name: model
    for model in (*_CURRENT, *_OLDER)
    for name in (model.id, model.alias)
    if name is not None
}


def callable_model(name: str, now: datetime) -> Model:
    """The model called `name` if it answers at `now`; ApiError 404 if unknown or retired."""
    model = _BY_NAME.get(name)
    if model is None or (model.retires_at is not None and now >= model.retires_at):
        raise ApiError(404, f"model: {name}")
    return model
