"""Turns what a caller asks for into a plan and its items, and finds every fault before spending."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from brightrun.domain.batch import MAX_ITEMS, BatchItem, job_key
from brightrun.domain.batch_plan import BatchPlan
from brightrun.domain.ids import item_id
from brightrun.domain.scaffolding import EmotionalArc, Persona, R, Record, TrainingTopic
from brightrun.domain.template_selection import Wanted
from brightrun.domain.transitions import ItemStatus
from brightrun.errors import BatchTooLargeError, InvalidInputError
from brightrun.services.scaffolding_catalog import ScaffoldingCatalog

Choice = Sequence[str] | Literal["all"]


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """One conversation asked for, by ids or keys; no template, or the NIL UUID, selects one."""

    persona: str
    emotional_arc: str
    training_topic: str
    template: str | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Every combination of these; "all" stands for the active records."""

    personas: Choice
    emotional_arcs: Choice
    training_topics: Choice
    template: str | None = None


@dataclass(slots=True)
class PlannedBatch:
    """The items of a job and the records that they refer to."""

    plan: BatchPlan
    items: list[BatchItem] = field(default_factory=list)


class BatchPlanner:
    """Plans the batches of one owner, reading each kind of scaffolding once."""

    def __init__(self, catalog: ScaffoldingCatalog, owner_id: str) -> None:
        self._catalog = catalog
        self._owner_id = owner_id

    def expand(self, selection: Selection) -> list[ParameterSet]:
        """Make every combination, personas outermost; raises BatchTooLargeError."""
        chosen = (
            self._chosen(Persona, selection.personas),
            self._chosen(EmotionalArc, selection.emotional_arcs),
            self._chosen(TrainingTopic, selection.training_topics),
        )
        require_size(len(chosen[0]) * len(chosen[1]) * len(chosen[2]))
        return [
            ParameterSet(persona, arc, topic, selection.template)
            for persona, arc, topic in itertools.product(*chosen)
        ]

    def plan(
        self, sets: Sequence[ParameterSet], *, job_id: str, model: str, now: str
    ) -> PlannedBatch:
        """Resolve every set and render every prompt once, so that no fault is found later.

        Raises UnknownScaffoldingError, NoTemplateForArcError, UnresolvedPlaceholderError,
        InvalidInputError for a deactivated record, BatchTooLargeError.
        """
        require_size(len(sets))
        batch = PlannedBatch(
            BatchPlan(
                job_id=job_id,
                model=model,
                consultant=self._catalog.consultant(self._owner_id),
                personas={},
                emotional_arcs={},
                training_topics={},
                templates={},
            )
        )
        rendered: set[tuple[str, ...]] = set()
        for item in self._items(sets, batch.plan, job_id, now):
            batch.items.append(item)
            combination = (
                item.persona_id,
                item.emotional_arc_id,
                item.training_topic_id,
                item.template_id,
            )
            if combination not in rendered:
                batch.plan.prompt(item)
                rendered.add(combination)
        return batch

    def _items(
        self, sets: Sequence[ParameterSet], plan: BatchPlan, job_id: str, now: str
    ) -> Iterator[BatchItem]:
        owner = self._owner_id
        for position, asked in enumerate(sets, start=1):
            persona = _active(self._catalog.persona(owner, asked.persona))
            arc = _active(self._catalog.emotional_arc(owner, asked.emotional_arc))
            topic = _active(self._catalog.training_topic(owner, asked.training_topic))
            tier = asked.tier or arc.tier
            wanted = Wanted(arc.arc_key, tier, persona.persona_key, topic.topic_key)
            template = _active(self._catalog.choose_template(owner, asked.template, wanted))
            plan.personas[persona.id] = persona
            plan.emotional_arcs[arc.id] = arc
            plan.training_topics[topic.id] = topic
            plan.templates[template.id] = template
            yield BatchItem(
                job_key=job_key(owner, job_id),
                position=position,
                item_id=item_id(job_id, position),
                status=ItemStatus.QUEUED,
                persona_id=persona.id,
                persona_key=persona.persona_key,
                emotional_arc_id=arc.id,
                emotional_arc_key=arc.arc_key,
                training_topic_id=topic.id,
                training_topic_key=topic.topic_key,
                template_id=template.id,
                tier=tier,
                updated_at=now,
            )

    def _chosen(self, record_type: type[Record], choice: Choice) -> list[str]:
        if choice == "all":
            return [record.id for record in self._catalog.active(self._owner_id, record_type)]
        return list(dict.fromkeys(choice))


def require_size(items: int) -> None:
    """Raise BatchTooLargeError, or InvalidInputError for a batch of nothing."""
    if items == 0:
        raise InvalidInputError("The batch has no items: choose at least one of each kind.")
    if items > MAX_ITEMS:
        raise BatchTooLargeError(
            f"The batch has {items:,} items; one job takes {MAX_ITEMS:,}. "
            "Split it into several jobs.",
            details={"items": items, "limit": MAX_ITEMS},
        )


def _active(record: R) -> R:
    if not record.is_active:
        raise InvalidInputError(
            f"The {record.kind} '{record.key}' is deactivated; activate it or choose another.",
            details={"kind": record.kind, "id": record.id, "key": record.key},
        )
    return record
