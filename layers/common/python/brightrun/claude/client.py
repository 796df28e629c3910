"""The client of Claude: one call through the anthropic SDK, every failure a ClaudeCallError.

The SDK's retries are off: it would sleep inside a billed Lambda for as long as the server asks.
The workflow waits instead, because a Wait state costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.claude.base_client import (
    SIMULATED_HEADER,
    completion_of,
    near_limit,
    to_call_error,
)
from brightrun.claude.message_batch_client import AnthropicMessageBatches, MessageBatches
from brightrun.claude.model import CONNECT_TIMEOUT_S, CacheLifetime, Completion, Prompt
from brightrun.claude.registry import WITHOUT_MESSAGE_BATCHES, ClaudeModel, claude_model
from brightrun.core.errors import BrightRunError, ClaudeCallError, ClaudeNotSetUpError
from brightrun.core.limits import CALL_TIMEOUT_S

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic, AsyncAnthropicAWS, AsyncAnthropicBedrock

    AsyncClient = AsyncAnthropic | AsyncAnthropicAWS | AsyncAnthropicBedrock


class Claude(Protocol):
    """A client of one Claude model; use it in one event loop and close it there."""

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        """Request a completion in JSON that follows the schema.

        Takes at most CALL_TIMEOUT_S seconds and the prompt's number of tokens. Raises
        ClaudeCallError.
        """

    def fingerprint(self, prompt: Prompt, *, schema: dict[str, Any]) -> str:
        """A hash that is equal for equal requests: provider, model, prompt, schema, parameters.

        What is marked for the prompt cache is no part of it: it does not change what is asked.
        Raises ClaudeCallError where no request can be made.
        """

    @property
    def message_batches(self) -> MessageBatches:
        """The model's Message Batches; raises ClaudeCallError where there are none."""

    async def close(self) -> None:
        """Close the connections."""


class UnavailableClaude(Claude):
    """Stands in for Claude without a key or with a retired model: every call fails fatally.

    A completion that was stored earlier needs no call, so it still becomes its conversation.
    """

    def __init__(self, reason: BrightRunError) -> None:
        self._reason = reason

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:  # noqa: ARG002
        raise self._error()

    def fingerprint(self, prompt: Prompt, *, schema: dict[str, Any]) -> str:  # noqa: ARG002
        raise self._error()

    def _error(self) -> ClaudeCallError:
        return ClaudeCallError(self._reason.code, self._reason.message, fatal=True)

    @property
    def message_batches(self) -> MessageBatches:
        raise ClaudeCallError(self._reason.code, self._reason.message, fatal=True)

    async def close(self) -> None:
        return


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
        completion = completion_of(
            body,
            seconds=time.monotonic() - started,
            simulated=self._provider == "simulator" or SIMULATED_HEADER in response.headers,
        )
        return replace(
            completion,
            max_output_tokens=self._room(prompt),
            marked=prompt.cached_for is not None,
            near_limit=near_limit(response.headers),
        )

    def fingerprint(self, prompt: Prompt, *, schema: dict[str, Any]) -> str:
        request = [self._provider, self._request(replace(prompt, cached_for=None), schema)]
        return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()

    @property
    def message_batches(self) -> MessageBatches:
        if reason := WITHOUT_MESSAGE_BATCHES.get(self._provider):
            raise ClaudeCallError("no_message_batches", reason, fatal=True)
        return AnthropicMessageBatches(
            self._client,  # type: ignore[arg-type]
            self._request,
            simulated=self._provider == "simulator",
        )

    async def close(self) -> None:
        await self._client.close()

    def _room(self, prompt: Prompt) -> int:
        return min(prompt.max_output_tokens, self._model.max_output_tokens)

    def _request(self, prompt: Prompt, schema: dict[str, Any]) -> dict[str, Any]:
        output: dict[str, Any] = {"format": {"type": "json_schema", "schema": schema}}
        if self._model.effort is not None:
            output["effort"] = self._model.effort
        system, user = _contents(prompt)
        request = {
            "model": self._model.id,
            "max_tokens": self._room(prompt),
            "system": system,
            "messages": [{"role": "user", "content": user}],
            "output_config": output,
        }
        if self._provider == "bedrock":
            request |= {"model": self._model.bedrock_id, "extra_body": _BEDROCK_BODY}
        return request


_Content = str | list[dict[str, Any]]


def _contents(prompt: Prompt) -> tuple[_Content, _Content]:
    """The system prompt and the user's message, in blocks where their start is marked.

    A mark caches everything before it, so one is enough. The blocks together are the text, byte for
    byte; the API refuses a block that is blank.
    """
    if prompt.cached_for is None:
        return prompt.system, prompt.user
    length = prompt.shared_characters or 0
    shared, rest = prompt.user[:length], prompt.user[length:]
    if not shared.strip():
        return [_marked(prompt.system, prompt.cached_for)], prompt.user
    if not rest.strip():
        return prompt.system, [_marked(prompt.user, prompt.cached_for)]
    return prompt.system, [
        _marked(shared, prompt.cached_for),
        {"type": "text", "text": rest},
    ]


def _marked(text: str, lifetime: CacheLifetime) -> dict[str, Any]:
    # Five minutes are the default, and all that Amazon Bedrock has for every model.
    ttl = {} if lifetime == "5m" else {"ttl": lifetime}
    return {"type": "text", "text": text, "cache_control": {"type": "ephemeral", **ttl}}


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
