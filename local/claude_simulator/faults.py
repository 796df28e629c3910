"""Scripted faults: what they are, how they are checked, which calls they apply to.

A script is a JSON list; a call uses up the first fault that matches it. For example
```
[{"status": 429, "retry_after": 2, "times": 3},
 {"defect": "trailing_backslash"},
 {"hang_seconds": 300},
 {"status": 529, "share": 0.3},
 {"status": 529, "when": {"endpoint": "batches"}, "times": 1},
 {"expired": true, "when": {"endpoint": "batch_items", "custom_id": "item-7"}}]
```
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Endpoint = Literal["messages", "batches", "batch_items"]
Malformed = Literal["html", "null", "broken_json", "no_usage"]
Defect = Literal["ends_on_user", "trailing_backslash", "too_many_turns"]
StopReason = Literal[
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
]
RefusalCategory = Literal["cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms"]

# At most one of these per fault; each decides what the caller gets.
OUTCOMES = (
    "status",
    "hang_seconds",
    "reset",
    "truncate",
    "refusal",
    "stop_reason",
    "schema_violation",
    "defect",
    "malformed",
    "expired",
)
_CONTENT_OUTCOMES = {"truncate", "refusal", "stop_reason", "schema_violation", "defect"}
_CONNECTION_OUTCOMES = {"hang_seconds", "reset"}


class FaultScriptError(ValueError):
    """A fault script that cannot be used; the message names the entry, the field and the rule."""


class Condition(BaseModel):
    """Which calls a fault applies to; every stated field must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    endpoint: Endpoint = "messages"
    custom_id: str | None = None

    def matches(self, endpoint: Endpoint, custom_id: str) -> bool:
        """Whether the fault applies to a call of `endpoint` for the batch item `custom_id`."""
        return self.endpoint == endpoint and self.custom_id in (None, custom_id)


class Fault(BaseModel):
    """One scripted fault. Durations are seconds; `truncate` is the kept share of the text.

    A `retry_after` that is a text becomes the header as it stands. `malformed` answers 200 with a
    body that is no message.
    `times` is how many calls it applies to: one by default, all of them where `when` or `share` is
    given. `share` is the share of the matching calls that it applies to, at random.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    when: Condition | None = None
    times: int | None = Field(default=None, ge=1)
    share: float | None = Field(default=None, gt=0, le=1)
    status: int | None = Field(default=None, ge=400, le=599)
    message: str | None = None
    retry_after: Annotated[float, Field(ge=0)] | str | None = None
    should_retry: bool | None = None
    error_code: str | None = None
    hang_seconds: float | None = Field(default=None, gt=0, le=3600)
    reset: Literal[True] | None = None
    truncate: float | None = Field(default=None, gt=0, lt=1)
    refusal: RefusalCategory | None = None
    stop_reason: StopReason | None = None
    schema_violation: Literal[True] | None = None
    defect: Defect | None = None
    malformed: Malformed | None = None
    expired: Literal[True] | None = None

    @property
    def outcome(self) -> str:
        """The name of the outcome."""
        return next(name for name in OUTCOMES if getattr(self, name) is not None)

    @property
    def condition(self) -> Condition:
        """The condition, by default any call of the messages endpoint."""
        return self.when or Condition()

    @model_validator(mode="after")
    def _consistent(self) -> Fault:
        chosen = [name for name in OUTCOMES if getattr(self, name) is not None]
        if len(chosen) > 1:
            raise ValueError(f"states several outcomes ({', '.join(chosen)}); keep one")
        if not chosen:
            raise ValueError(f"states no outcome; give one of {', '.join(OUTCOMES)}")
        details = ("message", "retry_after", "should_retry", "error_code")
        stray = [name for name in details if getattr(self, name) is not None]
        if self.status is None and stray:
            raise ValueError(f"{stray[0]} needs a status")
        self._check_endpoint(chosen[0])
        return self

    def _check_endpoint(self, outcome: str) -> None:
        endpoint = self.condition.endpoint
        if outcome == "expired" and endpoint != "batch_items":
            raise ValueError("expired needs when.endpoint to be batch_items")
        if outcome == "malformed" and endpoint != "messages":
            raise ValueError("malformed applies to the messages endpoint only")
        if outcome in _CONTENT_OUTCOMES and endpoint == "batches":
            raise ValueError(f"{outcome} does not apply to the {endpoint} endpoint")
        if outcome in _CONNECTION_OUTCOMES and endpoint == "batch_items":
            raise ValueError("hang and reset do not apply to batch_items")


def parse_faults(value: Any) -> list[Fault]:
    """Check a list of faults; FaultScriptError names the first entry that cannot be used."""
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise FaultScriptError("A fault script is a JSON list of fault objects.")
    return [_parse(index, item) for index, item in enumerate(value)]


def _parse(index: int, item: Any) -> Fault:
    if isinstance(item, Fault):
        return item
    try:
        return Fault.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join([f"faults[{index}]", *(str(part) for part in first["loc"])])
        hint = ""
        if first["type"] == "extra_forbidden":
            known = Condition if first["loc"][:-1] == ("when",) else Fault
            hint = f" Known fields: {', '.join(known.model_fields)}."
        raise FaultScriptError(f"{where}: {first['msg']}, got {first['input']!r}.{hint}") from error
