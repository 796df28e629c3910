"""What each failure of a Claude call means: try again, wait, fail the item, or fail the job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brightrun.errors import ClaudeCallError

_REASONS: Mapping[int, str] = {
    400: "invalid_request",
    401: "authentication",
    402: "billing",
    403: "permission",
    404: "model_not_found",
    408: "timeout",
    409: "conflict",
    413: "request_too_large",
    429: "rate_limit",
    500: "server_error",
    503: "server_error",
    504: "timeout",
    529: "overloaded",
}
_RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_OVERLOADED = frozenset({429, 529})
# Nothing that this job sends can succeed before a person acts.
_FATAL = frozenset({401, 402, 403, 404})
_SPEND_LIMITS = frozenset({"EnforcedSpendLimitReachedError", "ContractSpendLimitReachedError"})


def classified(error: Exception) -> ClaudeCallError:
    """Turn an SDK exception into ClaudeCallError; messages carry no prompt and no key.

    A spend limit comes as a 429 but lasts until somebody raises it, so it is fatal.
    """
    import anthropic

    if isinstance(error, anthropic.APITimeoutError):
        return ClaudeCallError("timeout", "Claude did not answer in time.", retryable=True)
    if isinstance(error, anthropic.APIConnectionError):
        return ClaudeCallError(
            "network_error", "The connection to Claude failed.", status=0, retryable=True
        )
    if isinstance(error, anthropic.APIStatusError):
        return _of_status(error)
    return ClaudeCallError("unknown_error", f"The call failed: {type(error).__name__}.")


def _of_status(error: Any) -> ClaudeCallError:
    status = int(error.status_code)
    headers = error.response.headers
    reason = _REASONS.get(status, "server_error" if status >= 500 else "invalid_request")
    if type(error).__name__ in _SPEND_LIMITS:
        return ClaudeCallError(
            "spend_limit", "The account's spend limit is reached.", status=status, fatal=True
        )
    hint = headers.get("x-should-retry")
    retryable = status in _RETRYABLE if hint is None else hint == "true"
    return ClaudeCallError(
        reason,
        f"Claude answered {status} ({reason.replace('_', ' ')}).",
        status=status,
        retryable=retryable,
        overloaded=retryable and status in _OVERLOADED,
        fatal=status in _FATAL,
        retry_after_s=_retry_after(headers),
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks us to wait; dates and nonsense count as no answer."""
    try:
        if "retry-after-ms" in headers:
            return float(headers["retry-after-ms"]) / 1000
        return float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
