"""Base classes and shared fields of request and response schemas."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from brightrun.core.fields import ONE_LINE, REMARK


class RequestModel(BaseModel):
    """A request body; unknown fields are rejected by name."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class CamelRequest(RequestModel):
    """A request body in camelCase, as in v1's batch routes; snake_case is accepted too."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_alias=True, validate_by_name=True
    )


class NestedModel(BaseModel):
    """A part of a response, read from a record's attributes; only declared fields are returned."""

    model_config = ConfigDict(
        extra="forbid",
        from_attributes=True,
        json_schema_serialization_defaults_required=True,
        defer_build=True,
    )


class CamelNestedModel(NestedModel):
    """A part of a response, in camelCase."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )


class ResponseModel(NestedModel):
    """A response body; `success` is always true."""

    success: Literal[True] = True


class CamelResponseModel(CamelNestedModel, ResponseModel):
    """A response body in camelCase."""


Usd = Annotated[float, BeforeValidator(lambda micro_usd: micro_usd / 1e6)]
"""US dollars, converted from the millionths that are stored."""
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), ONE_LINE
]
"""The name of a record: one line; surrounding white space is removed."""
Description = Annotated[str, Field(max_length=2000), REMARK]
"""The description of a record, which may be empty."""
PageCount = Annotated[int, Field(description="How many records this answer holds.")]
Identifier = Annotated[str, Field(min_length=1, max_length=100)]
"""A UUID, or the key of a scaffolding record."""
RecordId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)]
"""An id in a path that Bright Run has generated."""
Filter = Annotated[Identifier | None, Query()]
Limit = Annotated[int, Query(ge=1, le=100, description="The most records of one page.")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="The next_cursor of the previous page.")
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Makes it safe to repeat the request for a day: a repetition begins nothing "
        "new, and its answer has the header `Idempotent-Replayed: true`.",
    ),
]


def _require_iso_date(day: object) -> object:
    """Accept only YYYY-MM-DD; pydantic would read a number as seconds since 1970."""
    if isinstance(day, str) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
        raise ValueError("Write the day as YYYY-MM-DD.")
    return day


Day = Annotated[
    date | None,
    BeforeValidator(_require_iso_date),
    Query(
        description="A whole day in UTC, such as 2026-11-21.",
        json_schema_extra={"maxLength": 10},
    ),
]
WORD, LIST = "<word>", "<list>"
UNION_TAGS = {WORD, LIST}
"""Tags of union branches, which make pydantic report the errors of one branch only."""
