"""The error envelope of the Claude API and the exception that carries it."""

from __future__ import annotations

import json
from typing import Any

# Error types by HTTP status, as the API's errors page lists them (API version 2026-10-21).
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "conflict_error",
    411: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class ApiError(Exception):
    """A refusal of the simulated API: an HTTP status, a sentence and extra headers.

    `error_code` is the stable code of `error.details`, such as `enforced_spend_limit_reached`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        error_code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_code = error_code
        self.headers = headers or {}

    @property
    def error_type(self) -> str:
        """The broad category of the error, by its status."""
        fallback = "api_error" if self.status >= 500 else "invalid_request_error"
        return ERROR_TYPES.get(self.status, fallback)

    def envelope(self, request_id: str | None) -> dict[str, Any]:
        """The response body as a JSON object; `request_id` is null inside batch results."""
        error: dict[str, Any] = {"type": self.error_type, "message": self.message}
        if self.error_code is not None:
            error["details"] = {"error_code": self.error_code}
        return {"type": "error", "error": error, "request_id": request_id}

    def body(self, request_id: str) -> bytes:
        """The response body as it goes over the wire."""
        return json.dumps(self.envelope(request_id)).encode()


def invalid(message: str) -> ApiError:
    """A 400 `invalid_request_error`, by far the most frequent refusal."""
    return ApiError(400, message)
