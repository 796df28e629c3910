"""Generates one conversation: request a completion, validate it, store it, complete the item."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass

from brightrun.aws.objects import ObjectStore
from brightrun.batches import log as batch_log
from brightrun.batches.ask_claude import CompletionCache
from brightrun.batches.claim_repository import Outcome
from brightrun.batches.finalize_item import FailureRecorder, Fault, ItemFinalizer
from brightrun.batches.model import BatchItem, BatchJob, ItemStatus
from brightrun.batches.plan import BatchPlan
from brightrun.claude.model import Completion, Prompt, require_end_turn
from brightrun.conversations.model import (
    ConversationRecord,
    RawConversation,
    parsed_document,
    read_conversation,
)
from brightrun.core import object_keys
from brightrun.core.errors import (
    BrightRunError,
    ClaudeCallError,
    ConversationRefusedError,
    RecordTooLargeError,
)
from brightrun.core.ids import conversation_id
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock, iso


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The object key of the parsed conversation, and its size in bytes."""

    path: str
    size: int


def conversation_record(
    job: BatchJob,
    plan: BatchPlan,
    item: BatchItem,
    conversation: RawConversation,
    completion: Completion,
    *,
    stored: StoredFile,
    cost_micro_usd: int,
    now: str,
) -> ConversationRecord:
    """Create a conversation's record; `ending_emotion` is that of the client's last turn."""
    key = conversation_id(item.item_id)
    return ConversationRecord(
        owner_id=job.owner_id,
        conversation_id=key,
        conversation_name=plan.client_persona(item),
        batch_job_id=job.job_id,
        item_id=item.item_id,
        persona_id=item.persona_id,
        persona_key=item.persona_key,
        emotional_arc_id=item.emotional_arc_id,
        emotional_arc_key=item.emotional_arc_key,
        training_topic_id=item.training_topic_id,
        training_topic_key=item.training_topic_key,
        template_id=item.template_id,
        tier=item.tier,
        turn_count=len(conversation.turns),
        starting_emotion=conversation.turns[0].emotional_context.primary_emotion,
        ending_emotion=conversation.turns[-2].emotional_context.primary_emotion,
        file_path=stored.path,
        file_size=stored.size,
        raw_response_path=completion.object_key,
        raw_response_size=len(completion.text.encode("utf-8")),
        model=completion.model,
        input_tokens=completion.input_tokens,
        output_tokens=completion.output_tokens,
        cost_micro_usd=cost_micro_usd,
        simulated=completion.simulated,
        scaffolding_snapshot=plan.snapshot(item, now),
        created_at=now,
        updated_at=now,
        created_by=job.owner_id,
    )


@dataclass(frozen=True, slots=True)
class ConversationWriter:
    """Processes the items of a generation job; implements `ItemProcessor`."""

    job: BatchJob
    plan: BatchPlan
    finalizer: ItemFinalizer
    completions: CompletionCache
    conversation_files: ObjectStore
    failures: FailureRecorder
    clock: Clock
    after_stored: Callable[[ConversationRecord], object]
    discard: Callable[[ConversationRecord], None]

    async def process(self, item: BatchItem) -> float | None:
        """Generate, validate and store the item's conversation, or fail or requeue the item."""
        prompt = self.plan.prompt(item)
        completion: Completion | None = None
        try:
            completion = await self.completions.complete(item, prompt)
            conversation = self._validated(item, completion)
        except ClaudeCallError as error:
            return await self._call_failed(item, prompt, error)
        except ConversationRefusedError as error:
            await self._fail(item, prompt, completion, Fault.of(error))
            return None
        outcome = await asyncio.to_thread(self._store, item, conversation, completion)
        await self._end(item, prompt, completion, outcome)
        return None

    async def _end(
        self, item: BatchItem, prompt: Prompt, completion: Completion, outcome: Outcome
    ) -> None:
        """Complete the item with its conversation; one that is not stored leaves no file."""
        record = outcome.conversation
        if record is None:
            return
        try:
            completed = await self.finalizer.complete(item, outcome)
        except RecordTooLargeError as error:
            await asyncio.to_thread(self.discard, record)
            fault = Fault("validation_error", error.code, error.message)
            await self._fail(item, prompt, completion, fault)
            return
        after = self._run_after_stored if completed else self.discard
        await asyncio.to_thread(after, record)

    def _validated(self, item: BatchItem, completion: Completion) -> RawConversation:
        require_end_turn(completion)
        arc = self.plan.emotional_arcs[item.emotional_arc_id]
        return read_conversation(
            completion.text,
            min_exchanges=arc.typical_turn_count_min,
            max_exchanges=arc.typical_turn_count_max,
        )

    async def _call_failed(
        self, item: BatchItem, prompt: Prompt, error: ClaudeCallError
    ) -> float | None:
        if not self.finalizer.is_final(item, error):
            return await self.finalizer.requeue(item, error)
        fault = Fault("api_error", error.reason, error.message, fatal=error.fatal)
        await self._fail(item, prompt, None, fault)
        return None

    async def _fail(
        self, item: BatchItem, prompt: Prompt, completion: Completion | None, fault: Fault
    ) -> None:
        failure = await asyncio.to_thread(self.failures.record, item, prompt, completion, fault)
        cost = self.completions.cost_micro_usd(completion) if completion else 0
        await self.finalizer.fail(
            item, fault, completion=completion, cost_micro_usd=cost, failure=failure
        )

    def _store(
        self, item: BatchItem, conversation: RawConversation, completion: Completion
    ) -> Outcome:
        conversation_key = conversation_id(item.item_id)
        document = parsed_document(
            completion.text,
            client_persona=self.plan.client_persona(item),
            input_parameters=self.plan.input_parameters(item),
        )
        attempt = f"{item.generation}-{item.attempts}"
        path = object_keys.parsed_conversation(self.job.owner_id, conversation_key, attempt)
        body = json.dumps(document, ensure_ascii=False, indent=2)
        size = self.conversation_files.put(path, body, content_type="application/json")
        record = conversation_record(
            self.job,
            self.plan,
            item,
            conversation,
            completion,
            stored=StoredFile(path, size),
            cost_micro_usd=self.completions.cost_micro_usd(completion),
            now=iso(self.clock()),
        )
        line = batch_log.item_completed(item.item_id, conversation_key)
        return Outcome(
            status=ItemStatus.COMPLETED,
            lines=[self.finalizer.line(item, line)],
            input_tokens=completion.input_tokens,
            output_tokens=completion.output_tokens,
            cost_micro_usd=record.cost_micro_usd,
            simulated=completion.simulated,
            conversation=record,
        )

    def _run_after_stored(self, record: ConversationRecord) -> None:
        """Call `after_stored`; the item is completed, so an error is only logged."""
        try:
            self.after_stored(record)
        except BrightRunError as error:
            logger().warning("after_stored_failed", code=error.code, item_id=record.item_id)
