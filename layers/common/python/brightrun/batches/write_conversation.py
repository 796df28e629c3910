"""Generates one conversation: request a completion, validate it, store it, complete the item."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from brightrun.aws.objects import ObjectStore
from brightrun.batches import log as batch_log
from brightrun.batches.ask_claude import Completions
from brightrun.batches.claim_repository import Outcome
from brightrun.batches.finalize_item import FailureRecorder, Fault, ItemFinalizer
from brightrun.batches.model import BatchItem, BatchJob, ItemStatus
from brightrun.batches.plan import BatchPlan
from brightrun.claude.model import Completion, Prompt, Usage, require_end_turn
from brightrun.conversations.model import (
    ConversationRecord,
    RawConversation,
    parsed_document,
    read_conversation,
)
from brightrun.core import object_keys
from brightrun.core.errors import (
    ClaudeCallError,
    ConversationRefusedError,
    RecordTooLargeError,
)
from brightrun.core.ids import conversation_id
from brightrun.core.json_text import indented
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
    usage: Usage,
    now: str,
) -> ConversationRecord:
    """Create a conversation's record; `ending_emotion` is that of the client's last turn.

    Tokens and cost are those of all answers that were paid for it.
    """
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
        variation=item.variation,
        tier=item.tier,
        turn_count=len(conversation.turns),
        starting_emotion=conversation.turns[0].emotional_context.primary_emotion,
        ending_emotion=conversation.turns[-2].emotional_context.primary_emotion,
        file_path=stored.path,
        file_size=stored.size,
        raw_response_path=completion.object_key,
        raw_response_size=len(completion.text.encode("utf-8")),
        model=completion.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_micro_usd=usage.cost_micro_usd,
        simulated=usage.simulated,
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
    completions: Completions
    conversation_files: ObjectStore
    failures: FailureRecorder
    clock: Clock
    enrich: Callable[[ConversationRecord, str], ConversationRecord]
    discard: Callable[[ConversationRecord], None]

    async def process(self, item: BatchItem, answered: Callable[[], None]) -> float | None:
        """Generate, validate and store the item's conversation, or fail or requeue the item."""
        prompt, usage = self.plan.prompt(item), Usage()
        try:
            conversation, completion = await self.completions.read(
                item, prompt, partial(self.validated, item), usage, answered
            )
        except ClaudeCallError as error:
            return await self._call_failed(item, prompt, usage, error)
        except ConversationRefusedError as error:
            await self._fail(item, prompt, usage, Fault.of(error))
            return None
        outcome = await asyncio.to_thread(self._store, item, conversation, completion, usage)
        await self._end(item, prompt, usage, outcome)
        return None

    async def _end(self, item: BatchItem, prompt: Prompt, usage: Usage, outcome: Outcome) -> None:
        """Complete the item with its conversation; one that is not stored leaves no objects."""
        record = outcome.conversation
        if record is None:
            return
        try:
            completed = await self.finalizer.complete(item, outcome)
        except RecordTooLargeError as error:
            await asyncio.to_thread(self.discard, record)
            fault = Fault("validation_error", error.code, error.message)
            await self._fail(item, prompt, usage, fault)
            return
        if not completed:
            await asyncio.to_thread(self.discard, record)
        elif usage.last is not None and not usage.reused:
            await asyncio.to_thread(self.completions.offer, item, prompt, usage.last)

    def validated(
        self, item: BatchItem, completion: Completion
    ) -> tuple[RawConversation, Completion]:
        """The conversation of an item's answer; raises ConversationRefusedError."""
        require_end_turn(completion)
        arc = self.plan.emotional_arcs[item.emotional_arc_id]
        conversation = read_conversation(
            completion.text,
            min_exchanges=arc.typical_turn_count_min,
            max_exchanges=arc.typical_turn_count_max,
        )
        return conversation, completion

    async def _call_failed(
        self, item: BatchItem, prompt: Prompt, usage: Usage, error: ClaudeCallError
    ) -> float | None:
        if not self.finalizer.is_final(item, error):
            return await self.finalizer.requeue(item, error, usage)
        fault = Fault("api_error", error.reason, error.message, fatal=error.fatal)
        await self._fail(item, prompt, usage, fault)
        return None

    async def _fail(self, item: BatchItem, prompt: Prompt, usage: Usage, fault: Fault) -> None:
        failure = await asyncio.to_thread(self.failures.record, item, prompt, usage.last, fault)
        await self.finalizer.fail(item, fault, usage=usage, failure=failure)

    def _store(
        self,
        item: BatchItem,
        conversation: RawConversation,
        completion: Completion,
        usage: Usage,
    ) -> Outcome:
        conversation_key = conversation_id(item.item_id)
        document = parsed_document(
            completion.text,
            client_persona=self.plan.client_persona(item),
            input_parameters=self.plan.input_parameters(item),
        )
        attempt = f"{item.generation}-{item.attempts}"
        path = object_keys.parsed_conversation(self.job.owner_id, conversation_key, attempt)
        body = indented(document)
        size = self.conversation_files.put(path, body, content_type="application/json")
        record = conversation_record(
            self.job,
            self.plan,
            item,
            conversation,
            completion,
            stored=StoredFile(path, size),
            usage=usage,
            now=iso(self.clock()),
        )
        record = self._enriched(record, body)
        line = batch_log.item_completed(item.item_id, conversation_key, reused=usage.reused)
        return Outcome(
            status=ItemStatus.COMPLETED,
            lines=[self.finalizer.line(item, line)],
            **usage.due(),
            conversation=record,
        )

    def _enriched(self, record: ConversationRecord, body: str) -> ConversationRecord:
        """Enrich the record before it is written, so that it is written once.

        A stage that fails is recorded on it. Whatever else happens, the conversation is paid for
        and stays: it is listed unenriched, and the sweep at the end of the job tries once more.
        """
        try:
            return self.enrich(record, body)
        except Exception as error:
            logger().warning(
                "not_enriched", error_type=type(error).__name__, item_id=record.item_id
            )
            return record
