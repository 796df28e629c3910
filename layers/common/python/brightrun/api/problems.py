"""The one table from domain errors to HTTP, and the problem+json body (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from brightrun import errors

STATUS: Mapping[type[errors.BrightRunError], HTTPStatus] = {
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.InvalidInputError: HTTPStatus.BAD_REQUEST,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.IdempotencyKeyReusedError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.StorageError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.BrightRunError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

PROBLEM_JSON = "application/problem+json"


def status_of(error: errors.BrightRunError) -> HTTPStatus:
    """Find the status of an error's nearest ancestor in the table."""
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
    """Make a problem+json answer that also carries the original system's `error` and `details`."""
    body = {
        "type": f"urn:brightrun:problem:{code}",
        "title": status.phrase,
        "status": status.value,
        "detail": sentence,
        "success": False,
        "error": sentence,
        "code": code,
        "details": details,
    }
    return Response(
        status_code=status.value,
        content_type=PROBLEM_JSON,
        body=json.dumps(body, ensure_ascii=False),
        headers=dict(headers or {}),
    )


def domain_problem(error: errors.BrightRunError) -> Response[str]:
    """Answer a domain error; one of ours that is not in the table is a 500 without internals."""
    status = status_of(error)
    headers = {"Retry-After": "1"} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return problem(status, error.message, code=error.code, details=error.details, headers=headers)


def request_problem(faults: Sequence[Mapping[str, Any]]) -> Response[str]:
    """Answer a request that does not fit its model, with every field that is wrong."""
    details = [{"field": _field(fault.get("loc", ())), "message": fault["msg"]} for fault in faults]
    first = details[0] if details else {"field": "body", "message": "is not valid"}
    sentence = f"The request is not valid: {first['field']}: {first['message']}."
    if len(details) > 1:
        sentence += f" {len(details) - 1} more in details."
    return problem(HTTPStatus.BAD_REQUEST, sentence, code="invalid_request", details=details)


def _field(location: Sequence[Any]) -> str:
    parts = [str(part) for part in location if part not in {"body", "query", "path", "header"}]
    return ".".join(parts) or str(location[0] if location else "body")
