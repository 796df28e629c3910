"""Creates a batch job: plans it, stores it, starts its workflow; safe to repeat under one key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from brightrun.domain import object_keys
from brightrun.domain.batch import (
    BatchItem,
    BatchJob,
    ErrorHandling,
    Priority,
    calls_per_worker,
)
from brightrun.domain.batch_plan import BatchPlan
from brightrun.domain.claude_models import (
    claude_model,
    estimated_cost_usd,
    estimated_seconds,
    recorded_model,
)
from brightrun.domain.ids import made_at_ms, time_ordered_id
from brightrun.domain.moments import epoch_ms, iso
from brightrun.domain.transitions import JobStatus
from brightrun.errors import NotFoundError, StorageError
from brightrun.ports import BatchRepository, Clock, ObjectStore, RequestKeys, Workflow
from brightrun.services.plan_batch import BatchPlanner, ParameterSet, PlannedBatch, Selection
from brightrun.services.scaffolding_catalog import ScaffoldingCatalog, ScaffoldingRepository

LONGEST_REQUEST_S = 30
"""After this a request that has not stored its job never will: its function stops at 29 s."""


@dataclass(frozen=True, slots=True)
class BatchOrder:
    """What a caller asks for; either sets or a selection."""

    name: str
    sets: Sequence[ParameterSet] = ()
    selection: Selection | None = None
    concurrent_processing: int = 3
    calls_per_worker: int | None = None
    error_handling: ErrorHandling = "continue"
    priority: Priority = "normal"

    def fingerprint(self) -> str:
        """A hash that is the same for the same order."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CreatedBatch:
    """The job and what it will probably take; money in USD, time in seconds."""

    job: BatchJob
    estimated_cost: float
    estimated_time: int


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is not stored yet, with its items, and its plan where it has one."""

    job: BatchJob
    items: Sequence[BatchItem]
    plan: BatchPlan | None = None


@dataclass(frozen=True, slots=True)
class JobStarter:
    """Stores a job once and starts it, however often its request comes."""

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
        """Make the job, or find what an earlier request with the key made.

        Raises what `make` raises, IdempotencyKeyReusedError, and StorageError while that earlier
        request may still be storing items.
        """
        job_id = ours = time_ordered_id(now)
        if idempotency_key is not None:
            job_id = self.keys.job_for(owner_id, idempotency_key, fingerprint, ours, now)
        try:
            job = self.batches.job(owner_id, job_id)
        except NotFoundError:
            made = make(ours)
            # Only now: an order that cannot be planned is refused for the same reason each time.
            if idempotency_key is not None and job_id != ours:
                self._take_over(owner_id, idempotency_key, fingerprint, ours, job_id, now)
            job = self._stored(made)
        self.workflow.ensure_running(job)
        return job

    def _take_over(
        self, owner_id: str, key: str, fingerprint: str, ours: str, theirs: str, now: datetime
    ) -> None:
        """Bind the key to our job, once the request for theirs has ended without storing it.

        Ours is another job, for by now the order may be planned otherwise: items of both plans
        under one id would be more than the job counts.
        """
        _require_ended(theirs, now)
        bound = self.keys.bind_anew(owner_id, key, fingerprint, ours, theirs, now)
        if bound != ours:
            _require_ended(bound, now)

    def _stored(self, made: NewJob) -> BatchJob:
        if made.plan is not None:
            self.plans.put(
                made.job.plan_key, made.plan.model_dump_json(), content_type="application/json"
            )
        self.batches.create(made.job, made.items)
        return made.job


class BatchCreator:
    """Creates batches."""

    def __init__(
        self,
        *,
        scaffolding: ScaffoldingRepository,
        batches: BatchRepository,
        plans: ObjectStore,
        keys: RequestKeys,
        workflow: Workflow,
        clock: Clock,
        model: str,
    ) -> None:
        self._scaffolding = scaffolding
        self._starter = JobStarter(batches, plans, keys, workflow)
        self._clock = clock
        self._model = model

    def create(self, owner_id: str, order: BatchOrder, idempotency_key: str | None) -> CreatedBatch:
        """Store the job with all its items and start it.

        With a key, a repetition gives the first job and finishes what its first try left undone.
        Raises what `BatchPlanner.plan` raises, UnusableModelError, IdempotencyKeyReusedError, and
        StorageError while that first try may still be storing items.
        """
        now = self._clock()

        def make(job_id: str) -> NewJob:
            planned = self._plan(owner_id, job_id, order, now)
            return NewJob(_job(owner_id, order, planned, iso(now)), planned.items, planned.plan)

        job = self._starter.start(owner_id, order.fingerprint(), idempotency_key, make, now)
        return self._created(job, now)

    def _plan(self, owner_id: str, job_id: str, order: BatchOrder, now: datetime) -> PlannedBatch:
        model = claude_model(self._model, now.date())
        planner = BatchPlanner(ScaffoldingCatalog(self._scaffolding), owner_id)
        sets = planner.expand(order.selection) if order.selection else order.sets
        return planner.plan(sets, job_id=job_id, model=model.id, now=iso(now))

    def _created(self, job: BatchJob, now: datetime) -> CreatedBatch:
        model = recorded_model(job.model)
        calls = job.concurrent_processing * job.calls_per_worker
        return CreatedBatch(
            job=job,
            estimated_cost=estimated_cost_usd(model, job.total_items, now.date()),
            estimated_time=estimated_seconds(job.total_items, calls),
        )


def _require_ended(job_id: str, now: datetime) -> None:
    """Keep out of an earlier request's way: it may yet store its job, and two would be started."""
    if epoch_ms(now) - made_at_ms(job_id) < LONGEST_REQUEST_S * 1000:
        raise StorageError(
            "Storing the job", "an earlier request with this Idempotency-Key is still at it"
        )


def _job(owner_id: str, order: BatchOrder, planned: PlannedBatch, now: str) -> BatchJob:
    total = len(planned.items)
    workers = min(order.concurrent_processing, total)
    return BatchJob(
        owner_id=owner_id,
        job_id=planned.plan.job_id,
        name=order.name,
        status=JobStatus.QUEUED,
        total_items=total,
        concurrent_processing=workers,
        calls_per_worker=calls_per_worker(total, workers, order.calls_per_worker),
        error_handling=order.error_handling,
        priority=order.priority,
        model=planned.plan.model,
        plan_key=object_keys.batch_plan(planned.plan.job_id),
        created_at=now,
        updated_at=now,
    )
