"""Base classes and shared fields of request and response schemas."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel


class RequestModel(BaseModel):
    """A request body: unknown fields are refused, by name."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class CamelRequest(RequestModel):
    """A request body in camelCase, as the original's batch routes have it; snake_case works too."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_alias=True, validate_by_name=True
    )


class NestedModel(BaseModel):
    """A part of an answer, read from a domain record's attributes; nothing undeclared gets out."""

    model_config = ConfigDict(
        extra="forbid",
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
        defer_build=True,
    )


class CamelNestedModel(NestedModel):
    """A part of an answer, in camelCase."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )


class ResponseModel(NestedModel):
    """A whole answer; `success` is always there."""

    success: Literal[True] = True


class CamelResponseModel(CamelNestedModel, ResponseModel):
    """A whole answer in camelCase."""


Usd = Annotated[float, BeforeValidator(lambda micro_usd: micro_usd / 1e6)]
"""US dollars, read from the millionths in which they are kept."""
INK = r"[^\s\x85\x00-\x1f\x7f]"
"""A character that can be seen."""
_LINE = r"[^\x00-\x1f\x7f]"
ONE_LINE = f"^{_LINE}*{INK}{_LINE}*$"
"""Text without a line break, in which something can be seen."""
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=ONE_LINE),
]
Identifier = Annotated[str, Field(min_length=1, max_length=100)]
"""A UUID, or the key of a scaffolding record."""
RecordId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)]
"""The id in a path of what Bright Run itself names."""
Filter = Annotated[Identifier | None, Query()]
Limit = Annotated[int, Query(ge=1, le=100, description="How many records one page holds.")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="The next_cursor of the page before.")
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Makes it safe to repeat the request for a day.",
    ),
]


def _written_out(day: object) -> object:
    """Only YYYY-MM-DD is a day: pydantic would read a number as seconds since 1970."""
    if isinstance(day, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
        raise ValueError("Write the day as YYYY-MM-DD.")
    return day


Day = Annotated[
    date | None,
    BeforeValidator(_written_out),
    Query(
        description="A whole day in UTC, such as 2026-11-21.",
        json_schema_extra={"maxLength": 10},
    ),
]
WORD, LIST = "<word>", "<list>"
UNION_TAGS = {WORD, LIST}
"""Names of a union's branches, where only one of them shall complain."""
