"""What a handler of a boto3 client's `before-call` event returns in place of a call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

Answer = tuple[Any, dict[str, Any]]


def answered(document: dict[str, Any]) -> Answer:
    """A successful response."""
    return SimpleNamespace(status_code=200, headers={}), document


def refused(code: str, message: str) -> Answer:
    """A response that the client raises as the ClientError of `code`."""
    error = {"Error": {"Code": code, "Message": message}}
    return SimpleNamespace(status_code=400, headers={}), {
        **error,
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
