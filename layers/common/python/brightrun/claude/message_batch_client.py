"""Message Batches: many requests sent at once, answered within a day, at half the price.

The API ends a batch as a whole: until then its counts say nothing, and afterwards there is a result
for each request, in any order, for 29 days. It has no idempotency key.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from brightrun.claude.base_client import SIMULATED_HEADER, completion_of, to_call_error
from brightrun.core.errors import ClaudeCallError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anthropic import AsyncAnthropic

    from brightrun.claude.model import Completion, Prompt

MOST_REQUESTS = 100_000
MOST_BYTES = 256_000_000
"""The API's limits on one batch."""
Result = Literal["succeeded", "errored", "canceled", "expired"]


@dataclass(frozen=True, slots=True)
class MessageBatch:
    """A batch as the API shows it; `requests` counts all of them, whatever became of them."""

    id: str
    status: Literal["in_progress", "canceling", "ended"]
    requests: int
    created_at: datetime

    @property
    def ended(self) -> bool:
        """Whether there are results."""
        return self.status == "ended"


@dataclass(frozen=True, slots=True)
class BatchedResult:
    """What became of one request: a completion where it succeeded, else why not."""

    custom_id: str
    answer: Completion | ClaudeCallError


class MessageBatches(Protocol):
    """The batches of one model's account. Methods raise ClaudeCallError."""

    def request(self, custom_id: str, prompt: Prompt, schema: dict[str, Any]) -> bytes:
        """One request of a batch, as it is sent."""

    async def create(self, requests: Sequence[bytes]) -> MessageBatch:
        """Send a batch: 1 to MOST_REQUESTS requests of together at most MOST_BYTES.

        After an error without a status, or with one of 500 and more, it may have been created.
        """

    async def find(self, batch_id: str) -> MessageBatch | None:
        """Read a batch; None if the account has no such batch."""

    async def cancel(self, batch_id: str) -> None:
        """Have a batch end early: what is answered already has a result, and is paid for."""

    def created_since(self, earliest: datetime) -> AsyncIterator[MessageBatch]:
        """The account's batches that were created then or later, newest first."""

    def results(self, batch_id: str) -> AsyncIterator[BatchedResult]:
        """The results of a batch that has ended, one after the other as they arrive."""


class _Line(BaseModel):
    """A line of the results; what a message is, `completion_of` checks."""

    model_config = ConfigDict(strict=True, defer_build=True)

    custom_id: str
    result: _Result


class _Result(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)

    type: Result
    message: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class AnthropicMessageBatches(MessageBatches):
    """Message Batches through the SDK's client of the first-party API or of Claude on AWS."""

    def __init__(
        self,
        client: AsyncAnthropic,
        params: Callable[[Prompt, dict[str, Any]], dict[str, Any]],
        *,
        simulated: bool,
    ) -> None:
        """`params` gives what is sent for a prompt, in a batch as in a call of its own."""
        self._client = client
        self._batches = client.messages.batches
        self._params = params
        self._simulated = simulated

    def request(self, custom_id: str, prompt: Prompt, schema: dict[str, Any]) -> bytes:
        request = {"custom_id": custom_id, "params": self._params(prompt, schema)}
        return json.dumps(request, ensure_ascii=False).encode()

    async def create(self, requests: Sequence[bytes]) -> MessageBatch:
        from anthropic.types.messages import MessageBatch as Sent

        # Written here, not by the SDK, which would hold the whole batch as objects beside it.
        body = b'{"requests":[%s]}' % b",".join(requests)
        with _translated():
            path = "/v1/messages/batches"
            return _batch(await self._client.post(path, content=body, cast_to=Sent))

    async def find(self, batch_id: str) -> MessageBatch | None:
        try:
            with _translated():
                return _batch(await self._batches.retrieve(batch_id))
        except ClaudeCallError as error:
            if error.status == 404:
                return None
            raise

    async def cancel(self, batch_id: str) -> None:
        with _translated():
            await self._batches.cancel(batch_id)

    async def created_since(self, earliest: datetime) -> AsyncIterator[MessageBatch]:
        with _translated():
            async for one in self._batches.list(limit=100):
                if one.created_at < earliest:
                    return
                yield _batch(one)

    async def results(self, batch_id: str) -> AsyncIterator[BatchedResult]:
        with _translated():
            async with self._batches.with_streaming_response.results(batch_id) as response:
                simulated = self._simulated or SIMULATED_HEADER in response.headers
                rest = b""
                async for chunk in response.iter_bytes():
                    # Not by the SDK's lines: it would also divide at U+2028 within an answer.
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        yield _result(line, simulated=simulated)
                if rest:
                    yield _result(rest, simulated=simulated)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClaudeCallError:
        raise
    except Exception as error:
        raise to_call_error(error) from error


def _batch(sent: Any) -> MessageBatch:
    counts = sent.request_counts
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    requests = sum(getattr(counts, name) for name in names)
    return MessageBatch(sent.id, sent.processing_status, requests, sent.created_at)


def _result(line: bytes, *, simulated: bool) -> BatchedResult:
    """Read a line; raises ClaudeCallError if it does not say whose result it is."""
    try:
        read = _Line.model_validate_json(line)
    except ValidationError as error:
        raise ClaudeCallError(
            "unreadable_results", "The results of a Message Batch are no JSON lines."
        ) from error
    if read.result.type != "succeeded":
        return BatchedResult(read.custom_id, _error(read.result))
    try:
        body = json.dumps(read.result.message).encode()
        completion = replace(completion_of(body, simulated=simulated), batched=True)
    except ClaudeCallError as error:
        return BatchedResult(read.custom_id, error)
    return BatchedResult(read.custom_id, completion)


_RETRYABLE = frozenset({"api_error", "overloaded_error", "rate_limit_error", "timeout_error"})
_SENTENCES = {
    "canceled": "The Message Batch was cancelled before Claude answered.",
    "expired": "The Message Batch expired before Claude answered.",
}


def _error(result: _Result) -> ClaudeCallError:
    """Why a request has no answer; the API's own words may quote it, so they are not repeated."""
    if result.type in _SENTENCES:
        return ClaudeCallError(result.type, _SENTENCES[result.type], retryable=True)
    details = (result.error or {}).get("error") or {}
    kind = str(details.get("type", "unknown_error"))[:40]
    reason = kind.removesuffix("_error")
    sentence = f"Claude could not answer it in the Message Batch ({reason.replace('_', ' ')})."
    return ClaudeCallError(reason, sentence, retryable=kind in _RETRYABLE)
