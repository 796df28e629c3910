"""Message batches: their lifecycle and the results of their requests."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.claude_simulator.answers import compose
from local.claude_simulator.api_errors import ApiError
from local.claude_simulator.fault_script import Call
from local.claude_simulator.journal import fingerprint
from local.claude_simulator.message_rules import check_batched
from local.claude_simulator.state import State, raise_status

_LIFETIME = timedelta(hours=24)
_OUTCOMES = ("processing", "succeeded", "errored", "canceled", "expired")
_YIELD_EVERY = 50


@dataclass(slots=True)
class Batch:
    """One batch; `results` are JSON lines, there once it has ended."""

    id: str
    requests: list[dict[str, Any]]
    version: str
    created_at: datetime
    polls: int = 0
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)
    results: list[bytes] = field(default_factory=list)
    ending: asyncio.Lock = field(default_factory=asyncio.Lock)

    def info(self, base_url: str) -> dict[str, Any]:
        """The `MessageBatch` object; counts stay `processing` until the whole batch has ended."""
        ended = self.ended_at is not None
        open_status = "canceling" if self.canceled_at else "in_progress"
        counts = dict.fromkeys(_OUTCOMES, 0) | (self.counts or {"processing": len(self.requests)})
        results_url = f"{base_url}/v1/messages/batches/{self.id}/results"
        return {
            "id": self.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else open_status,
            "request_counts": counts,
            "created_at": self.created_at.isoformat(),
            "expires_at": (self.created_at + _LIFETIME).isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "archived_at": None,
            "cancel_initiated_at": self.canceled_at.isoformat() if self.canceled_at else None,
            "results_url": results_url if ended else None,
        }


async def end_batch(batch: Batch, state: State) -> None:
    """End a batch: answer every request, in shuffled order as the API does."""
    async with batch.ending:
        if batch.ended_at is not None:
            return
        now = state.now()
        order = list(batch.requests)
        random.Random(batch.id).shuffle(order)  # noqa: S311 - an order, no secret
        counts = dict.fromkeys(_OUTCOMES, 0)
        for index, request in enumerate(order):
            result = _result(batch, request, state, now)
            counts[result["type"]] += 1
            line = {"custom_id": request["custom_id"], "result": result}
            batch.results.append(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            if index % _YIELD_EVERY == 0:
                await asyncio.sleep(0)
        batch.counts, batch.ended_at = counts, now


def _result(batch: Batch, request: dict[str, Any], state: State, now: datetime) -> dict[str, Any]:
    if batch.canceled_at is not None:
        return {"type": "canceled"}
    if now >= batch.created_at + _LIFETIME:
        return {"type": "expired"}
    try:
        message = _answer(batch, request, state, now)
    except ApiError as error:
        return {"type": "errored", "error": error.envelope(None)}
    return {"type": "succeeded", "message": message} if message else {"type": "expired"}


def _answer(
    batch: Batch, request: dict[str, Any], state: State, now: datetime
) -> dict[str, Any] | None:
    """The message of one request, or None for one that was scripted to expire."""
    params, custom_id = request["params"], request["custom_id"]
    model = check_batched(params, batch.version, now)
    conversation = fingerprint(params["messages"])
    state.journal.called(conversation)
    fault = state.faults.next(Call("batch_items", custom_id))
    if fault is not None:
        raise_status(fault)
        if fault.expired:
            return None
    cached = state.cache.look_up(params, model, now)
    name = hashlib.sha256(f"{batch.id}:{custom_id}".encode()).hexdigest()[:24]
    message = compose(
        params,
        model,
        seed=state.settings.seed,
        fault=fault,
        cached=cached,
        message_id=f"msg_sim_{name}",
        service_tier="batch",
    )
    state.cache.write(params, model, now)
    state.journal.answered(conversation)
    return message
