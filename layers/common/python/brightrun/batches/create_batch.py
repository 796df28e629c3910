"""Creates a batch job: plans it, stores it and starts its workflow, once for each key."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

from brightrun.aws.objects import ObjectStore
from brightrun.aws.request_keys import RequestKeys
from brightrun.batches.gateway import Workflow
from brightrun.batches.model import (
    ENDED_JOBS,
    MAX_ITEMS,
    BatchItem,
    BatchJob,
    ErrorHandling,
    ItemStatus,
    JobStatus,
    Priority,
    calls_per_worker,
    job_key,
)
from brightrun.batches.plan import BatchPlan
from brightrun.batches.repository import BatchRepository
from brightrun.claude.registry import (
    claude_model,
    estimated_cost_usd,
    estimated_seconds,
    recorded_model,
)
from brightrun.core import object_keys
from brightrun.core.errors import (
    BatchTooLargeError,
    InvalidInputError,
    NotFoundError,
    RequestInProgressError,
)
from brightrun.core.ids import item_id, made_at_ms, time_ordered_id
from brightrun.core.timestamps import Clock, epoch_ms, iso
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from brightrun.scaffolding.matching import TemplateCriteria
from brightrun.scaffolding.model import EmotionalArc, Persona, R, Record, TrainingTopic
from brightrun.scaffolding.repository import ScaffoldingRepository

Choice = Sequence[str] | Literal["all"]


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """One requested conversation, by ids or keys; without a template (or NIL) one is selected."""

    persona: str
    emotional_arc: str
    training_topic: str
    template: str | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Every combination of these records; "all" means all active ones."""

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
        """List every combination, personas outermost; raises BatchTooLargeError."""
        ids = (
            self._ids(Persona, selection.personas),
            self._ids(EmotionalArc, selection.emotional_arcs),
            self._ids(TrainingTopic, selection.training_topics),
        )
        _require_size(len(ids[0]) * len(ids[1]) * len(ids[2]))
        return [
            ParameterSet(persona, arc, topic, selection.template)
            for persona, arc, topic in itertools.product(*ids)
        ]

    def plan(
        self, sets: Sequence[ParameterSet], *, job_id: str, model: str, now: str
    ) -> PlannedBatch:
        """Resolve every set and render every combination's prompt, so that no item fails over them.

        Raises UnknownScaffoldingError, NoTemplateForArcError, UnresolvedPlaceholderError,
        InvalidInputError for a deactivated record, BatchTooLargeError.
        """
        _require_size(len(sets))
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
        for position, requested in enumerate(sets, start=1):
            persona = _active(self._catalog.persona(owner, requested.persona))
            arc = _active(self._catalog.emotional_arc(owner, requested.emotional_arc))
            topic = _active(self._catalog.training_topic(owner, requested.training_topic))
            tier = requested.tier or arc.tier
            criteria = TemplateCriteria(arc.arc_key, tier, persona.persona_key, topic.topic_key)
            template = _active(self._catalog.choose_template(owner, requested.template, criteria))
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

    def _ids(self, record_type: type[Record], choice: Choice) -> list[str]:
        if choice == "all":
            return [record.id for record in self._catalog.active(self._owner_id, record_type)]
        return list(dict.fromkeys(choice))


def _require_size(items: int) -> None:
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


MAX_REQUEST_S = 30
"""Seconds after which a request cannot store its job any more: its Lambda stops at 29 s."""
_RESERVED = "reserved"
"""The fingerprint of names that `JobStarter.holder` reserves."""


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What a caller requests: either sets or a selection."""

    name: str
    sets: Sequence[ParameterSet] = ()
    selection: Selection | None = None
    concurrent_processing: int = 3
    calls_per_worker: int | None = None
    error_handling: ErrorHandling = "continue"
    priority: Priority = "normal"

    def fingerprint(self) -> str:
        """A hash that is equal for equal requests."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CreatedBatch:
    """The job; `estimated_cost` in USD, `estimated_time` in seconds."""

    job: BatchJob
    estimated_cost: float
    estimated_time: int


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be stored, with its items; a judgement job has no plan."""

    job: BatchJob
    items: Sequence[BatchItem]
    plan: BatchPlan | None = None


@dataclass(frozen=True, slots=True)
class JobStarter:
    """Stores and starts a job, once for each idempotency key."""

    batches: BatchRepository
    plans: ObjectStore
    keys: RequestKeys
    workflow: Workflow

    def start(
        self,
        owner_id: str,
        fingerprint: str,
        idempotency_key: str | None,
        make: Callable[[str], NewJob],
        now: datetime,
    ) -> BatchJob:
        """Create the job with `make(job_id)`, or find the job of an earlier request with the key.

        The key is bound after `make`, so that a request which `make` refuses can be corrected and
        sent with the same key. Raises what `make` raises, IdempotencyKeyReusedError,
        RequestInProgressError while the earlier request may still be storing items, StorageError.
        """
        new_id = time_ordered_id(now)
        earlier: str | None = None
        if idempotency_key is not None:
            earlier = self.keys.find(owner_id, idempotency_key, fingerprint, now)
        job = self._find(owner_id, earlier) if earlier else None
        if job is None:
            new_job = make(new_id)
            if idempotency_key is not None:
                self._bind(owner_id, idempotency_key, fingerprint, new_id, earlier, now)
            job = self._stored(new_job)
        self.workflow.ensure_running(job)
        return job

    def holder(self, owner_id: str, name: str, job_id: str, now: datetime) -> str | None:
        """Reserve `name` for a job to be stored; return the job that holds it instead, if one does.

        A job holds what it reserved until it ends and no call of it is in flight, or for a day; a
        request that died before it stored its job, for MAX_REQUEST_S.
        """
        bound = self.keys.job_for(owner_id, name, _RESERVED, job_id, now)
        if bound == job_id:
            return None
        holding = self._find(owner_id, bound)
        if holding is None:
            ended = _has_ended(bound, now)
        else:
            ended = holding.status in ENDED_JOBS and holding.processing_items == 0
        if ended:
            bound = self.keys.rebind(owner_id, name, _RESERVED, job_id, bound, now)
        return None if bound == job_id else bound

    def _find(self, owner_id: str, job_id: str) -> BatchJob | None:
        try:
            return self.batches.job(owner_id, job_id)
        except NotFoundError:
            return None

    def _bind(
        self,
        owner_id: str,
        key: str,
        fingerprint: str,
        new_id: str,
        dead_id: str | None,
        now: datetime,
    ) -> None:
        """Bind the key to the new job; raises RequestInProgressError if another request has it.

        The request for `dead_id` bound it and has not stored its job. Once it has ended, the job
        needs a new id, because it may be planned differently by now: items of both plans under one
        id would be more than the job counts.
        """
        if dead_id is None:
            bound = self.keys.job_for(owner_id, key, fingerprint, new_id, now)
        elif _has_ended(dead_id, now):
            bound = self.keys.rebind(owner_id, key, fingerprint, new_id, dead_id, now)
        else:
            bound = dead_id
        if bound != new_id:
            raise RequestInProgressError

    def _stored(self, new: NewJob) -> BatchJob:
        if new.plan is not None:
            self.plans.put(
                new.job.plan_key, new.plan.model_dump_json(), content_type="application/json"
            )
        self.batches.create(new.job, new.items)
        return new.job


@dataclass(frozen=True, slots=True)
class BatchCreator:
    """Creates jobs that generate conversations."""

    scaffolding: ScaffoldingRepository
    starter: JobStarter
    clock: Clock
    model: str

    def create(
        self, owner_id: str, request: BatchRequest, idempotency_key: str | None
    ) -> CreatedBatch:
        """Store the job with all its items and start it.

        A repetition with the same key returns the first job and completes what the first request
        left undone. Raises what `BatchPlanner.plan` raises, UnusableModelError,
        IdempotencyKeyReusedError, RequestInProgressError, StorageError.
        """
        now = self.clock()

        def make(job_id: str) -> NewJob:
            planned = self._plan(owner_id, job_id, request, now)
            return NewJob(_job(owner_id, request, planned, iso(now)), planned.items, planned.plan)

        job = self.starter.start(owner_id, request.fingerprint(), idempotency_key, make, now)
        return self._created(job, now)

    def _plan(
        self, owner_id: str, job_id: str, request: BatchRequest, now: datetime
    ) -> PlannedBatch:
        model = claude_model(self.model, now.date())
        planner = BatchPlanner(ScaffoldingCatalog(self.scaffolding), owner_id)
        sets = planner.expand(request.selection) if request.selection else request.sets
        return planner.plan(sets, job_id=job_id, model=model.id, now=iso(now))

    def _created(self, job: BatchJob, now: datetime) -> CreatedBatch:
        model = recorded_model(job.model)
        calls = job.concurrent_processing * job.calls_per_worker
        return CreatedBatch(
            job=job,
            estimated_cost=estimated_cost_usd(model, job.total_items, now.date()),
            estimated_time=estimated_seconds(job.total_items, calls),
        )


def _has_ended(job_id: str, now: datetime) -> bool:
    """Whether the request that made the id can no longer store its job."""
    return epoch_ms(now) - made_at_ms(job_id) >= MAX_REQUEST_S * 1000


def _job(owner_id: str, request: BatchRequest, planned: PlannedBatch, now: str) -> BatchJob:
    total = len(planned.items)
    workers = min(request.concurrent_processing, total)
    return BatchJob(
        owner_id=owner_id,
        job_id=planned.plan.job_id,
        name=request.name,
        status=JobStatus.QUEUED,
        total_items=total,
        concurrent_processing=workers,
        calls_per_worker=calls_per_worker(total, workers, request.calls_per_worker),
        error_handling=request.error_handling,
        priority=request.priority,
        model=planned.plan.model,
        plan_key=object_keys.batch_plan(planned.plan.job_id),
        created_at=now,
        updated_at=now,
    )
