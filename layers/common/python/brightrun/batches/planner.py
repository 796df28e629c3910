"""Plans a batch: its conversations, their records and templates, and what is missing."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from brightrun.batches.model import MAX_ITEMS, BatchItem, ItemStatus, job_key
from brightrun.batches.plan import BatchPlan
from brightrun.batches.prompt_cache import SharedStarts
from brightrun.core.errors import (
    BatchTooLargeError,
    BrightRunError,
    InvalidInputError,
    NoTemplateForArcError,
    UnknownScaffoldingError,
    UnplannableBatchError,
)
from brightrun.core.fields import DEFAULT_DOMAIN
from brightrun.core.ids import NIL_UUID, item_id
from brightrun.core.languages import ENGLISH
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from brightrun.scaffolding.matching import (
    Choices,
    Compatibility,
    TemplateCriteria,
    check_compatibility,
)
from brightrun.scaffolding.model import (
    EmotionalArc,
    Persona,
    PromptTemplate,
    R,
    Record,
    TrainingTopic,
)

MAX_SAMPLE = 100
"""Conversations of a sample: choosing one takes a look at every combination."""
Choice = Sequence[str] | Literal["all"]
Combination = tuple[str, str, str]
"""A persona, an arc and a topic, each by its id or key."""


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """One requested conversation, by ids or keys; without a template (or NIL) one is selected."""

    persona: str
    emotional_arc: str
    training_topic: str
    template: str | None = None
    tier: str | None = None

    @property
    def names_template(self) -> bool:
        """Whether the caller has chosen the template."""
        return self.template not in (None, "", NIL_UUID)

    @property
    def combination(self) -> Combination:
        """The three records."""
        return self.persona, self.emotional_arc, self.training_topic


@dataclass(frozen=True, slots=True)
class Selection:
    """Every combination of these records but `exclude`; "all" means all active ones.

    With `sample`, so many of those combinations, chosen by `spread_sample`.
    """

    personas: Choice
    emotional_arcs: Choice
    training_topics: Choice
    template: str | None = None
    exclude: Sequence[Combination] = ()
    sample: int | None = None


@dataclass(slots=True)
class PlannedBatch:
    """The items of a job and the records that they refer to.

    `faults` holds every reason why something of the request has no item, each once, and
    `longest_prompt` is the size of the longest prompt in bytes.
    """

    plan: BatchPlan
    items: list[BatchItem] = field(default_factory=list)
    faults: list[BrightRunError] = field(default_factory=list)
    longest_prompt: int = 0

    @property
    def repetition_notice(self) -> str | None:
        """That the plan is small for its conversations, if any combination is written again."""
        times = Counter(item.combination for item in self.items)
        most = max(times.values(), default=0)
        if most < 2:
            return None
        return (
            f"The {len(self.items):,} conversations are of {len(times):,} combinations of persona, "
            f"arc and topic, and one is written {most:,} times. Repetitions get hints to differ; "
            "more personas, arcs or topics make the conversations more diverse than hints do."
        )

    def compatibility(self) -> Iterator[tuple[BatchItem, Compatibility]]:
        """Rate the combination of every item, without suggestions."""
        for item in self.items:
            used = self.plan.ingredients(item)
            yield item, check_compatibility(used.persona, used.arc, used.topic, Choices())


class BatchPlanner:
    """Plans one batch of one owner, reading each kind of scaffolding once."""

    def __init__(
        self,
        catalog: ScaffoldingCatalog,
        owner_id: str,
        domain: str = DEFAULT_DOMAIN,
        language: str = ENGLISH,
    ) -> None:
        self._catalog = catalog
        self._owner_id = owner_id
        self._domain = domain
        self._language = language
        self._faults: dict[object, BrightRunError] = {}
        self._longest_prompt = 0
        self._shared = SharedStarts()

    def expand(self, selection: Selection) -> list[ParameterSet]:
        """List the combinations, personas outermost; raises BatchTooLargeError."""
        ids = (
            self._ids(Persona, selection.personas),
            self._ids(EmotionalArc, selection.emotional_arcs),
            self._ids(TrainingTopic, selection.training_topics),
        )
        combinations = len(ids[0]) * len(ids[1]) * len(ids[2])
        _refuse_too_large(combinations - len(selection.exclude))
        excluded = {self._resolved(*one) for one in selection.exclude}
        sets = [
            ParameterSet(*combination, selection.template)
            for combination in itertools.product(*ids)
            if not excluded or self._resolved(*combination) not in excluded
        ]
        return sets if selection.sample is None else spread_sample(sets, selection.sample)

    def plan(
        self, sets: Sequence[ParameterSet], *, job_id: str, model: str, now: str
    ) -> PlannedBatch:
        """Plan as `try_plan` does, and refuse a batch with faults.

        Raises a single fault itself: UnknownScaffoldingError, NoTemplateForArcError,
        UnresolvedPlaceholderError, InvalidInputError for a deactivated record; several as
        UnplannableBatchError, which names all of them.
        """
        batch = self.try_plan(sets, job_id=job_id, model=model, now=now)
        if len(batch.faults) == 1:
            raise batch.faults[0]
        if batch.faults:
            raise UnplannableBatchError(batch.faults)
        return batch

    def try_plan(
        self, sets: Sequence[ParameterSet], *, job_id: str, model: str, now: str
    ) -> PlannedBatch:
        """Resolve every set and render every combination's prompt, so that no item fails over them.

        What is faulty has no item; its reason is listed. Raises BatchTooLargeError.
        """
        _require_size(len(sets))
        batch = PlannedBatch(
            BatchPlan(
                job_id=job_id,
                model=model,
                language=self._language,
                consultant=self._catalog.consultant(self._owner_id, self._domain),
                personas={},
                emotional_arcs={},
                training_topics={},
                templates={},
                shared_characters={},
            )
        )
        rendered: set[tuple[str | bool, ...]] = set()
        for item in self._items(sets, batch.plan, job_id, now):
            rendering = (*item.combination, item.template_id, item.variation > 0)
            if rendering in rendered or self._renders(batch.plan, item):
                rendered.add(rendering)
                batch.items.append(item)
        batch.faults = list(self._faults.values())
        batch.longest_prompt = self._longest_prompt
        batch.plan.shared_characters.update(self._shared.lengths())
        return batch

    def _items(
        self, sets: Sequence[ParameterSet], plan: BatchPlan, job_id: str, now: str
    ) -> Iterator[BatchItem]:
        written: Counter[Combination] = Counter()
        for position, requested in enumerate(sets, start=1):
            persona = self._usable(Persona, requested.persona)
            arc = self._usable(EmotionalArc, requested.emotional_arc)
            topic = self._usable(TrainingTopic, requested.training_topic)
            template = self._template(requested, persona, arc, topic)
            if persona is None or arc is None or topic is None or template is None:
                continue
            plan.personas[persona.id] = persona
            plan.emotional_arcs[arc.id] = arc
            plan.training_topics[topic.id] = topic
            plan.templates[template.id] = template
            combination = (persona.id, arc.id, topic.id)
            written[combination] += 1
            yield BatchItem(
                job_key=job_key(self._owner_id, job_id),
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
                tier=requested.tier or arc.tier,
                updated_at=now,
                variation=written[combination] - 1,
            )

    def _usable(self, record_type: type[R], id_or_key: str) -> R | None:
        """Find an active record of the domain, else note the fault, once for each name."""
        record = self._catalog.find(self._owner_id, record_type, id_or_key)
        if record is not None and record.is_active and record.domain == self._domain:
            return record
        noted = (record_type, id_or_key)
        if noted not in self._faults:
            near = self._catalog.near_matches(self._owner_id, record_type, id_or_key)
            self._faults[noted] = (
                UnknownScaffoldingError(record_type.kind, id_or_key, near)
                if record is None
                else _unusable(record, self._domain)
            )
        return None

    def _template(
        self,
        requested: ParameterSet,
        persona: Persona | None,
        arc: EmotionalArc | None,
        topic: TrainingTopic | None,
    ) -> PromptTemplate | None:
        """Find or select the template, as far as the records are known; note the fault if none."""
        if requested.names_template:
            return self._usable(PromptTemplate, str(requested.template))
        if arc is None:
            return None
        criteria = TemplateCriteria(
            arc.arc_key,
            requested.tier or arc.tier,
            persona.persona_key if persona else None,
            topic.topic_key if topic else None,
        )
        try:
            return self._catalog.choose_template(self._owner_id, None, criteria)
        except NoTemplateForArcError as error:
            self._faults[PromptTemplate, arc.arc_key] = error
            return None

    def _renders(self, plan: BatchPlan, item: BatchItem) -> bool:
        """Whether the item's prompt can be rendered; notes its size and start, or the fault."""
        try:
            prompt = plan.prompt(item)
        except InvalidInputError as error:
            self._faults[error.message] = error
            return False
        self._longest_prompt = max(self._longest_prompt, prompt.size)
        self._shared.add(item.template_id, prompt.user)
        return True

    def _ids(self, record_type: type[Record], choice: Choice) -> list[str]:
        if choice == "all":
            return [record.id for record in self._active(record_type)]
        return list(dict.fromkeys(choice))

    def _active(self, record_type: type[R]) -> tuple[R, ...]:
        return self._catalog.active(self._owner_id, record_type, self._domain)

    def _resolved(self, persona: str, arc: str, topic: str) -> Combination:
        """The ids of a combination; a name that is not known stays as it is."""
        return (
            self._id(Persona, persona),
            self._id(EmotionalArc, arc),
            self._id(TrainingTopic, topic),
        )

    def _id(self, record_type: type[Record], id_or_key: str) -> str:
        record = self._catalog.find(self._owner_id, record_type, id_or_key)
        return record.id if record else id_or_key


def spread_sample(sets: Sequence[ParameterSet], size: int) -> list[ParameterSet]:
    """Choose sets that show as many personas, arcs and topics as possible; always the same ones.

    Each choice is the set whose records were chosen least so far, then whose pairs of records were,
    then the first. The sample keeps the order of the sets.
    """
    left = dict(enumerate(sets))
    used: Counter[tuple[str, ...]] = Counter()

    def cost(position: int) -> tuple[int, int, int]:
        persona, arc, topic = sets[position].combination
        # A record stands with its kind: a persona and a topic may have the same key.
        singles = used["p", persona] + used["a", arc] + used["t", topic]
        pairs = used["pa", persona, arc] + used["pt", persona, topic] + used["at", arc, topic]
        return singles, pairs, position

    chosen: list[int] = []
    while left and len(chosen) < size:
        position = min(left, key=cost)
        persona, arc, topic = left.pop(position).combination
        used.update([("p", persona), ("a", arc), ("t", topic)])
        used.update([("pa", persona, arc), ("pt", persona, topic), ("at", arc, topic)])
        chosen.append(position)
    return [sets[position] for position in sorted(chosen)]


def _require_size(items: int) -> None:
    """Raise BatchTooLargeError, or InvalidInputError for a batch of nothing."""
    if items == 0:
        raise InvalidInputError(
            "The batch has no items: choose at least one of each kind, and more than is excluded."
        )
    _refuse_too_large(items)


def _refuse_too_large(items: int) -> None:
    if items > MAX_ITEMS:
        raise BatchTooLargeError(
            f"The batch has {items:,} items; one job takes {MAX_ITEMS:,}. "
            "Split it into several jobs.",
            details={"items": items, "limit": MAX_ITEMS},
        )


def _unusable(record: Record, domain: str) -> InvalidInputError:
    if record.domain != domain:
        return InvalidInputError(
            f"The {record.kind} '{record.key}' is of the domain {record.domain}, and the batch of "
            f"{domain}; choose another, or order with that domain.",
            details={"kind": record.kind, "key": record.key, "domain": record.domain},
        )
    return InvalidInputError(
        f"The {record.kind} '{record.key}' is deactivated; activate it or choose another.",
        details={"kind": record.kind, "id": record.id, "key": record.key},
    )
