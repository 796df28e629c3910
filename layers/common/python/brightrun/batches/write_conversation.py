"""Writes one conversation: ask Claude, check the answer, store it, and end the item."""

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
from brightrun.claude.model import Completion, Prompt, require_whole_answer
from brightrun.conversations.model import (
    ConversationRecord,
    RawConversation,
    parsed_document,
    read_conversation,
)
from brightrun.core import object_keys
from brightrun.core.errors import BrightRunError, ClaudeCallError, ConversationRefusedError
from brightrun.core.ids import conversation_id
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock, iso


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where the parsed conversation lies, and its size in bytes."""

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
    """Make the row of a conversation; the client's last feeling is that of the last user turn."""
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
        raw_response_path=object_keys.raw_response(job.owner_id, key),
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
    """Everything that writing the items of one job needs."""

    job: BatchJob
    plan: BatchPlan
    ends: ItemFinalizer
    answers: CompletionCache
    conversation_files: ObjectStore
    failures: FailureRecorder
    clock: Clock
    after_stored: Callable[[ConversationRecord], object]

    async def write(self, item: BatchItem) -> float | None:
        """Bring a leased item to its end, or put it back to be tried again.

        Gives the seconds for which nobody should call Claude, where Claude said so. A lease lost
        on the way is no error: the item is another worker's, who finds our stored answer.
        """
        prompt = self.plan.prompt(item)
        completion: Completion | None = None
        try:
            completion = await self.answers.answer(item, prompt)
            conversation = self._checked(item, completion)
        except ClaudeCallError as error:
            return await self._call_failed(item, prompt, error)
        except ConversationRefusedError as error:
            fault = Fault(error.failure_type, error.reason, error.message, error.pattern)
            await self._fail(item, prompt, completion, fault)
            return None
        outcome = await asyncio.to_thread(self._store, item, conversation, completion)
        if await self.ends.complete(item, outcome) and outcome.conversation is not None:
            await asyncio.to_thread(self._follow_up, outcome.conversation)
        return None

    def _checked(self, item: BatchItem, completion: Completion) -> RawConversation:
        require_whole_answer(completion)
        arc = self.plan.emotional_arcs[item.emotional_arc_id]
        return read_conversation(
            completion.text,
            min_exchanges=arc.typical_turn_count_min,
            max_exchanges=arc.typical_turn_count_max,
        )

    async def _call_failed(
        self, item: BatchItem, prompt: Prompt, error: ClaudeCallError
    ) -> float | None:
        if not self.ends.is_final(item, error):
            return await self.ends.requeue(item, error)
        fault = Fault("api_error", error.reason, error.message, fatal=error.fatal)
        await self._fail(item, prompt, None, fault)
        return None

    async def _fail(
        self, item: BatchItem, prompt: Prompt, completion: Completion | None, fault: Fault
    ) -> None:
        failure = await asyncio.to_thread(self.failures.record, item, prompt, completion, fault)
        cost = self.answers.cost_micro_usd(completion) if completion else 0
        await self.ends.fail(
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
        path = object_keys.parsed_conversation(self.job.owner_id, conversation_key)
        body = json.dumps(document, ensure_ascii=False, indent=2)
        size = self.conversation_files.put(path, body, content_type="application/json")
        record = conversation_record(
            self.job,
            self.plan,
            item,
            conversation,
            completion,
            stored=StoredFile(path, size),
            cost_micro_usd=self.answers.cost_micro_usd(completion),
            now=iso(self.clock()),
        )
        line = batch_log.item_completed(item.item_id, conversation_key)
        return Outcome(
            status=ItemStatus.COMPLETED,
            lines=[self.ends.line(item, line)],
            input_tokens=completion.input_tokens,
            output_tokens=completion.output_tokens,
            cost_micro_usd=record.cost_micro_usd,
            simulated=completion.simulated,
            conversation=record,
        )

    def _follow_up(self, record: ConversationRecord) -> None:
        """Do what follows a stored conversation; the item is done, so nothing here can fail it."""
        try:
            self.after_stored(record)
        except BrightRunError as error:
            logger().warning("follow_up_left_undone", code=error.code, item_id=record.item_id)
