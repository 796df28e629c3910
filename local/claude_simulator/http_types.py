"""What passes between the HTTP server and the simulated API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from local.claude_simulator.api_errors import invalid


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are lower case, `oversized` means the body was discarded."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes = b""
    oversized: bool = False

    def query(self) -> dict[str, str]:
        """The query parameters, the last value of each name."""
        return {name: values[-1] for name, values in parse_qs(self.query_string).items()}

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; ApiError 400 if it is anything else."""
        value = self.json_value()
        if not isinstance(value, dict):
            raise invalid("The request body must be a JSON object.")
        return value

    def json_value(self) -> Any:
        """The body as JSON; ApiError 400 if it does not parse."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise invalid(f"The request body is not valid JSON: {error}") from error


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: a whole body, or `chunks` that are sent as they come."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    chunks: AsyncIterator[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer at all: the connection stays open for `seconds`, or until the client leaves."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection ends with a TCP reset."""


Reply = Response | Hang | Reset


def json_response(value: Any, status: int = 200) -> Response:
    """A JSON response; non-ASCII text stays readable."""
    return Response(status, json.dumps(value, ensure_ascii=False).encode())
