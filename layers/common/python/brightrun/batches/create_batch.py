"""Creates a batch job: plans it, stores it and starts its workflow, once for each key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import partial

from brightrun.aws.budgets import Budgets
from brightrun.aws.objects import ObjectStore
from brightrun.aws.request_keys import RequestKeys, request_has_ended
from brightrun.batches.cap import bounded, capped, within_budgets
from brightrun.batches.concurrency import Concurrency
from brightrun.batches.deadline import DeadlinePlan, Quantiles, plan_deadline
from brightrun.batches.gateway import Workflow
from brightrun.batches.model import (
    BatchItem,
    BatchJob,
    ErrorHandling,
    JobStatus,
    Lane,
    Priority,
    Quote,
)
from brightrun.batches.plan import BatchPlan
from brightrun.batches.planner import BatchPlanner, ParameterSet, PlannedBatch, Selection
from brightrun.batches.quotes import (
    JOBS_READ,
    QuoteAccuracy,
    TokenPrices,
    own_quote,
    past_batches,
    quote_accuracy,
)
from brightrun.batches.repository import BatchRepository
from brightrun.claude.registry import (
    BATCHED_PRICE,
    BATCHED_SECONDS,
    MOST_BATCHED_SECONDS,
    WITHOUT_MESSAGE_BATCHES,
    ClaudeModel,
    claude_model,
    estimated_cost_usd,
    estimated_seconds,
    ninetieth_percentile,
    recorded_model,
    retirement_notice,
)
from brightrun.core import object_keys
from brightrun.core.errors import InvalidInputError, NotFoundError, RequestInProgressError
from brightrun.core.fields import DEFAULT_DOMAIN
from brightrun.core.ids import time_ordered_id
from brightrun.core.languages import ENGLISH
from brightrun.core.replays import note_replay
from brightrun.core.timestamps import Clock, iso
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from brightrun.scaffolding.repository import ScaffoldingRepository

_ONLY_IN_REALTIME = (
    "Answers are taken again in the realtime lane only: order there, without doneBy, or without."
)


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What a caller requests: either sets or a selection.

    With `done_by`, in any time zone, the lane follows from the time that is left, whatever `lane`
    says.
    """

    name: str
    sets: Sequence[ParameterSet] = ()
    selection: Selection | None = None
    concurrent_processing: int = 3
    calls_per_worker: int | None = None
    calls_in_flight: int | None = None
    max_cost_usd: float | None = None
    error_handling: ErrorHandling = "continue"
    priority: Priority = "normal"
    domain: str = DEFAULT_DOMAIN
    language: str = ENGLISH
    reuse: bool = False
    lane: Lane = "realtime"
    done_by: datetime | None = None

    def fingerprint(self) -> str:
        """A hash that is equal for equal requests."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()

    def concurrency(self, items: int) -> Concurrency:
        """How the calls for so many items are divided among workers in the realtime lane."""
        if self.calls_in_flight is not None:
            return Concurrency.of_calls(self.calls_in_flight, items)
        return Concurrency.of_workers(self.concurrent_processing, items, self.calls_per_worker)


@dataclass(frozen=True, slots=True)
class CreatedBatch:
    """The job; its quote's p50 in USD, `estimated_time` in seconds.

    `model_notice` says that the model retires soon, `repetition_notice` that combinations are
    written again, and `deadline` how it is to be done by its time; the last two are None for the
    job of an earlier request.
    """

    job: BatchJob
    estimated_cost: float
    estimated_time: int
    model_notice: str | None
    repetition_notice: str | None = None
    deadline: DeadlinePlan | None = None


@dataclass(frozen=True, slots=True)
class LaneQuote:
    """What a batch would cost and take in a lane; `unavailable` says why it cannot be ordered."""

    lane: Lane
    cost: Quote
    seconds: Quantiles
    unavailable: str | None = None


@dataclass(frozen=True, slots=True)
class BatchPreview:
    """A plan that is not stored: of `requested` conversations, those without a fault have an item.

    Cost and time of each lane are those of the items; `lane` is the one that the request names, or
    that it begins in to be done by its time, and `quote` is the order's own. `past_quotes` tells
    how wrong quotes were until now, and `model_notice` that the model retires soon.
    """

    planned: PlannedBatch
    requested: int
    lane: Lane
    quote: LaneQuote
    quotes: Sequence[LaneQuote]
    past_quotes: Sequence[QuoteAccuracy]
    model_notice: str | None
    deadline: DeadlinePlan | None


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be stored, with its items; a judgement job has no plan."""

    job: BatchJob
    items: Sequence[BatchItem]
    plan: BatchPlan | None = None


class NothingToStartError(Exception):
    """What a request asks for is done already, and needs no job."""


_NO_JOB = "none"
"""What a key is bound to whose request needed no job."""


@dataclass(frozen=True, slots=True)
class JobStarter:
    """Stores and starts a job, once for each idempotency key."""

    batches: BatchRepository
    plans: ObjectStore
    keys: RequestKeys
    workflow: Workflow
    budgets: Budgets

    def within_budgets(
        self, job: BatchJob, now: datetime, estimated_usd: float | None = None
    ) -> BatchJob:
        """The job with what it reserves of the budgets, and so its cap where one is set.

        Raises BudgetExceededError now if it cannot fit: nothing is stored for a job until then.
        """
        job = within_budgets(
            job, job.total_items, now, self.budgets.limits, estimated_usd=estimated_usd
        )
        if job.reservation is not None:
            self.budgets.require(job.reservation)
        return job

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
        sent with the same key. Raises what `make` raises, NothingToStartError among it, which is
        bound to the key as a job is, IdempotencyKeyReusedError,
        RequestInProgressError while the earlier request may still be storing items,
        BudgetExceededError if other orders have used up a budget meanwhile, StorageError.
        """
        new_id = time_ordered_id(now)
        earlier: str | None = None
        if idempotency_key is not None:
            earlier = self.keys.find(owner_id, idempotency_key, fingerprint, now)
        if earlier == _NO_JOB:
            note_replay()
            raise NothingToStartError
        bind = partial(self._bind, owner_id, idempotency_key, fingerprint, earlier, now)
        job = self._find(owner_id, earlier) if earlier else None
        if job is None:
            try:
                new_job = make(new_id)
            except NothingToStartError:
                bind(_NO_JOB)
                raise
            bind(new_id)
            job = self._stored(new_job)
        else:
            note_replay()
        self.workflow.ensure_running(job)
        return job

    def _find(self, owner_id: str, job_id: str) -> BatchJob | None:
        try:
            return self.batches.job(owner_id, job_id)
        except NotFoundError:
            return None

    def _bind(
        self,
        owner_id: str,
        key: str | None,
        fingerprint: str,
        dead_id: str | None,
        now: datetime,
        new_id: str,
    ) -> None:
        """Bind a key to the new job; raises RequestInProgressError if another request has it.

        The request for `dead_id` bound it and has not stored its job. Once it has ended, the job
        needs a new id, because it may be planned differently by now: items of both plans under one
        id would be more than the job counts.
        """
        if key is None:
            return
        if dead_id is None:
            bound = self.keys.job_for(owner_id, key, fingerprint, new_id, now)
        elif request_has_ended(dead_id, now):
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
    """Creates jobs that generate conversations.

    `simulated` says that no Claude is asked: such batches tell nothing about what others cost.
    """

    scaffolding: ScaffoldingRepository
    starter: JobStarter
    clock: Clock
    model: str
    provider: str = "direct"

    def create(
        self, owner_id: str, request: BatchRequest, idempotency_key: str | None
    ) -> CreatedBatch:
        """Store the job with all its items and start it.

        A repetition with the same key returns the first job and completes what the first request
        left undone. Raises what `BatchPlanner.plan` raises, UnusableModelError, InvalidInputError
        for a cap that does not pay for one conversation at its most and for a lane that the
        provider of Claude does not have, BudgetExceededError,
        IdempotencyKeyReusedError, RequestInProgressError, StorageError.
        """
        now = self.clock()
        if reason := self._unavailable(request.lane):
            raise InvalidInputError.of_field("lane", reason)
        if request.reuse and (request.lane == "economy" or request.done_by):
            raise InvalidInputError.of_field("reuse", _ONLY_IN_REALTIME)

        repetition_notice: str | None = None
        deadline: DeadlinePlan | None = None

        def make(job_id: str) -> NewJob:
            nonlocal repetition_notice, deadline
            planned = self._plan(owner_id, job_id, request, now)
            repetition_notice = planned.repetition_notice
            deadline = self._deadline(request, len(planned.items), now)
            job = _job(owner_id, request, planned, iso(now), deadline)
            job = bounded(job, planned.longest_prompt, now.date())
            quotes = self._quotes(request, planned, self._newest(owner_id), now)
            job = replace(job, quote=_ordered(quotes, job.lane, deadline, now).cost)
            if request.max_cost_usd is not None:
                job = capped(job, request.max_cost_usd)
            job = self.starter.within_budgets(job, now)
            return NewJob(job, planned.items, planned.plan)

        job = self.starter.start(owner_id, request.fingerprint(), idempotency_key, make, now)
        created = self._created(job, now)
        return replace(created, repetition_notice=repetition_notice, deadline=deadline)

    def preview(self, owner_id: str, request: BatchRequest) -> BatchPreview:
        """Plan a batch without storing anything; faults are listed, not raised.

        Raises BatchTooLargeError and UnusableModelError, and InvalidInputError for a deadline that
        is past or too far ahead.
        """
        now = self.clock()
        model = claude_model(self.model, now.date())
        planner, sets = self._sets(owner_id, request)
        planned = planner.try_plan(sets, job_id="preview", model=model.id, now=iso(now))
        jobs = self._newest(owner_id)
        deadline = self._deadline(request, len(planned.items), now)
        lane = deadline.lane if deadline else request.lane
        quotes = self._quotes(request, planned, jobs, now)
        return BatchPreview(
            planned=planned,
            requested=len(sets),
            lane=lane,
            quote=_ordered(quotes, lane, deadline, now),
            quotes=quotes,
            deadline=deadline,
            past_quotes=quote_accuracy(one for one in jobs if one.simulated == self._is_simulated),
            model_notice=retirement_notice(model, now.date()),
        )

    def _unavailable(self, lane: Lane) -> str | None:
        """Why a lane cannot be ordered."""
        return WITHOUT_MESSAGE_BATCHES.get(self.provider) if lane == "economy" else None

    def _plan(
        self, owner_id: str, job_id: str, request: BatchRequest, now: datetime
    ) -> PlannedBatch:
        model = claude_model(self.model, now.date())
        planner, sets = self._sets(owner_id, request)
        return planner.plan(sets, job_id=job_id, model=model.id, now=iso(now))

    def _newest(self, owner_id: str) -> Sequence[BatchJob]:
        """What quotes learn from."""
        page = self.starter.batches.jobs(owner_id, status=None, limit=JOBS_READ, cursor=None)
        return page.records

    @property
    def _is_simulated(self) -> bool:
        return self.provider == "simulator"

    def _deadline(self, request: BatchRequest, items: int, now: datetime) -> DeadlinePlan | None:
        """How the order is written to be done by its time; None if it names none."""
        if request.done_by is None:
            return None
        times = _durations(request, items)
        return plan_deadline(
            request.done_by,
            now,
            realtime=times["realtime"],
            economy=times["economy"],
            capped=request.max_cost_usd is not None or self.starter.budgets.limits.are_set,
            unavailable=self._unavailable("economy") is not None,
        )

    def _quotes(
        self,
        request: BatchRequest,
        planned: PlannedBatch,
        jobs: Sequence[BatchJob],
        now: datetime,
    ) -> list[LaneQuote]:
        """What the batch would cost and take in each lane."""
        return [
            LaneQuote(lane, self._quote(planned, jobs, now, lane), time, self._unavailable(lane))
            for lane, time in _durations(request, len(planned.items)).items()
        ]

    def _quote(
        self, planned: PlannedBatch, jobs: Sequence[BatchJob], now: datetime, lane: Lane
    ) -> Quote:
        model = recorded_model(planned.plan.model)
        price = model.price_on(now.date())
        share = BATCHED_PRICE if lane == "economy" else 1.0
        past = past_batches(jobs, model=model.id, simulated=self._is_simulated)
        prices = TokenPrices(price.input * share, price.output * share)
        own = own_quote(planned.items, prices, past)
        return own or _typical_quote(model, len(planned.items), now.date(), lane)

    def _sets(
        self, owner_id: str, request: BatchRequest
    ) -> tuple[BatchPlanner, Sequence[ParameterSet]]:
        catalog = ScaffoldingCatalog(self.scaffolding)
        planner = BatchPlanner(catalog, owner_id, request.domain, request.language)
        sets = planner.expand(request.selection) if request.selection else request.sets
        return planner, sets

    def _created(self, job: BatchJob, now: datetime) -> CreatedBatch:
        model = recorded_model(job.model)
        # Jobs of earlier versions have none.
        quote = job.quote or _typical_quote(model, job.total_items, now.date(), job.lane)
        return CreatedBatch(
            job=job,
            estimated_cost=quote.p50_micro_usd / 1e6,
            estimated_time=int(BATCHED_SECONDS)
            if job.is_economy
            else estimated_seconds(job.total_items, job.most_calls_in_flight),
            model_notice=retirement_notice(model, now.date()),
        )


def _durations(request: BatchRequest, items: int) -> dict[Lane, Quantiles]:
    """What so many items take in each lane, in seconds."""
    seconds = estimated_seconds(items, request.concurrency(items).most_calls)
    return {
        "realtime": Quantiles(seconds, round(ninetieth_percentile(seconds, items))),
        "economy": Quantiles(BATCHED_SECONDS, MOST_BATCHED_SECONDS),
    }


def _ordered(
    quotes: Sequence[LaneQuote], lane: Lane, deadline: DeadlinePlan | None, now: datetime
) -> LaneQuote:
    """The quote of an order.

    Where it may change lanes, it likely costs and takes what the economy lane does; nine of ten
    cost no more than all in realtime, and end no later than that after the change.
    """
    by_lane = {quote.lane: quote for quote in quotes}
    chosen = by_lane[lane]
    if deadline is None or deadline.switch_at is None:
        return chosen
    realtime = by_lane["realtime"]
    latest_s = (deadline.switch_at - now).total_seconds() + realtime.seconds.p90
    return replace(
        chosen,
        cost=replace(chosen.cost, p90_micro_usd=realtime.cost.p90_micro_usd),
        seconds=Quantiles(chosen.seconds.p50, round(latest_s)),
    )


def _typical_quote(model: ClaudeModel, conversations: int, day: date, lane: Lane) -> Quote:
    p50 = estimated_cost_usd(model, conversations, day, batched=lane == "economy") * 1e6
    return Quote(round(p50), round(ninetieth_percentile(p50, conversations)))


def _job(
    owner_id: str,
    request: BatchRequest,
    planned: PlannedBatch,
    now: str,
    deadline: DeadlinePlan | None,
) -> BatchJob:
    total = len(planned.items)
    lane = deadline.lane if deadline else request.lane
    switch_at = deadline.switch_at if deadline else None
    concurrency = request.concurrency(total)
    if lane == "economy" and switch_at is None:
        concurrency = Concurrency.of_workers(1, total, 1)
    return BatchJob(
        owner_id=owner_id,
        job_id=planned.plan.job_id,
        name=request.name,
        status=JobStatus.QUEUED,
        total_items=total,
        concurrent_processing=concurrency.workers,
        calls_per_worker=concurrency.calls_per_worker,
        calls_in_flight=concurrency.calls_in_flight,
        error_handling=request.error_handling,
        priority=request.priority,
        reuse=request.reuse,
        lane=lane,
        done_by=iso(request.done_by) if request.done_by else None,
        switch_at=iso(switch_at) if switch_at else None,
        model=planned.plan.model,
        plan_key=object_keys.batch_plan(planned.plan.job_id),
        shared_characters=planned.plan.most_shared,
        shared_starts=len(planned.plan.templates),
        created_at=now,
        updated_at=now,
    )
