"""A stored conversation and everything that enriches it, in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from brightrun.batches.plan import BatchPlan, PlanScaffoldingResolver
from brightrun.conversations.enrichment.pipeline import ConversationEnricher
from brightrun.conversations.model import ConversationRecord
from tests import builders as build
from tests.builders import OWNER, SteppedClock
from tests.fakes.conversations import InMemoryConversations, a_record
from tests.fakes.external_services import InMemoryObjects

PROMPT = "The prompt that was used for this conversation, and for no other one. " * 2


def a_plan() -> BatchPlan:
    """The plan of one conversation, by a consultant with a prompt of her own."""
    plan = build.a_plan(1).plan
    consultant = plan.consultant.model_copy(update={"system_prompt": PROMPT})
    return plan.model_copy(update={"consultant": consultant})


@dataclass
class Workshop:
    files: InMemoryObjects = field(default_factory=InMemoryObjects)
    plans: InMemoryObjects = field(default_factory=InMemoryObjects)
    rows: InMemoryConversations = field(default_factory=InMemoryConversations)
    clock: SteppedClock = field(default_factory=SteppedClock)
    plan: BatchPlan = field(default_factory=a_plan)

    def __post_init__(self) -> None:
        key = f"{self.plan.job_id}/plan.json"
        self.plans.put(key, self.plan.model_dump_json(), content_type="application/json")

    def enricher(self, **changes: Any) -> ConversationEnricher:
        parts = {
            "conversations": self.rows,
            "conversation_files": self.files,
            "scaffolds": PlanScaffoldingResolver(self.plans, self.files),
            "clock": self.clock,
        }
        return ConversationEnricher(**{**parts, **changes})

    def store(
        self, document: Any = None, conversation_id: str = "conversation-1", **changes: Any
    ) -> ConversationRecord:
        """Store a conversation of the job as the worker does."""
        fields = {
            "batch_job_id": self.plan.job_id,
            "persona_id": next(iter(self.plan.personas)),
            "emotional_arc_id": next(iter(self.plan.emotional_arcs)),
            "training_topic_id": next(iter(self.plan.training_topics)),
            "template_id": next(iter(self.plan.templates)),
            **changes,
        }
        record = a_record(conversation_id, **fields)
        text = json.dumps(document or build.a_conversation(4), ensure_ascii=False)
        self.files.put(record.file_path, text, content_type="application/json")
        self.rows.add(record)
        return record

    def row(self, conversation_id: str = "conversation-1") -> ConversationRecord:
        return self.rows.conversation(OWNER, conversation_id)

    def enriched(self, conversation_id: str = "conversation-1") -> dict[str, Any]:
        path = self.row(conversation_id).enriched_file_path
        document: dict[str, Any] = json.loads(self.files.objects[str(path)].text)
        return document
