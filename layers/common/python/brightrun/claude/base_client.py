"""What the clients of Claude share: a message becomes a Completion, a failure a ClaudeCallError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brightrun.claude.model import Completion
from brightrun.core.errors import ClaudeCallError

SIMULATED_HEADER = "x-brightrun-simulated"
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
# No call of the job can succeed until a person changes the account or its settings.
_FATAL = frozenset({401, 402, 403, 404})
_REMEDIES: Mapping[int, str] = {
    401: " Store a valid key of this account as ANTHROPIC_API_KEY or in the secret of the stack.",
    402: " Settle the account's billing in the Claude Console.",
    403: " Give the key or the role access to this model.",
    404: " Choose a model that the account has, or correct the address.",
}
"""What a person can do about the fatal ones; the rest goes away by itself or is ours."""
_SPEND_LIMITS = frozenset({"EnforcedSpendLimitReachedError", "ContractSpendLimitReachedError"})
MAX_RETRY_AFTER_S = 3600.0
"""Limit on the wait that a server may ask for; after it, the call is tried whatever was asked."""


def to_call_error(error: Exception) -> ClaudeCallError:
    """Convert an SDK exception to ClaudeCallError; messages contain neither prompt nor key.

    A spend limit is reported as a 429 but lasts until it is raised, so it is fatal.
    """
    import anthropic

    if isinstance(error, anthropic.APITimeoutError):
        sentence = f"Claude at {error.request.url.host} did not answer in time."
        return ClaudeCallError("timeout", sentence, retryable=True)
    if isinstance(error, anthropic.APIConnectionError):
        sentence = (
            f"The connection to Claude at {error.request.url.host} failed"
            f" ({error.__cause__ or error}): check the network and the address."
        )
        return ClaudeCallError("network_error", sentence, status=0, retryable=True)
    if isinstance(error, anthropic.APIStatusError):
        return _from_status(error)
    return ClaudeCallError("unknown_error", f"The call failed: {type(error).__name__}.")


def _from_status(error: Any) -> ClaudeCallError:
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
        f"Claude at {error.request.url.host} answered {status} ({reason.replace('_', ' ')})."
        + _REMEDIES.get(status, ""),
        status=status,
        retryable=retryable,
        overloaded=retryable and status in _OVERLOADED,
        fatal=status in _FATAL,
        retry_after_s=_retry_after(headers),
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait, at most MAX_RETRY_AFTER_S.

    None for a date, a negative number and an unreadable value.
    """
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        else:
            seconds = float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return min(seconds, MAX_RETRY_AFTER_S) if seconds >= 0 else None


_RATES = ("requests", "tokens", "input-tokens", "output-tokens")
_LITTLE = 0.1
"""The part of a rate limit below which more calls in flight would soon be refused."""


def near_limit(headers: Mapping[str, str]) -> bool:
    """Whether an answer's headers say that less than a tenth of a rate limit is left.

    False where they say nothing that can be read: Bedrock sends none.
    """
    for rate in _RATES:
        try:
            left = int(headers[f"anthropic-ratelimit-{rate}-remaining"])
            limit = int(headers[f"anthropic-ratelimit-{rate}-limit"])
        except (KeyError, ValueError):
            continue
        if left < limit * _LITTLE:
            return True
    return False


_Name = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
"""What is stored in an object's user metadata, for which S3 has 2 KB."""
_Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]


class _Part(BaseModel):
    """A value of an answer; the SDK's own types accept anything in place of it."""

    model_config = ConfigDict(strict=True, defer_build=True)


class _Block(_Part):
    type: str
    text: str = ""


class _CacheCreation(_Part):
    ephemeral_1h_input_tokens: _Tokens = 0


class _Usage(_Part):
    input_tokens: _Tokens
    output_tokens: _Tokens
    cache_read_input_tokens: _Tokens | None = None
    cache_creation_input_tokens: _Tokens | None = None
    cache_creation: _CacheCreation | None = None


class _StopDetails(_Part):
    category: _Name | None = None


class _Answer(_Part):
    """The fields that are used of an answer with status 200."""

    id: _Name
    model: _Name
    content: list[_Block]
    stop_reason: _Name | None = None
    stop_details: _StopDetails | None = None
    usage: _Usage


def completion_of(body: bytes, *, seconds: float = 0, simulated: bool) -> Completion:
    """Read an answer with status 200; raises ClaudeCallError if it is not a message."""
    try:
        message = _Answer.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(error) from error
    usage = message.usage
    written = usage.cache_creation_input_tokens or 0
    kept = usage.cache_creation.ephemeral_1h_input_tokens if usage.cache_creation else 0
    return Completion(
        text="\n".join(block.text for block in message.content if block.type == "text"),
        stop_reason=message.stop_reason or "unknown",
        model=message.model,
        response_id=message.id,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_input_tokens or 0,
        cache_write_tokens=written,
        cache_write_1h_tokens=min(kept, written),
        refusal_category=message.stop_details.category if message.stop_details else None,
        duration_ms=round(seconds * 1000),
        simulated=simulated,
    )


def _unreadable(error: ValidationError) -> ClaudeCallError:
    where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
    what = f"its {where} is missing or unusable" if where else "it is no JSON object"
    return ClaudeCallError(
        "unreadable_answer",
        f"Claude answered 200, but the answer is not a message: {what}.",
        status=200,
        retryable=True,
        maybe_billed=True,
    )
