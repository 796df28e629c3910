"""The rest of the outside world in memory: objects, records, keys, the workflow, Claude."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from brightrun.aws.objects import ListedObject, StoredText
from brightrun.batches.gateway import Workflow
from brightrun.batches.model import BatchJob
from brightrun.claude.client import Claude
from brightrun.claude.message_batch_client import MessageBatches
from brightrun.claude.model import Completion, Prompt
from brightrun.conversations.generation_log.model import GenerationLogEntry
from brightrun.core.errors import IdempotencyKeyReusedError
from tests.builders import START, a_completion


class InMemoryObjects:
    """The objects of one bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, StoredText] = {}
        self.stored_at: dict[str, datetime] = {}
        self.now = START

    def put(
        self, key: str, body: str, *, content_type: str, metadata: dict[str, str] | None = None
    ) -> int:
        self.objects[key], self.stored_at[key] = StoredText(body, metadata or {}), self.now
        return len(body.encode("utf-8"))

    def get(self, key: str) -> StoredText | None:
        return self.objects.get(key)

    def remove(self, key: str) -> None:
        self.objects.pop(key, None)

    def remove_all(self, prefix: str) -> None:
        for key in [key for key in self.objects if key.startswith(prefix)]:
            del self.objects[key]

    def listed(self, *, after: str = "") -> Iterator[ListedObject]:
        for key in sorted(self.objects):
            if key > after:
                yield ListedObject(key, self.stored_at[key])

    def link(self, key: str, filename: str) -> str:
        return f"https://files.test/{key}?filename={filename}"


class InMemoryRecords:
    """The generation log that workers write."""

    def __init__(self) -> None:
        self.entries: dict[str, GenerationLogEntry] = {}

    def add_log_entries(self, entries: Sequence[GenerationLogEntry]) -> None:
        self.entries |= {entry.log_id: entry for entry in entries}


class InMemoryKeys:
    """Idempotency keys; a key is bound for a day."""

    def __init__(self, kept_for: timedelta = timedelta(hours=24)) -> None:
        self._kept_for = kept_for
        self._bound: dict[tuple[str, str], tuple[str, str, datetime]] = {}

    def find(self, owner_id: str, key: str, fingerprint: str, now: datetime) -> str | None:
        bound = self._bound.get((owner_id, key))
        if bound is None or bound[2] < now - self._kept_for:
            return None
        return self._job(owner_id, key, fingerprint)

    def job_for(self, owner_id: str, key: str, fingerprint: str, job_id: str, now: datetime) -> str:
        bound = self._bound.get((owner_id, key))
        if bound is None or bound[2] < now - self._kept_for:
            self._bound[owner_id, key] = (fingerprint, job_id, now)
        return self._job(owner_id, key, fingerprint)

    def rebind(
        self, owner_id: str, key: str, fingerprint: str, job_id: str, given_up: str, now: datetime
    ) -> str:
        if self._job(owner_id, key, fingerprint) == given_up:
            self._bound[owner_id, key] = (fingerprint, job_id, now)
        return self._job(owner_id, key, fingerprint)

    def _job(self, owner_id: str, key: str, fingerprint: str) -> str:
        earlier, job_id, _ = self._bound[owner_id, key]
        if earlier != fingerprint:
            raise IdempotencyKeyReusedError("another request")
        return job_id


class RecordedWorkflow(Workflow):
    """The batch workflow; remembers which runs were started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def ensure_running(self, job: BatchJob) -> None:
        if job.execution_name not in self.started:
            self.started.append(job.execution_name)


class ScriptedClaude(Claude):
    """Claude: gives the answers and errors of a script in turn, then good answers.

    `calls` counts by prompt, `most_at_once` is the largest number of calls in flight.
    """

    def __init__(self, script: Iterable[Completion | Exception] = ()) -> None:
        self._script = deque(script)
        self.prompts: list[Prompt] = []
        self.most_at_once = 0
        self._in_flight = 0

    @property
    def calls(self) -> int:
        return len(self.prompts)

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        self.prompts.append(prompt)
        self._in_flight += 1
        self.most_at_once = max(self.most_at_once, self._in_flight)
        await asyncio.sleep(0)
        self._in_flight -= 1
        played = self._script.popleft() if self._script else a_completion()
        if isinstance(played, Exception):
            raise played
        return played

    def fingerprint(self, prompt: Prompt, *, schema: dict[str, Any]) -> str:
        return repr((prompt, schema))

    @property
    def message_batches(self) -> MessageBatches:
        raise AssertionError("the realtime lane sends no Message Batch")

    async def close(self) -> None:
        """Nothing to give back."""
