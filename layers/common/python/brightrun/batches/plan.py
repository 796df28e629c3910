"""The plan of a job: its scaffolding as it was when the job was created (plan.json)."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from pydantic import BaseModel, ConfigDict

from brightrun.aws.objects import ObjectStore
from brightrun.batches.model import BatchItem
from brightrun.claude.model import Prompt
from brightrun.conversations.enrichment.model import Scaffold
from brightrun.conversations.model import ConversationRecord, imported_snapshot
from brightrun.core import object_keys
from brightrun.core.errors import StorageError
from brightrun.core.languages import ENGLISH
from brightrun.scaffolding.builtin import builtin_records, records_of_all_domains
from brightrun.scaffolding.matching import Choices, check_compatibility
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    R,
    TrainingTopic,
)
from brightrun.scaffolding.prompts import PromptContext, assemble_prompt


class BatchPlan(BaseModel):
    """Every record that the items of a job refer to, by id; a worker reads it once from S3."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    job_id: str
    model: str
    language: str = ENGLISH
    consultant: Consultant
    personas: dict[str, Persona]
    emotional_arcs: dict[str, EmotionalArc]
    training_topics: dict[str, TrainingTopic]
    templates: dict[str, PromptTemplate]
    shared_characters: dict[str, int] = {}
    """By template, how long the start is that all its user prompts in the job share."""

    @property
    def most_shared(self) -> int:
        """Characters of the longest start that prompts share, system prompt included."""
        return len(self.consultant.system_prompt) + max(self.shared_characters.values(), default=0)

    def ingredients(self, item: BatchItem) -> PromptContext:
        """The records of one item."""
        return PromptContext(
            persona=self.personas[item.persona_id],
            arc=self.emotional_arcs[item.emotional_arc_id],
            topic=self.training_topics[item.training_topic_id],
            consultant=self.consultant,
            tier=item.tier,  # type: ignore[arg-type]
            language=self.language,
        )

    def prompt(self, item: BatchItem) -> Prompt:
        """The prompt of one item; raises UnresolvedPlaceholderError."""
        prompt = assemble_prompt(
            self.templates[item.template_id],
            self.ingredients(item),
            seed=":".join(item.combination),
            variation=item.variation,
        )
        shared = self.shared_characters.get(item.template_id)
        return dataclasses.replace(prompt, shared_characters=shared)

    def snapshot(self, record: ConversationRecord) -> dict[str, Any]:
        """The `scaffolding_snapshot` of one of the job's conversations, in v1's format."""
        persona = self.personas[record.persona_id]
        arc = self.emotional_arcs[record.emotional_arc_id]
        topic = self.training_topics[record.training_topic_id]
        template = self.templates[record.template_id]
        return {
            "persona": {
                "id": persona.id,
                "name": persona.name,
                "persona_key": persona.persona_key,
                "archetype": persona.archetype,
                "emotional_baseline": persona.emotional_baseline,
            },
            "emotional_arc": {
                "id": arc.id,
                "name": arc.name,
                "arc_key": arc.arc_key,
                "starting_emotion": arc.starting_emotion,
                "ending_emotion": arc.ending_emotion,
            },
            "training_topic": {
                "id": topic.id,
                "name": topic.name,
                "topic_key": topic.topic_key,
                "complexity_level": topic.complexity_level,
            },
            "template": {
                "id": template.id,
                "name": template.template_name,
                "version": template.version,
                "category": template.category,
            },
            "generation_timestamp": record.created_at,
            "scaffolding_version": "1.0",
            "compatibility_score": check_compatibility(persona, arc, topic, Choices()).confidence,
            "system_prompt": self.consultant.system_prompt,
        }

    def input_parameters(self, item: BatchItem) -> dict[str, str]:
        """The nine `input_parameters` of conversation.json."""
        used = self.ingredients(item)
        return {
            "persona_id": used.persona.id,
            "persona_key": used.persona.persona_key,
            "persona_name": used.persona.name,
            "emotional_arc_id": used.arc.id,
            "emotional_arc_key": used.arc.arc_key,
            "emotional_arc_name": used.arc.name,
            "training_topic_id": used.topic.id,
            "training_topic_key": used.topic.topic_key,
            "training_topic_name": used.topic.name,
        }

    def client_persona(self, item: BatchItem) -> str:
        """The client's name and archetype, as v1 writes them in its files."""
        persona = self.personas[item.persona_id]
        return f"{persona.name} - {persona.archetype}"


_MAX_CACHED_PLANS = 8


class PlanScaffoldingResolver:
    """Finds the scaffolding of stored conversations; caches plans, and is thread-safe."""

    def __init__(self, plans: ObjectStore, conversation_files: ObjectStore) -> None:
        self._plans = plans
        self._conversation_files = conversation_files
        self._plans_by_job: dict[str, BatchPlan] = {}

    def resolve(self, record: ConversationRecord) -> Scaffold:
        """Return the scaffolding as it was when the conversation was planned.

        An imported conversation has no plan: its keys are looked up among the built-in records,
        and a key that is not found gives None. Raises StorageError.
        """
        if not record.batch_job_id:
            return _builtin_scaffold(record, self._imported(record).get("system_prompt"))
        plan = self._plan(record.batch_job_id)
        if plan is None:
            raise StorageError("GetObject", "the plan of the conversation's job is missing")
        return Scaffold(
            consultant=plan.consultant,
            system_prompt=plan.consultant.system_prompt,
            persona=plan.personas[record.persona_id],
            arc=plan.emotional_arcs[record.emotional_arc_id],
            topic=plan.training_topics[record.training_topic_id],
            template=plan.templates[record.template_id],
            language=plan.language,
        )

    def snapshot(self, record: ConversationRecord) -> dict[str, Any]:
        """The scaffolding in v1's format; empty if the plan or the source is gone.

        Raises StorageError.
        """
        if not record.batch_job_id:
            return self._imported(record)
        plan = self._plan(record.batch_job_id)
        return plan.snapshot(record) if plan else {}

    def _imported(self, record: ConversationRecord) -> dict[str, Any]:
        stored = self._conversation_files.get(record.raw_response_path)
        return imported_snapshot(json.loads(stored.text)) if stored else {}

    def _plan(self, job_id: str) -> BatchPlan | None:
        plan = self._plans_by_job.get(job_id)
        if plan is None and (stored := self._plans.get(object_keys.batch_plan(job_id))):
            plan = BatchPlan.model_validate_json(stored.text)
            if len(self._plans_by_job) >= _MAX_CACHED_PLANS:
                self._plans_by_job = {}
            self._plans_by_job[job_id] = plan
        return plan


def _builtin_scaffold(record: ConversationRecord, system_prompt: str | None) -> Scaffold:
    persona = _by_key(Persona, record.persona_key)
    arc = _by_key(EmotionalArc, record.emotional_arc_key)
    topic = _by_key(TrainingTopic, record.training_topic_key)
    known = topic or arc or persona
    consultants = (
        builtin_records(Consultant, known.domain) if known else builtin_records(Consultant)
    )
    consultant = consultants[0]
    return Scaffold(
        consultant=consultant,
        system_prompt=system_prompt or consultant.system_prompt,
        persona=persona,
        arc=arc,
        topic=topic,
    )


def _by_key(record_type: type[R], key: str) -> R | None:
    return next((one for one in records_of_all_domains(record_type) if one.key == key), None)
