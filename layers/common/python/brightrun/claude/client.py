"""The client of Claude: one call through the anthropic SDK, every failure a ClaudeCallError.

The SDK's retries are off: it would sleep inside a billed Lambda for as long as the server asks.
The workflow waits instead, because a Wait state costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brightrun.claude.model import (
    CALL_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    MAX_OUTPUT_TOKENS,
    Completion,
    Prompt,
)
from brightrun.claude.registry import ClaudeModel, claude_model
from brightrun.core.errors import BrightRunError, ClaudeCallError, ClaudeNotSetUpError

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic, AsyncAnthropicAWS, AsyncAnthropicBedrock

    AsyncClient = AsyncAnthropic | AsyncAnthropicAWS | AsyncAnthropicBedrock


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


class Claude(Protocol):
    """A client of one Claude model; use it in one event loop and close it there."""

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        """Request a completion in JSON that follows the schema.

        Takes at most CALL_TIMEOUT_S seconds and MAX_OUTPUT_TOKENS tokens. Raises ClaudeCallError.
        """

    async def close(self) -> None:
        """Close the connections."""


class UnavailableClaude(Claude):
    """Stands in for Claude without a key or with a retired model: every call fails fatally.

    A completion that was stored earlier needs no call, so it still becomes its conversation.
    """

    def __init__(self, reason: BrightRunError) -> None:
        self._reason = reason

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:  # noqa: ARG002
        raise ClaudeCallError(self._reason.code, self._reason.message, fatal=True)

    async def close(self) -> None:
        return


SIMULATED_HEADER = "x-brightrun-simulated"
_BEDROCK_BODY = {"anthropic_version": "bedrock-2023-05-31"}
"""The only version that InvokeModel documents. The SDK would send the newest one of the first-party
API, which Bedrock refuses for models up to Opus 4.6."""


class AnthropicClaude(Claude):
    """Claude through an SDK client."""

    def __init__(self, client: AsyncClient, model: ClaudeModel, provider: str) -> None:
        self._client = client
        self._model = model
        self._provider = provider

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        started = time.monotonic()
        try:
            response = await self._client.messages.with_raw_response.create(
                **self._request(prompt, schema)
            )
            body = await response.read()
        except Exception as error:
            raise to_call_error(error) from error
        simulated = self._provider == "simulator" or SIMULATED_HEADER in response.headers
        return _completion(body, time.monotonic() - started, simulated=simulated)

    async def close(self) -> None:
        await self._client.close()

    def _request(self, prompt: Prompt, schema: dict[str, Any]) -> dict[str, Any]:
        output: dict[str, Any] = {"format": {"type": "json_schema", "schema": schema}}
        if self._model.effort is not None:
            output["effort"] = self._model.effort
        request = {
            "model": self._model.id,
            "max_tokens": min(MAX_OUTPUT_TOKENS, self._model.max_output_tokens),
            "system": prompt.system,
            "messages": [{"role": "user", "content": prompt.user}],
            "output_config": output,
        }
        if self._provider == "bedrock":
            request |= {"model": self._model.bedrock_id, "extra_body": _BEDROCK_BODY}
        return request


_Name = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
"""What is stored in an object's user metadata, for which S3 has 2 KB."""
_Tokens = Annotated[int, Field(ge=0, le=1_000_000_000)]


class _Part(BaseModel):
    """A value of an answer; the SDK's own types accept anything in place of it."""

    model_config = ConfigDict(strict=True, defer_build=True)


class _Block(_Part):
    type: str
    text: str = ""


class _Usage(_Part):
    input_tokens: _Tokens
    output_tokens: _Tokens
    cache_read_input_tokens: _Tokens | None = None
    cache_creation_input_tokens: _Tokens | None = None


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


def _completion(body: bytes, seconds: float, *, simulated: bool) -> Completion:
    """Read an answer with status 200; raises ClaudeCallError if it is not a message."""
    try:
        message = _Answer.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(error) from error
    usage = message.usage
    return Completion(
        text="\n".join(block.text for block in message.content if block.type == "text"),
        stop_reason=message.stop_reason or "unknown",
        model=message.model,
        response_id=message.id,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_input_tokens or 0,
        cache_write_tokens=usage.cache_creation_input_tokens or 0,
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


def anthropic_claude(
    provider: str,
    model_name: str,
    today: date,
    *,
    base_url: str,
    api_key: str,
    workspace_id: str,
) -> AnthropicClaude:
    """Create the client for a provider.

    `direct` uses an API key. `aws` is a workspace of Claude Platform on AWS and `bedrock` is Amazon
    Bedrock, both with the Lambda's own role. `simulator` is the local one at `base_url`. Raises
    UnusableModelError for a retired model, ClaudeNotSetUpError if `aws` has no workspace.
    """
    import anthropic

    model = claude_model(model_name, today)
    timeout = anthropic.Timeout(CALL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    options: dict[str, Any] = {"max_retries": 0, "timeout": timeout}
    if base_url:
        options["base_url"] = base_url
    client: AsyncClient
    if provider == "aws":
        if not workspace_id:
            raise ClaudeNotSetUpError(
                "The provider is aws, but there is no workspace: deploy BrightRunWorkflows with "
                "the parameter ClaudeWorkspaceId (wrkspc_...), then retry what failed."
            )
        client = anthropic.AsyncAnthropicAWS(workspace_id=workspace_id, **options)
    elif provider == "bedrock":
        client = anthropic.AsyncAnthropicBedrock(**options)
    else:
        client = anthropic.AsyncAnthropic(api_key=api_key, **options)
    return AnthropicClaude(client, model, provider)
