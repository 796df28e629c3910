"""Requests completions for items, and stores each one before it is parsed."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from brightrun.aws.dynamodb import MAX_BATCH_WRITE
from brightrun.aws.objects import ObjectStore
from brightrun.aws.request_keys import RequestKeys
from brightrun.batches.call_limit import CallLimit
from brightrun.batches.cap import affordable_room
from brightrun.batches.group_commit import GroupCommit
from brightrun.batches.model import MAX_ATTEMPTS, MAX_TAKEOVERS, BatchItem, BatchJob
from brightrun.batches.prompt_cache import PrefixCache
from brightrun.claude.client import Claude
from brightrun.claude.model import Completion, Prompt, Usage
from brightrun.claude.registry import cache_saved_micro_usd, cost_micro_usd, recorded_model
from brightrun.conversations.generation_log.model import CallKind, CallStatus, GenerationLogEntry
from brightrun.conversations.generation_log.repository import GenerationLog
from brightrun.conversations.model import RAW_CONVERSATION_SCHEMA
from brightrun.core import object_keys
from brightrun.core.errors import BrightRunError, ClaudeCallError, ConversationRefusedError
from brightrun.core.ids import conversation_id, made_at, time_ordered_id
from brightrun.core.logging import logger
from brightrun.core.metrics import measure
from brightrun.core.timestamps import Clock, iso

_COMPLETION = "completion"
_LOG_ID = "log-id"
_MENDING = "-mending"
"""In the name of the answer that was asked for because the first one could not be used."""
_ANSWER = "answer"
"""The fingerprint of the keys of answers, which stand among the idempotency keys."""
T = TypeVar("T")
_CALL_STATUSES: dict[str, CallStatus] = {
    "rate_limit": "rate_limited",
    "overloaded": "rate_limited",
    "timeout": "timeout",
}


@dataclass(frozen=True, slots=True)
class CompletionSpec:
    """What the items of a job request from Claude, and where a completion is stored.

    Each attempt on an item has an object of its own, named after `tag`, which tells its generation
    from others of the conversation, and the attempt's number. `keeps_request` says that the log has
    to keep the prompt, since the job's plan does not tell it.
    """

    kind: CallKind
    schema: dict[str, Any]
    conversation_id: Callable[[BatchItem], str]
    object_key: Callable[[str, str, str], str]
    tag: Callable[[BatchItem], str]
    keeps_request: bool


CONVERSATION_SPEC = CompletionSpec(
    kind="conversation",
    schema=RAW_CONVERSATION_SCHEMA,
    conversation_id=lambda item: conversation_id(item.item_id),
    object_key=object_keys.raw_response,
    tag=lambda item: str(item.generation),
    keeps_request=False,
)


def judgement_spec(schema: dict[str, Any]) -> CompletionSpec:
    """Specify judgements of the conversations that items name."""
    return CompletionSpec(
        kind="judgement",
        schema=schema,
        conversation_id=lambda item: item.conversation_id or "",
        object_key=object_keys.judgement_answer,
        tag=lambda item: f"{item.item_id}-{item.generation}",
        keeps_request=True,
    )


_BEYOND_MENDING = frozenset({"refused_by_claude", "model_context_window_exceeded"})
_MORE_ROOM = 1.5
_TELL_ERROR = (
    "Your previous answer to exactly this request could not be used: {error}\n"
    "Answer again, completely, and without that fault."
)


def mending_prompt(
    prompt: Prompt, completion: Completion, error: ConversationRefusedError
) -> Prompt | None:
    """What is asked because of an answer that cannot be used; None if asking again is no use.

    An answer that was cut at its limit gets more room, and any other the error.
    """
    if error.reason in _BEYOND_MENDING:
        return None
    if completion.stop_reason == "max_tokens":
        room = round(prompt.max_output_tokens * _MORE_ROOM)
        return dataclasses.replace(prompt, max_output_tokens=room)
    told = _TELL_ERROR.format(error=error.message)
    return dataclasses.replace(prompt, user=f"{prompt.user}\n\n{told}")


class Completions(ABC):
    """Stores the completions of a job's items unparsed, and logs each call with its cost."""

    def __init__(
        self,
        conversation_files: ObjectStore,
        records: GenerationLog,
        job: BatchJob,
        clock: Clock,
        spec: CompletionSpec = CONVERSATION_SPEC,
    ) -> None:
        self._files = conversation_files
        self._log = GroupCommit(records.add_log_entries, MAX_BATCH_WRITE)
        self._job = job
        self._clock = clock
        self._spec = spec
        self._cache = PrefixCache(job)

    @property
    def schema(self) -> dict[str, Any]:
        """What the answers follow."""
        return self._spec.schema

    @abstractmethod
    async def read(
        self,
        item: BatchItem,
        prompt: Prompt,
        read: Callable[[Completion], T],
        usage: Usage,
        answered: Callable[[], None],
    ) -> T:
        """Return what `read` makes of the item's answer, and count the answer in `usage`.

        Calls `answered` once an answer is stored. Raises ConversationRefusedError, ClaudeCallError,
        StorageError.
        """

    @abstractmethod
    def offer(self, item: BatchItem, prompt: Prompt, completion: Completion) -> None:
        """Let later jobs of the owner reuse the answer, where answers are remembered.

        The item has ended: what fails is only logged.
        """

    def _cost_micro_usd(self, completion: Completion) -> int:
        today = self._clock().date()
        return cost_micro_usd(recorded_model(self._job.model), completion, today)

    def _cache_saved_micro_usd(self, completion: Completion) -> int:
        today = self._clock().date()
        return cache_saved_micro_usd(recorded_model(self._job.model), completion, today)

    def _count(self, usage: Usage, completion: Completion, *, before: bool = False) -> None:
        """Count an answer; `before` says that the item's job has done so already."""
        cost, saved = self._cost_micro_usd(completion), self._cache_saved_micro_usd(completion)
        usage.add(completion, cost, saved, counted_before=before)

    def _affordable(
        self, item: BatchItem, prompt: Prompt, spent_micro_usd: int = 0
    ) -> Prompt | None:
        """The prompt with the room that the rest of a reservation pays for; None if too little."""
        if not item.reserved_micro_usd:
            return prompt
        left = item.reserved_micro_usd - spent_micro_usd
        room = affordable_room(prompt.size, self._job, left, self._clock().date())
        if room is None:
            return None
        room = min(room, prompt.max_output_tokens)
        return dataclasses.replace(prompt, max_output_tokens=room)

    def _marked(self, prompt: Prompt) -> Prompt:
        """The prompt as it is sent: what it shares with others is marked where that pays."""
        lifetime = self._cache.lifetime(_shared_characters(prompt))
        return dataclasses.replace(prompt, cached_for=lifetime)

    def _measure_completion(self, completion: Completion) -> None:
        measure("ClaudeCalls")
        measure("ClaudeFailing", 0)
        if not completion.batched:
            measure("ClaudeLatency", completion.duration_ms)
        measure("ClaudeInputTokens", completion.input_tokens)
        measure("ClaudeOutputTokens", completion.output_tokens)
        if not completion.simulated:
            measure("ClaudeCost", self._cost_micro_usd(completion) / 1e6)

    async def _logged(
        self, item: BatchItem, prompt: Prompt, completion: Completion, log_id: str
    ) -> Completion:
        await self._log.add(self._entry(item, prompt, log_id, completion))
        return completion

    def _store(
        self, item: BatchItem, completion: Completion, *, mending: bool, log_id: str = ""
    ) -> tuple[Completion, str]:
        """Store an answer of the item's attempt; `log_id` is of its log entry, "" for a new one."""
        key = self._key(item, item.attempts, mending)
        log_id = log_id or time_ordered_id(self._clock())
        self._files.put(
            key,
            completion.text,
            content_type="application/json",
            metadata={
                _COMPLETION: json.dumps(completion.metadata()),
                _LOG_ID: log_id,
            },
        )
        return dataclasses.replace(completion, object_key=key), log_id

    def stored(self, item: BatchItem) -> Usage:
        """Return what earlier attempts on the item have stored and no job has counted."""
        usage = Usage()
        for mending in (False, True):
            if found := self._find(item, mending=mending):
                self._count(usage, found[0])
        return usage

    def _find(self, item: BatchItem, *, mending: bool) -> tuple[Completion, str] | None:
        """What the latest of the earlier attempts stored, with the id of its log entry."""
        for attempt in range(min(item.attempts, MAX_TAKEOVERS) - 1, 0, -1):
            key = self._key(item, attempt, mending)
            if stored := self._files.get(key):
                described = json.loads(stored.metadata[_COMPLETION])
                completion = Completion(text=stored.text, **described, object_key=key)
                return completion, stored.metadata[_LOG_ID]
        return None

    def _key(self, item: BatchItem, attempt: int, mending: bool) -> str:
        identifier = self._spec.conversation_id(item)
        name = f"{self._spec.tag(item)}-{attempt}{_MENDING if mending else ''}"
        return self._spec.object_key(self._job.owner_id, identifier, name)

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
            max_tokens=prompt.max_output_tokens,
            status=status,
            retry_attempt=item.attempts - 1,
            duration_ms=completion.duration_ms if completion else 0,
            input_tokens=completion.input_tokens if completion else 0,
            output_tokens=completion.output_tokens if completion else 0,
            cost_micro_usd=self._cost_micro_usd(completion) if completion else 0,
            simulated=completion.simulated if completion else False,
            created_at=iso(made_at(log_id)),
            request=_compressed(prompt) if self._spec.keeps_request else None,
            response_id=completion.response_id if completion else None,
            stop_reason=completion.stop_reason if completion else None,
            error_code=error.reason if error else None,
            error_message=error.message if error else None,
            kind=self._spec.kind,
        )


class CompletionCache(Completions):
    """Requests each item's completion by a call of its own.

    A worker that claims an item after another worker died uses the stored completion: one
    generation of an item is not billed again once its completion is stored.
    """

    def __init__(
        self,
        claude: Claude,
        calls: CallLimit,
        conversation_files: ObjectStore,
        records: GenerationLog,
        answers: RequestKeys,
        job: BatchJob,
        clock: Clock,
        spec: CompletionSpec = CONVERSATION_SPEC,
    ) -> None:
        super().__init__(conversation_files, records, job, clock, spec)
        self._claude = claude
        self._calls = calls
        self._answers = answers

    async def read(
        self,
        item: BatchItem,
        prompt: Prompt,
        read: Callable[[Completion], T],
        usage: Usage,
        answered: Callable[[], None],
    ) -> T:
        """Request the answer, or use the stored one.

        After `answered` it goes on when the next call has begun, with the log of calls first. An
        answer that `read` refuses and that can be mended is asked for, and paid for, once more. A
        job that reuses answers takes one that the owner's earlier jobs were given to the same
        request. An item whose reservation does not pay for an answer raises
        ConversationRefusedError.
        """
        affordable = self._affordable(item, prompt, usage.cost_micro_usd)
        if affordable is None:
            raise ConversationRefusedError(
                "validation_error",
                "over_reservation",
                "The prompt is longer than what the job reserved for an item pays for.",
            )
        prompt = affordable
        try:
            return read(await self._complete(item, prompt, usage, answered))
        except ConversationRefusedError as error:
            mending = self._mending(item, prompt, usage, error)
            if mending is None:
                raise
            await self._require_call(item, error)
        return read(await self._complete(item, mending, usage, answered, mending=True))

    def _mending(
        self, item: BatchItem, prompt: Prompt, usage: Usage, error: ConversationRefusedError
    ) -> Prompt | None:
        """How an answer is mended; in a job with a cap, for what is left of its reservation."""
        mending = mending_prompt(prompt, usage.last, error) if usage.last else None
        return mending and self._affordable(item, mending, usage.cost_micro_usd)

    async def _require_call(self, item: BatchItem, refused: ConversationRefusedError) -> None:
        """Allow the call that mends an answer, else raise what becomes of the item."""
        if await asyncio.to_thread(self._find, item, mending=True):
            return
        if not self._calls.has_time:
            sentence = f"{refused.message} It is asked for again."
            raise ClaudeCallError(refused.reason, sentence, retryable=True, retry_after_s=0)
        if not await self._calls.wants_calls():
            raise refused

    async def _complete(
        self,
        item: BatchItem,
        prompt: Prompt,
        usage: Usage,
        answered: Callable[[], None],
        *,
        mending: bool = False,
    ) -> Completion:
        """Return the item's stored completion, or request one.

        Raises ClaudeCallError, StorageError.
        """
        found = None
        if 1 < item.attempts <= MAX_TAKEOVERS:
            found = await asyncio.to_thread(self._find, item, mending=mending)
        if found is None:
            if item.attempts > MAX_ATTEMPTS:
                raise ClaudeCallError("workers_lost", "Every worker that claimed the item died.")
            completion = None
            if self._job.reuse and not mending:
                completion = await asyncio.to_thread(self._earlier, item, prompt)
            completion = completion or await self._request(item, prompt)
            found = await asyncio.to_thread(self._store, item, completion, mending=mending)
        answered()
        await self._calls.filled.wait()
        stored, log_id = found
        # What the economy lane answered before the job changed lanes was counted there.
        self._count(usage, stored, before=stored.batched)
        if stored.reused:
            return stored  # There was no call to log.
        # Also one that was found: its worker may have died before it wrote the log entry.
        return await self._logged(item, prompt, stored, log_id)

    def _earlier(self, item: BatchItem, prompt: Prompt) -> Completion | None:
        """The answer that an earlier job of the owner paid for; None if there is none any more."""
        now, request = self._clock(), self._request_name(item, prompt)
        key = self._answers.find(self._job.owner_id, request, _ANSWER, now)
        stored = self._files.get(key) if key else None
        if stored is None:
            return None
        return Completion(text=stored.text, **json.loads(stored.metadata[_COMPLETION])).again()

    def offer(self, item: BatchItem, prompt: Prompt, completion: Completion) -> None:
        """Remember where the answer lies, by what was asked."""
        now, key = self._clock(), completion.object_key
        try:
            name = (self._job.owner_id, self._request_name(item, prompt), _ANSWER)
            earlier = self._answers.job_for(*name, key, now)
            if earlier != key:
                self._answers.rebind(*name, key, earlier, now)
        except BrightRunError as error:
            logger().warning("answer_not_offered", item_id=item.item_id, error_code=error.code)

    def _request_name(self, item: BatchItem, prompt: Prompt) -> str:
        """What the item is asked with, and which of the items asked with the same it is."""
        request = self._claude.fingerprint(prompt, schema=self._spec.schema)
        return f"answer {item.variation} to {request}"

    async def _request(self, item: BatchItem, prompt: Prompt) -> Completion:
        """Call Claude, again after each refusal that is worth waiting for; raises ClaudeCallError.

        The item stays leased meanwhile, so that waiting writes nothing but the log of calls.
        """
        refusals = 0
        while True:
            try:
                shared = _shared_characters(prompt)
                async with (
                    self._cache.turn(prompt.template_id, shared),
                    self._calls.call() as call,
                ):
                    completion = await self._claude.complete(
                        self._marked(prompt), schema=self._spec.schema
                    )
                    call.near_limit = completion.near_limit
            except ClaudeCallError as error:
                measure_failure(item, error)
                log_id = time_ordered_id(self._clock())
                await self._log.add(self._entry(item, prompt, log_id, None, error))
                refusals += 1
                if not await self._calls.wait_to_repeat(error, refusals):
                    raise
            else:
                self._measure_completion(completion)
                self._note_cache(completion)
                return completion

    def _note_cache(self, completion: Completion) -> None:
        if completion.marked:
            self._cache.note(
                completion.cache_read_tokens,
                completion.cache_write_tokens,
                self._cache_saved_micro_usd(completion),
            )


def _shared_characters(prompt: Prompt) -> int | None:
    """How long the start is that other prompts share, system prompt included; None: not known."""
    known = prompt.shared_characters
    return None if known is None else len(prompt.system) + known


def measure_failure(item: BatchItem, error: ClaudeCallError) -> None:
    """Count a call that failed, and log why."""
    measure("ClaudeCalls")
    measure("ClaudeFailing", 100)
    measure("ClaudeThrottled" if error.overloaded else "ClaudeFailures")
    logger().warning("claude_call_failed", reason=error.reason, item_id=item.item_id)


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
