"""The endpoints under `/v1/messages/batches`."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from typing import Any

from local.claude_simulator.api_errors import ApiError, invalid
from local.claude_simulator.batches import Batch, end_batch
from local.claude_simulator.fault_script import Call
from local.claude_simulator.http_types import Reply, Request, Response, json_response
from local.claude_simulator.pages import page
from local.claude_simulator.state import State

_MAX_REQUESTS = 100_000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class BatchesEndpoint:
    """Keeps batches in memory until a reset."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._batches: dict[str, Batch] = {}

    def clear(self) -> None:
        """Forget every batch."""
        self._batches.clear()

    async def create(self, request: Request, version: str) -> Reply:
        """A new batch; what is wrong inside its requests shows only in the results."""
        body = request.json_object()
        requests = _checked_requests(body)
        _, ending = self._state.apply_fault(Call("batches"))
        if ending is not None:
            return ending
        batch_id = f"msgbatch_sim_{secrets.token_hex(12)}"
        batch = Batch(batch_id, requests, version, self._state.now())
        self._batches[batch_id] = batch
        return json_response(batch.info(_base_url(request)))

    async def list(self, request: Request, _version: str) -> Reply:
        """One page of batches, newest first."""
        newest_first = [batch.info(_base_url(request)) for batch in self._batches.values()][::-1]
        return json_response(page(newest_first, request.query()))

    async def retrieve(self, request: Request, _version: str, batch_id: str) -> Reply:
        """The batch; it ends once it has been retrieved as often as the settings say."""
        _, ending = self._state.apply_fault(Call("batches"))
        if ending is not None:
            return ending
        batch = self._find(batch_id)
        batch.polls += 1
        if batch.canceled_at or batch.polls >= self._state.settings.batch_polls:
            await end_batch(batch, self._state)
        return json_response(batch.info(_base_url(request)))

    async def cancel(self, request: Request, _version: str, batch_id: str) -> Reply:
        """Begin to cancel; a batch that has ended stays as it is."""
        batch = self._find(batch_id)
        if batch.ended_at is None and batch.canceled_at is None:
            batch.canceled_at = self._state.now()
        return json_response(batch.info(_base_url(request)))

    async def delete(self, _request: Request, _version: str, batch_id: str) -> Reply:
        """Delete an ended batch; ApiError 400 while it is in progress."""
        if self._find(batch_id).ended_at is None:
            raise invalid("Message Batches can only be deleted once they have ended; cancel first.")
        del self._batches[batch_id]
        return json_response({"id": batch_id, "type": "message_batch_deleted"})

    async def results(self, _request: Request, _version: str, batch_id: str) -> Reply:
        """The results as JSON lines; ApiError 404 while there are none."""
        batch = self._find(batch_id)
        if batch.ended_at is None:
            raise ApiError(404, f"The results of batch {batch_id} are not available yet.")
        return Response(200, content_type="application/x-jsonl", chunks=_lines(batch))

    def _find(self, batch_id: str) -> Batch:
        if batch_id not in self._batches:
            raise ApiError(404, f"Message Batch {batch_id} not found.")
        return self._batches[batch_id]


async def _lines(batch: Batch) -> AsyncIterator[bytes]:
    for line in batch.results:
        yield line


def _base_url(request: Request) -> str:
    return f"http://{request.headers.get('host', '127.0.0.1')}"


def _checked_requests(body: dict[str, Any]) -> list[dict[str, Any]]:
    requests = body.get("requests")
    if not isinstance(requests, list) or not requests:
        raise invalid("requests: Field required, a list of at least one request")
    if len(requests) > _MAX_REQUESTS:
        raise invalid(f"requests: at most {_MAX_REQUESTS} requests are allowed")
    seen: set[str] = set()
    for index, request in enumerate(requests):
        if not isinstance(request, dict) or "params" not in request:
            raise invalid(f"requests.{index}.params: Field required")
        custom_id = request.get("custom_id")
        if not isinstance(custom_id, str) or not _CUSTOM_ID.fullmatch(custom_id):
            raise invalid(
                f"requests.{index}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
            )
        if custom_id in seen:
            raise invalid(f"requests.{index}.custom_id: custom_id must be unique")
        seen.add(custom_id)
    return requests
