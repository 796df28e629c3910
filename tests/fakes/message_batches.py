"""Message Batches in memory: they end after an hour, with results in another order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from brightrun.claude.client import Claude
from brightrun.claude.message_batch_client import BatchedResult, MessageBatch, MessageBatches
from brightrun.claude.model import Completion, Prompt
from brightrun.core.errors import ClaudeCallError

CANCELED = ClaudeCallError("canceled", "The Message Batch was cancelled.", retryable=True)
EXPIRED = ClaudeCallError("expired", "The Message Batch expired.", retryable=True)
Answer = Completion | ClaudeCallError
Watch = Callable[[str], None]


@dataclass
class _Batch:
    id: str
    created_at: datetime
    requests: list[dict[str, Any]]
    cancelled: bool = False
    answers: dict[str, Answer] = field(default_factory=dict)


class InMemoryMessageBatches(MessageBatches):
    """`answer` gives the answer to a request's prompt, once the batch ends.

    `paid` lists the custom ids that were answered; `before` and `after` hear of every call.
    """

    def __init__(
        self,
        answer: Callable[[str], Answer],
        clock: Callable[[], datetime],
        *,
        takes_s: float = 3600,
    ) -> None:
        self.answer = answer
        self.clock = clock
        self.takes_s = takes_s
        self.all: dict[str, _Batch] = {}
        self.refusals: list[ClaudeCallError] = []
        self.paid: list[str] = []
        self.asked: list[str] = []
        self.before: Watch = lambda _: None
        self.after: Watch = lambda _: None

    def request(self, custom_id: str, prompt: Prompt, schema: dict[str, Any]) -> bytes:
        room = prompt.max_output_tokens
        return json.dumps({"id": custom_id, "user": prompt.user, "room": room}).encode()

    async def create(self, requests: Sequence[bytes]) -> MessageBatch:
        self.before("Batches.create")
        if self.refusals:
            raise self.refusals.pop(0)
        parsed = [json.loads(request) for request in requests]
        batch_id = self.add(parsed)
        self.asked += [request["user"] for request in parsed]
        self.after("Batches.create")
        return self._shown(batch_id)

    def add(self, requests: list[dict[str, Any]]) -> str:
        """Create a batch, as any program of the account may; returns its id."""
        batch_id = f"msgbatch_{len(self.all) + 1}"
        self.all[batch_id] = _Batch(batch_id, self.clock(), requests)
        return batch_id

    async def find(self, batch_id: str) -> MessageBatch | None:
        self.before("Batches.find")
        self.after("Batches.find")
        return self._shown(batch_id) if batch_id in self.all else None

    async def cancel(self, batch_id: str) -> None:
        self.before("Batches.cancel")
        self.all[batch_id].cancelled = True
        self.after("Batches.cancel")

    async def created_since(self, earliest: datetime) -> AsyncIterator[MessageBatch]:
        self.before("Batches.list")
        for batch in reversed(self.all.values()):
            if batch.created_at >= earliest:
                yield self._shown(batch.id)
        self.after("Batches.list")

    async def results(self, batch_id: str) -> AsyncIterator[BatchedResult]:
        self.before("Batches.results")
        batch = self.all[batch_id]
        assert self._shown(batch_id).ended
        for request in reversed(batch.requests):
            name = request["id"]
            if name not in batch.answers:
                batch.answers[name] = self._answered(batch, request)
            yield BatchedResult(name, batch.answers[name])
        self.after("Batches.results")

    def _answered(self, batch: _Batch, request: dict[str, Any]) -> Answer:
        # In a batch that is cancelled, every other request has been answered before.
        if batch.cancelled and batch.requests.index(request) % 2:
            return CANCELED
        answer = self.answer(request["user"])
        if isinstance(answer, Completion):
            self.paid.append(request["id"])
            return replace(answer, batched=True)
        return answer

    def _shown(self, batch_id: str) -> MessageBatch:
        batch = self.all[batch_id]
        over = self.clock() >= batch.created_at + timedelta(seconds=self.takes_s)
        status = "ended" if over or batch.cancelled else "in_progress"
        return MessageBatch(batch_id, status, len(batch.requests), batch.created_at)  # type: ignore[arg-type]


class BatchedClaude(Claude):
    """Claude that answers in Message Batches only."""

    def __init__(self, batches: MessageBatches) -> None:
        self._batches = batches

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        raise AssertionError("the economy lane makes no call of its own")

    def fingerprint(self, prompt: Prompt, *, schema: dict[str, Any]) -> str:
        raise AssertionError("the economy lane remembers no answer")

    @property
    def message_batches(self) -> MessageBatches:
        return self._batches

    async def close(self) -> None:
        """Nothing to give back."""


class BothLanes(BatchedClaude):
    """Claude that answers in Message Batches, and calls of their own by the same answers.

    `called` lists the prompts of those calls.
    """

    def __init__(self, batches: InMemoryMessageBatches) -> None:
        super().__init__(batches)
        self._answer = batches.answer
        self.called: list[str] = []

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        self.called.append(prompt.user)
        answer = self._answer(prompt.user)
        if isinstance(answer, ClaudeCallError):
            raise answer
        return answer
