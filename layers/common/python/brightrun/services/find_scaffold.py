"""Finds what a conversation was made from: its job's plan, or built-in records by their keys."""

from __future__ import annotations

from brightrun.domain import object_keys
from brightrun.domain.batch_plan import BatchPlan
from brightrun.domain.builtin_scaffolding import builtin_records
from brightrun.domain.conversation_record import ConversationRecord
from brightrun.domain.enriched_document import Scaffold
from brightrun.domain.scaffolding import Consultant, EmotionalArc, Persona, R, TrainingTopic
from brightrun.errors import StorageError
from brightrun.ports import ObjectStore

_KEPT_PLANS = 8


class ScaffoldFinder:
    """Reads a job's plan once for all its conversations; safe to share between threads."""

    def __init__(self, plans: ObjectStore) -> None:
        self._plans = plans
        self._read: dict[str, BatchPlan] = {}

    def of(self, record: ConversationRecord) -> Scaffold:
        """Give the scaffolding as it was when the conversation was planned.

        An imported conversation has no plan: what the built-in records say about its keys is
        taken, and nothing for a key that they do not know. Raises StorageError.
        """
        if not record.batch_job_id:
            return _of_keys(record)
        plan = self._plan(record.batch_job_id)
        return Scaffold(
            consultant=plan.consultant,
            system_prompt=record.scaffolding_snapshot["system_prompt"],
            persona=plan.personas[record.persona_id],
            arc=plan.emotional_arcs[record.emotional_arc_id],
            topic=plan.training_topics[record.training_topic_id],
            template=plan.templates[record.template_id],
        )

    def _plan(self, job_id: str) -> BatchPlan:
        plan = self._read.get(job_id)
        if plan is None:
            stored = self._plans.get(object_keys.batch_plan(job_id))
            if stored is None:
                raise StorageError("GetObject", "the plan of the conversation's job is not there")
            plan = BatchPlan.model_validate_json(stored.text)
            if len(self._read) >= _KEPT_PLANS:
                self._read = {}
            self._read[job_id] = plan
        return plan


def _of_keys(record: ConversationRecord) -> Scaffold:
    consultant = builtin_records(Consultant)[0]
    said = record.scaffolding_snapshot.get("system_prompt")
    return Scaffold(
        consultant=consultant,
        system_prompt=said or consultant.system_prompt,
        persona=_by_key(Persona, record.persona_key),
        arc=_by_key(EmotionalArc, record.emotional_arc_key),
        topic=_by_key(TrainingTopic, record.training_topic_key),
    )


def _by_key(record_type: type[R], key: str) -> R | None:
    return next((one for one in builtin_records(record_type) if one.key == key), None)
