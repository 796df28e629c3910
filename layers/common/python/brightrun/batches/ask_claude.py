"""Requests completions for items, and stores each one before it is parsed."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brightrun.aws.objects import ObjectStore
from brightrun.batches.model import MAX_ATTEMPTS, MAX_TAKEOVERS, BatchItem, BatchJob
from brightrun.claude.client import Claude
from brightrun.claude.model import MAX_OUTPUT_TOKENS, Completion, Prompt
from brightrun.claude.registry import cost_micro_usd, recorded_model
from brightrun.conversations.generation_log.model import CallKind, CallStatus, GenerationLogEntry
from brightrun.conversations.generation_log.repository import GenerationLog
from brightrun.conversations.model import RAW_CONVERSATION_SCHEMA
from brightrun.core import object_keys
from brightrun.core.errors import ClaudeCallError
from brightrun.core.ids import conversation_id, time_ordered_id
from brightrun.core.timestamps import Clock, iso

_COMPLETION = "completion"
_LOG_ID = "log-id"
_CALL_STATUSES: dict[str, CallStatus] = {
    "rate_limit": "rate_limited",
    "overloaded": "rate_limited",
    "timeout": "timeout",
}


@dataclass(frozen=True, slots=True)
class CompletionSpec:
    """What the items of a job request from Claude, and where a completion is stored.

    Each attempt on an item has an object of its own, named after `tag`, which tells its generation
    from others of the conversation, and the attempt's number.
    """

    kind: CallKind
    schema: dict[str, Any]
    conversation_id: Callable[[BatchItem], str]
    object_key: Callable[[str, str, str], str]
    tag: Callable[[BatchItem], str]


CONVERSATION_SPEC = CompletionSpec(
    kind="conversation",
    schema=RAW_CONVERSATION_SCHEMA,
    conversation_id=lambda item: conversation_id(item.item_id),
    object_key=object_keys.raw_response,
    tag=lambda item: str(item.generation),
)


def judgement_spec(schema: dict[str, Any]) -> CompletionSpec:
    """Specify judgements of the conversations that items name."""
    return CompletionSpec(
        kind="judgement",
        schema=schema,
        conversation_id=lambda item: item.conversation_id or "",
        object_key=object_keys.judgement_answer,
        tag=lambda item: f"{item.item_id}-{item.generation}",
    )


class CompletionCache:
    """Requests completions, stores them unparsed, and logs each call with its cost.

    A worker that claims an item after another worker died uses the stored completion: one
    generation of an item is not billed again once its completion is stored.
    """

    def __init__(
        self,
        claude: Claude,
        conversation_files: ObjectStore,
        records: GenerationLog,
        job: BatchJob,
        clock: Clock,
        spec: CompletionSpec = CONVERSATION_SPEC,
    ) -> None:
        self._claude = claude
        self._files = conversation_files
        self._records = records
        self._job = job
        self._clock = clock
        self._spec = spec

    async def complete(self, item: BatchItem, prompt: Prompt) -> Completion:
        """Return the item's stored completion, or request one.

        Raises ClaudeCallError, StorageError.
        """
        if 1 < item.attempts <= MAX_TAKEOVERS:
            earlier = await asyncio.to_thread(self._stored_and_logged, item, prompt)
            if earlier is not None:
                return earlier
        if item.attempts > MAX_ATTEMPTS:
            raise ClaudeCallError("workers_lost", "Every worker that claimed the item died.")
        try:
            completion = await self._claude.complete(prompt, schema=self._spec.schema)
        except ClaudeCallError as error:
            await asyncio.to_thread(self._log_failure, item, prompt, error)
            raise
        return await asyncio.to_thread(self._store, item, prompt, completion)

    def cost_micro_usd(self, completion: Completion) -> int:
        """The cost of a completion, in millionths of a dollar."""
        today = self._clock().date()
        return cost_micro_usd(recorded_model(self._job.model), completion, today)

    def _store(self, item: BatchItem, prompt: Prompt, completion: Completion) -> Completion:
        log_id, key = time_ordered_id(self._clock()), self._key(item, item.attempts)
        self._files.put(
            key,
            completion.text,
            content_type="application/json",
            metadata={
                _COMPLETION: json.dumps(completion.metadata()),
                _LOG_ID: log_id,
            },
        )
        self._records.add_log_entry(self._entry(item, prompt, log_id, completion))
        return dataclasses.replace(completion, object_key=key)

    def stored(self, item: BatchItem) -> Completion | None:
        """Return what an earlier attempt on the item stored, the latest one first, or None."""
        found = self._find(item)
        return found[0] if found else None

    def _find(self, item: BatchItem) -> tuple[Completion, str] | None:
        for attempt in range(min(item.attempts, MAX_TAKEOVERS) - 1, 0, -1):
            key = self._key(item, attempt)
            if stored := self._files.get(key):
                described = json.loads(stored.metadata[_COMPLETION])
                completion = Completion(text=stored.text, **described, object_key=key)
                return completion, stored.metadata[_LOG_ID]
        return None

    def _stored_and_logged(self, item: BatchItem, prompt: Prompt) -> Completion | None:
        found = self._find(item)
        if found is None:
            return None
        completion, log_id = found
        # The earlier worker may have died between storing the object and its log entry.
        self._records.add_log_entry(self._entry(item, prompt, log_id, completion))
        return completion

    def _key(self, item: BatchItem, attempt: int) -> str:
        identifier = self._spec.conversation_id(item)
        name = f"{self._spec.tag(item)}-{attempt}"
        return self._spec.object_key(self._job.owner_id, identifier, name)

    def _log_failure(self, item: BatchItem, prompt: Prompt, error: ClaudeCallError) -> None:
        log_id = time_ordered_id(self._clock())
        self._records.add_log_entry(self._entry(item, prompt, log_id, None, error))

    def _entry(
        self,
        item: BatchItem,
        prompt: Prompt,
        log_id: str,
        completion: Completion | None,
        error: ClaudeCallError | None = None,
    ) -> GenerationLogEntry:
        status = _CALL_STATUSES.get(error.reason, "failed") if error else "success"
        return GenerationLogEntry(
            owner_id=self._job.owner_id,
            log_id=log_id,
            run_id=self._job.job_id,
            item_id=item.item_id,
            conversation_id=self._spec.conversation_id(item),
            template_id=item.template_id,
            model_used=completion.model if completion else self._job.model,
            max_tokens=MAX_OUTPUT_TOKENS,
            status=status,
            retry_attempt=item.attempts - 1,
            duration_ms=completion.duration_ms if completion else 0,
            input_tokens=completion.input_tokens if completion else 0,
            output_tokens=completion.output_tokens if completion else 0,
            cost_micro_usd=self.cost_micro_usd(completion) if completion else 0,
            simulated=completion.simulated if completion else False,
            created_at=iso(self._clock()),
            request=_compressed(prompt),
            response_id=completion.response_id if completion else None,
            stop_reason=completion.stop_reason if completion else None,
            error_code=error.reason if error else None,
            error_message=error.message if error else None,
            kind=self._spec.kind,
        )


MAX_REQUEST_BYTES = 300_000
"""A row of the log holds 400 KB; prompts of a judgement can be longer, even compressed."""
_KEPT_CHARACTERS = 60_000


def _compressed(prompt: Prompt) -> bytes:
    """Compress a prompt for its log entry; one that is too long is cut."""
    whole = _zlib(prompt.system, prompt.user)
    if len(whole) <= MAX_REQUEST_BYTES:
        return whole
    return _zlib(prompt.system, prompt.user[:_KEPT_CHARACTERS])


def _zlib(system: str, user: str) -> bytes:
    text = json.dumps({"system": system, "user": user}, ensure_ascii=False)
    return zlib.compress(text.encode("utf-8"), level=6)
