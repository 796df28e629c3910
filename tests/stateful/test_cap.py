"""However workers interleave, what a job has spent and reserved stays within its cap."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from brightrun.batches.claim_repository import Outcome
from brightrun.batches.control_batch import BatchControls
from brightrun.batches.finish_batch import BatchFinisher
from brightrun.batches.model import BatchItem, BatchJob, ItemStatus, JobStatus
from brightrun.batches.worker import ItemClaims
from brightrun.batches.workflow import Round
from brightrun.core.budgets import Limits
from brightrun.core.errors import (
    ActionNotAllowedError,
    CapReachedError,
    ClaimsClosedError,
    LeaseLostError,
)
from brightrun.core.ids import time_ordered_id
from tests import builders as build
from tests.aws import moto_aws
from tests.builders import OWNER, START, SteppedClock
from tests.effort import effort
from tests.fakes.external_services import InMemoryKeys, InMemoryObjects, RecordedWorkflow
from tests.stateful.stores import Store, in_dynamodb, in_memory

ITEMS, BOUND, CAP, LEASE_S, WORKERS = 8, 100, 350, 60, 3
ENDS = [ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.QUEUED]
Claim = tuple[str, int, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), st.integers(0, WORKERS - 1), st.integers(1, 4)),
        st.tuples(st.just("end"), st.integers(0, 5), st.integers(0, BOUND)),
        st.tuples(st.just("die"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("finish"), st.just(0), st.just(0)),
        st.tuples(st.just("raise"), st.integers(1, 300), st.just(0)),
    ),
    max_size=40,
)


@dataclass
class CappedBatch:
    """A job with a cap, its workers and its workflow, each step followed by the checks."""

    store: Store
    clock: SteppedClock = field(default_factory=SteppedClock)
    held: list[BatchItem] = field(default_factory=list)
    cap: int = CAP
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        planned = build.a_plan(ITEMS, job_id=time_ordered_id(START))
        self.job_id = planned.plan.job_id
        job = build.a_job(planned, max_cost_micro_usd=CAP, item_bound_micro_usd=BOUND)
        self.store.batches.create(job, planned.items)
        self.workers = [self._worker() for _ in range(WORKERS)]

    def _worker(self) -> ItemClaims:
        return ItemClaims(
            self.store.claims,
            self.store.batches,
            self.job(),
            token=f"worker-{next(self.numbers)}",
            lease_seconds=LEASE_S,
            clock=self.clock,
        )

    def job(self) -> BatchJob:
        return self.store.batches.job(OWNER, self.job_id)

    def claim(self, worker: int, count: int) -> int:
        try:
            claimed = self.workers[worker].claim(count)
        except (CapReachedError, ClaimsClosedError):
            return 0
        if not claimed:
            self.workers[worker] = self._worker()  # its next invocation
        self.held += claimed
        return len(claimed)

    def end(self, which: int, cost: int) -> None:
        if not self.held:
            return
        item = self.held.pop(which % len(self.held))
        status = ENDS[cost % len(ENDS)]
        outcome = Outcome(
            status,
            [build.a_line(f"ending {next(self.numbers)}")],
            cost_micro_usd=0 if status is ItemStatus.QUEUED else cost,
        )
        try:
            build.end_item(self.store.claims, item, outcome, self.clock.now)
        except LeaseLostError:
            return

    def die(self, which: int, _: int = 0) -> None:
        """A worker dies, and its lease runs out; what it knew of others' items stays."""
        if self.held:
            self.held.pop(which % len(self.held))
            self.clock.advance(LEASE_S + 1)

    def finish(self, *_: int) -> None:
        finisher = BatchFinisher(
            batches=self.store.batches,
            claims=self.store.claims,
            logs=InMemoryObjects(),
            workflow=RecordedWorkflow(),
            clock=self.clock,
            sweep=lambda _: None,
        )
        run = self.job().run
        finisher.finish(Round(owner_id=OWNER, job_id=self.job_id, run=run, workers=[0]))

    def raise_cap(self, by: int, _: int = 0) -> None:
        self.cap += by
        controls = BatchControls(
            batches=self.store.batches,
            claims=self.store.claims,
            workflow=RecordedWorkflow(),
            keys=InMemoryKeys(),
            clock=self.clock,
            limits=Limits(),
        )
        try:
            controls.resume(OWNER, self.job_id, max_cost_usd=self.cap / 1e6)
        except ActionNotAllowedError:
            job = self.job()
            assert job.status in {JobStatus.FAILED, JobStatus.COMPLETED}
            assert not (job.has_remainder and job.affordable_items)
        self.workers = [self._worker() for _ in range(WORKERS)]

    def check(self) -> None:
        job = self.job()
        items = self.store.batches.items(OWNER, self.job_id, status=None, limit=100, cursor=None)
        reserved = sum(item.reserved_micro_usd for item in items.records)
        assert job.max_cost_micro_usd == self.cap
        assert job.committed_micro_usd == job.cost_micro_usd + reserved
        assert job.committed_micro_usd <= self.cap
        for item in items.records:
            assert item.reserved_micro_usd == (BOUND if item.status == "processing" else 0)

    def run(self, steps: list[Claim]) -> None:
        named = {
            "claim": self.claim,
            "end": self.end,
            "die": self.die,
            "finish": self.finish,
            "raise": self.raise_cap,
        }
        for step, one, other in steps:
            named[step](one, other)
            self.check()

    def bring_to_an_end(self) -> BatchJob:
        """Every item costs its most from now on, whoever held one has died."""
        self.held.clear()
        for _ in range(3 * ITEMS):
            self.clock.advance(LEASE_S + 1)
            self.workers = [self._worker()]
            while self.claim(0, 3):
                while self.held:
                    item = self.held.pop()
                    line = build.a_line(f"ending {next(self.numbers)}")
                    outcome = Outcome(ItemStatus.COMPLETED, [line], cost_micro_usd=BOUND)
                    build.end_item(self.store.claims, item, outcome, self.clock.now)
                    self.check()
            self.finish()
            self.check()
            if self.job().open_items == 0:
                break
        return self.job()


def profile(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )


def spends_no_more_than_its_cap(store: Store, steps: list[Claim]) -> None:
    batch = CappedBatch(store)
    batch.check()
    batch.run(steps)
    job = batch.bring_to_an_end()
    assert job.open_items == 0
    assert job.cost_micro_usd == job.committed_micro_usd <= batch.cap
    if job.cancelled_items:
        assert job.has_remainder
        assert job.committed_micro_usd + BOUND > batch.cap


def test_concurrent_workers_cannot_overspend_a_cap_in_memory(
    record_property: Callable[[str, object], None],
) -> None:
    interleavings = effort(200, 1_000)

    @profile(interleavings)
    @given(steps=STEPS)
    def check(steps: list[Claim]) -> None:
        spends_no_more_than_its_cap(in_memory(), steps)

    check()
    record_property("samples", interleavings)


@pytest.mark.slow
def test_concurrent_workers_cannot_overspend_a_cap_in_dynamodb() -> None:
    @profile(effort(6, 15))
    @given(steps=STEPS)
    def check(steps: list[Claim]) -> None:
        with moto_aws() as aws:
            spends_no_more_than_its_cap(in_dynamodb(aws), steps)

    check()
