"""Maps errors to HTTP statuses and problem+json bodies (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from aws_lambda_powertools.event_handler import Response

from brightrun.core import errors
from brightrun.http.schemas import UNION_TAGS, NestedModel

PROBLEM_JSON = "application/problem+json"
STATUS: Mapping[type[errors.BrightRunError], HTTPStatus] = {
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.InvalidInputError: HTTPStatus.BAD_REQUEST,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.IdempotencyKeyReusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ContentionError: HTTPStatus.CONFLICT,
    errors.StorageError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.BrightRunError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
MOST_FAULTS = 100
"""Faults that one response lists; a body can have more than fit into a response of 6 MB."""
LONGEST_FIELD = 200
"""Characters of a field's name in a response; unknown fields can have names of any length."""


class FieldFault(NestedModel):
    """One field that is wrong, by its path in the body or its name in the query."""

    field: str
    message: str


class CodedFault(FieldFault):
    """A fault that has a code of its own, such as one of docs/dataset-codes.md."""

    code: str


class Problem(NestedModel):
    """An error: the fields of RFC 9457, v1's `error` and `details`, and a code for programs.

    `details` lists the faults of a request, or holds more about the error, such as the current
    state of a record.
    """

    type: str
    title: str
    status: int
    detail: str
    success: Literal[False] = False
    error: str
    code: str
    details: list[CodedFault | FieldFault] | dict[str, Any] | None


def status_of(error: errors.BrightRunError) -> HTTPStatus:
    """Return the status of the error's nearest ancestor in STATUS."""
    for ancestor in type(error).__mro__:
        if ancestor in STATUS:
            return STATUS[ancestor]
    raise AssertionError("BrightRunError itself is in the table")


def problem(
    status: HTTPStatus,
    sentence: str,
    *,
    code: str,
    details: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """Create a problem+json response."""
    body = Problem(
        type=f"urn:brightrun:problem:{code}",
        title=status.phrase,
        status=status.value,
        detail=sentence,
        error=sentence,
        code=code,
        details=details,
    )
    return Response(
        status_code=status.value,
        content_type=PROBLEM_JSON,
        body=json.dumps(body.model_dump()),
        headers=dict(headers or {}),
    )


def domain_problem(error: errors.BrightRunError) -> Response[str]:
    """Create the response to an error that the caller can correct, or that passes."""
    wait = error.retry_after_s
    return problem(
        status_of(error),
        error.message,
        code=error.code,
        details=error.details,
        headers={} if wait is None else {"Retry-After": f"{wait:g}"},
    )


def storage_problem(error: errors.StorageError) -> Response[str]:
    """Create the response to a failed AWS service; which one it was is only logged."""
    sentence = "The service cannot reach what it stores; try again in a moment."
    return problem(status_of(error), sentence, code=error.code, headers={"Retry-After": "1"})


def internal_problem() -> Response[str]:
    """Create the response to an unexpected error."""
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong on our side; try again, and report it if it stays.",
        code="internal_error",
    )


def request_problem(faults: Sequence[Mapping[str, Any]]) -> Response[str]:
    """Create the response to a request that fails validation, listing the invalid fields."""
    details = [
        {"field": _field(fault["loc"]), "message": fault["msg"].removeprefix("Value error, ")}
        for fault in faults[:MOST_FAULTS]
    ]
    first = details[0]
    sentence = f"The request is not valid: {first['field']}: {first['message'].removesuffix('.')}."
    if len(faults) > 1:
        sentence += f" {len(faults) - 1} more in details."
    return problem(HTTPStatus.BAD_REQUEST, sentence, code="invalid_request", details=details)


def _field(location: Sequence[Any]) -> str:
    """Format pydantic's location as a path, without the part of the request that it starts with.

    Tags of union branches are internal and left out.
    """
    where, *path = [str(part) for part in location]
    named = ".".join(part for part in path if part not in UNION_TAGS)
    return (named or where)[:LONGEST_FIELD]
