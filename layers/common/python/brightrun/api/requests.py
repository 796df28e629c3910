"""What request and response models have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class RequestModel(BaseModel):
    """A request body: unknown fields are refused, by name."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CamelRequest(RequestModel):
    """A request body in camelCase, as the original's batch routes have it; snake_case works too."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
    )


class CamelPart(BaseModel):
    """A part of an answer, in camelCase."""

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=to_camel,
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )


class ResponseModel(BaseModel):
    """A whole answer; `success` is always there."""

    model_config = ConfigDict(extra="forbid")

    success: Literal[True] = True


class CamelResponse(CamelPart):
    """A whole answer in camelCase."""

    success: Literal[True] = True


Identifier = Annotated[str, Field(min_length=1, max_length=100)]
"""A UUID, or the key of a scaffolding record."""

Limit = Annotated[int, Field(ge=1, le=100, description="How many records one page holds.")]
Cursor = Annotated[
    str | None, Field(max_length=2000, description="The next_cursor of the page before.")
]
