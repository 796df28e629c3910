"""Judges one conversation: request Claude's verdicts, store them as advice, complete the item."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from brightrun.aws.objects import ObjectStore
from brightrun.batches import log as batch_log
from brightrun.batches.ask_claude import CompletionCache
from brightrun.batches.claim_repository import Outcome
from brightrun.batches.finalize_item import Fault, ItemFinalizer
from brightrun.batches.model import MAX_TAKEOVERS, BatchItem, BatchJob, ItemStatus
from brightrun.batches.plan import PlanScaffoldingResolver
from brightrun.claude.model import Completion, Prompt, Usage, require_end_turn
from brightrun.conversations.emotions import declared_arc
from brightrun.conversations.model import ConversationRecord, version_conflict
from brightrun.conversations.quality.judgement import (
    JudgeCall,
    Verdict,
    current_rubric,
    judge_prompt,
    judged_by,
    judgement,
    read_verdicts,
)
from brightrun.conversations.repository import ConversationRepository
from brightrun.core.errors import (
    BrightRunError,
    ClaudeCallError,
    ConversationRefusedError,
    NotFoundError,
    StorageError,
    VersionConflictError,
)
from brightrun.core.timestamps import Clock, iso

_MAX_WRITES = 5
"""Attempts to store a judgement on a conversation that keeps changing, before the item fails."""
_WORKERS_LOST = Fault("api_error", "workers_lost", "Every worker that claimed the item died.")


@dataclass(frozen=True, slots=True)
class JudgementWriter:
    """Processes the items of a judgement job; implements `ItemProcessor`.

    A judgement is advice: only the record's `judgement` changes, and an item that fails leaves its
    conversation unchanged.
    """

    job: BatchJob
    finalizer: ItemFinalizer
    completions: CompletionCache
    conversations: ConversationRepository
    conversation_files: ObjectStore
    scaffolds: PlanScaffoldingResolver
    clock: Clock

    async def process(self, item: BatchItem, answered: Callable[[], None]) -> float | None:
        """Judge the item's conversation and store the judgement, or fail or requeue the item."""
        if item.attempts > MAX_TAKEOVERS:
            await self.finalizer.fail(item, _WORKERS_LOST)
            return None
        usage = Usage()
        try:
            record = await asyncio.to_thread(self._record, item)
            if judged_by(record, current_rubric()) is not None:
                # Its worker died before it completed the item, or another job was faster.
                await self._complete(item, await asyncio.to_thread(self._uncounted, item, record))
                return None
            prompt = await asyncio.to_thread(self._prompt, record)
            verdicts = await self.completions.read(item, prompt, _verdicts, usage, answered)
            advice = judgement(verdicts, current_rubric(), record, self._paid(usage))
            await asyncio.to_thread(self._store, record, advice)
        except ClaudeCallError as error:
            if not self.finalizer.is_final(item, error):
                return await self.finalizer.requeue(item, error)
            fault = Fault("api_error", error.reason, error.message, fatal=error.fatal)
            await self.finalizer.fail(item, fault, usage=usage)
        except StorageError:
            raise  # After the lease, another worker uses the stored completion.
        except BrightRunError as error:
            await self._fail(item, usage, error)
        else:
            await self._complete(item, usage)
        return None

    def _record(self, item: BatchItem) -> ConversationRecord:
        record_id = item.conversation_id or ""
        return self.conversations.conversation(self.job.owner_id, record_id)

    def _prompt(self, record: ConversationRecord) -> Prompt:
        stored = self.conversation_files.get(record.file_path)
        if stored is None:
            raise NotFoundError("conversation file", record.conversation_id)
        document: dict[str, Any] = json.loads(stored.text)
        scaffold = self.scaffolds.resolve(record)
        rubric = current_rubric(scaffold.subject.domain)
        return judge_prompt(rubric, document, declared_arc(scaffold.arc))

    def _paid(self, usage: Usage) -> JudgeCall:
        return JudgeCall(
            usage=usage,
            judge=self.job.model,
            job_id=self.job.job_id,
            judged_at=iso(self.clock()),
        )

    def _uncounted(self, item: BatchItem, record: ConversationRecord) -> Usage:
        """What this item's stored answers used, which its job has not counted; else nothing."""
        if record.judgement is None or record.judgement["job_id"] != self.job.job_id:
            return Usage()
        return self.completions.stored(item)

    def _store(self, seen: ConversationRecord, advice: dict[str, Any]) -> None:
        """Store the advice on the record, keeping concurrent changes.

        Raises VersionConflictError if the text was changed, or the record keeps changing.
        """
        record = seen
        for _ in range(_MAX_WRITES):
            if record.file_path != seen.file_path:
                break
            judged = dataclasses.replace(record, judgement=advice)
            try:
                self.conversations.replace(judged, record.version)
            except VersionConflictError:
                record = self.conversations.conversation(seen.owner_id, seen.conversation_id)
            else:
                return
        raise version_conflict(record)

    async def _complete(self, item: BatchItem, usage: Usage) -> None:
        outcome = Outcome(
            status=ItemStatus.COMPLETED,
            lines=[
                self.finalizer.line(
                    item, batch_log.item_judged(item.item_id, item.conversation_id or "")
                )
            ],
            **usage.due(),
        )
        await self.finalizer.complete(item, outcome)

    async def _fail(self, item: BatchItem, usage: Usage, error: BrightRunError) -> None:
        reason = error.reason if isinstance(error, ConversationRefusedError) else error.code
        fault = Fault("validation_error", reason, error.message)
        if isinstance(error, NotFoundError):  # deleted while Claude judged it
            for answer in usage.answers:
                await asyncio.to_thread(self.conversation_files.remove, answer.object_key)
        await self.finalizer.fail(item, fault, usage=usage)


def _verdicts(completion: Completion) -> Mapping[str, Verdict]:
    require_end_turn(completion)
    return read_verdicts(completion.text, current_rubric())
