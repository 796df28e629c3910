"""Describes a conversation that was just written, as its row."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.domain import object_keys
from brightrun.domain.batch import BatchItem, BatchJob
from brightrun.domain.batch_plan import BatchPlan
from brightrun.domain.claude import Completion
from brightrun.domain.conversation import RawConversation
from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.ids import conversation_id


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
