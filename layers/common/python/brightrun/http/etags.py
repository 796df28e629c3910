"""Versions of conversations in HTTP: ETag in responses, If-Match in requests."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header

from brightrun.core.errors import InvalidInputError
from brightrun.http.bodies import JSON
from brightrun.http.schemas import NestedModel

_ETAG = '^"v[0-9]{1,18}"$'
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=30,
        description="The ETag of the version that the caller has seen.",
        json_schema_extra={"pattern": _ETAG},
    ),
]
ResponseT = TypeVar("ResponseT", bound=NestedModel)


def seen_version(if_match: str | None) -> int | None:
    """Parse the version of an If-Match header; None without one. Raises InvalidInputError."""
    if if_match is None:
        return None
    if not re.fullmatch(_ETAG, if_match):
        raise InvalidInputError(
            f"If-Match must be an ETag from a response, such as \"v3\"; it is '{if_match}'."
        )
    return int(if_match[2:-1])


def with_etag(body: ResponseT, version: int) -> Response[ResponseT]:
    """Return a body with the ETag of its version."""
    return Response(
        status_code=200,
        content_type=JSON,
        body=body,
        headers={"ETag": f'"v{version}"'},
    )
