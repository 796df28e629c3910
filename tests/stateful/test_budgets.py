"""However orders interleave, what is spent and reserved stays within every budget."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.batches.model import BatchJob, JobAction
from brightrun.core.budgets import Budget, BudgetExceededError, Limits, Reservation, month_of
from brightrun.core.ids import time_ordered_id
from brightrun.training.costs.model import cost_record
from brightrun.training.model import TrainingJob
from brightrun.training.notices import job_queued
from brightrun.training.transitions import ended
from tests import builders as build
from tests.aws import moto_aws
from tests.builders import OWNER, START, STRANGER
from tests.contract.test_budgets import Store, in_dynamodb, in_memory
from tests.effort import effort
from tests.fakes.training_jobs import a_training_job
from tests.stateful.test_cap import profile

OWNERS = (OWNER, STRANGER)
LIMITS = Limits(owner=1000, deployment=1400)
MONTH = month_of(START)
SOME = st.integers(0, 5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["ask", "train"]), st.integers(0, 1), st.integers(1, 700)),
        st.tuples(st.just("store"), SOME, st.just(0)),
        st.tuples(st.sampled_from(["end", "end training"]), SOME, st.integers(0, 100)),
        st.tuples(st.sampled_from(["raise", "again"]), SOME, st.integers(1, 700)),
        st.tuples(st.just("close again"), SOME, st.just(0)),
    ),
    max_size=40,
)


@dataclass
class Spending:
    """Two owners' orders; a request looks at the budgets first, and stores its order later."""

    store: Store
    asked: list[tuple[BatchJob, Any]] = field(default_factory=list)
    running: list[BatchJob] = field(default_factory=list)
    closed: list[BatchJob] = field(default_factory=list)
    training: list[TrainingJob] = field(default_factory=list)
    spent: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OWNERS, 0))
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def ask(self, who: int, amount: int) -> None:
        owner = OWNERS[who]
        planned = build.a_plan(1, job_id=time_ordered_id(START))
        job = build.a_job(
            planned,
            owner=owner,
            max_cost_micro_usd=amount,
            budget_month=MONTH,
            budget_reserved_micro_usd=amount,
        )
        self.store.budgets.require(Reservation(owner, MONTH, "writing", amount))
        items = [
            dataclasses.replace(item, job_key=f"{owner}#{job.job_id}") for item in planned.items
        ]
        self.asked.append((job, items))

    def place(self, which: int, _: int = 0) -> None:
        job, items = self.asked.pop(which % len(self.asked))
        self.store.batches.create(job, items)
        self.running.append(job)

    def train(self, who: int, amount: int) -> None:
        job = a_training_job(
            time_ordered_id(START),
            owner=OWNERS[who],
            budget_month=MONTH,
            budget_reserved_micro_usd=amount,
        )
        self.store.training.create(job, job_queued(job, START))
        self.training.append(job)

    def end(self, which: int, percent: int) -> None:
        job = self._now(self.running.pop(which % len(self.running)))
        items = list(self.store.batches.open_items(job.owner_id, job.job_id))
        held = self.store.claims.claim(items, build.a_lease(), [self._line()], START)
        cost = (job.cap.micro_usd - job.cost_micro_usd) * percent // 100 if job.cap else 0
        self.spent[job.owner_id] += cost
        outcome = build.failed(cost_micro_usd=cost)
        for item in held:
            build.end_item(self.store.claims, item, outcome, START)
        self.store.batches.apply(job.owner_id, job.job_id, JobAction.FAIL, START, self._line())
        self.closed.append(self._now(job))
        self.store.batches.close_budgets(self.closed[-1])

    def end_training(self, which: int, percent: int) -> None:
        job = self.training.pop(which % len(self.training))
        cost = job.budget_reserved_micro_usd * percent // 100
        self.spent[job.owner_id] += cost
        end = ended(job, START, "cancelled", final_cost=cost / 1e6, billed_seconds=1)
        record = cost_record(end, START)
        self.store.training.close_billing(end, 1, cost=record, notifications=[], model=None)

    def raise_cap(self, which: int, amount: int) -> None:
        job = self.running[which % len(self.running)]
        self.store.batches.raise_cap(self._now(job), amount, START, self._line())

    def again(self, which: int, amount: int) -> None:
        """Retry a batch that has failed, with so much more to spend."""
        seen = self.closed[which % len(self.closed)]

        def reopened(job: BatchJob) -> BatchJob:
            return dataclasses.replace(
                job,
                budget_month=MONTH,
                budget_reserved_micro_usd=amount,
                budget_spent_micro_usd=job.paid_micro_usd,
                max_cost_micro_usd=job.cost_micro_usd + amount,
            )

        job = self._now(seen)
        if job.status != "failed":
            return
        retry = JobAction.RETRY_FAILED
        self.store.batches.apply(
            job.owner_id, job.job_id, retry, START, self._line(), reopen=reopened
        )
        items = list(self.store.batches.retryable_items(job.owner_id, job.job_id))
        self.store.claims.requeue(items, START)
        self.running.append(job)

    def close_again(self, which: int, _: int) -> None:
        """A round of the workflow is repeated, or comes late."""
        self.store.batches.close_budgets(self.closed[which % len(self.closed)])

    def run(self, steps: list[tuple[str, int, int]]) -> None:
        named: dict[str, tuple[Callable[[int, int], None], list[Any] | None]] = {
            "ask": (self.ask, None),
            "store": (self.place, self.asked),
            "train": (self.train, None),
            "end": (self.end, self.running),
            "end training": (self.end_training, self.training),
            "raise": (self.raise_cap, self.running),
            "again": (self.again, self.closed),
            "close again": (self.close_again, self.closed),
        }
        for name, one, other in steps:
            step, needed = named[name]
            if needed is None or needed:
                with suppress(BudgetExceededError):
                    step(one, other)
            self.check()

    def check(self) -> None:
        for owner in OWNERS:
            own, common = self.store.budgets.of_month(owner, MONTH)
            held = [one for one in self._holding() if one.owner_id == owner]
            assert committed(own) == self.spent[owner] + sum(one.micro_usd for one in held)
            assert sum(own.spent.values()) == self.spent[owner]
            for budget in (own, common):
                assert budget.limit is not None
                assert committed(budget) <= budget.limit
        everybody = sum(one.micro_usd for one in self._holding())
        assert committed(common) == sum(self.spent.values()) + everybody

    def _holding(self) -> list[Reservation]:
        orders: list[BatchJob | TrainingJob] = [*map(self._now, self.running), *self.training]
        return [one.reservation for one in orders if one.reservation is not None]

    def _now(self, job: BatchJob) -> BatchJob:
        return self.store.batches.job(job.owner_id, job.job_id)

    def _line(self) -> Any:
        return build.a_line(f"line {next(self.numbers)}")


def committed(budget: Budget) -> int:
    return sum(budget.spent.values()) + sum(budget.reserved.values())


@profile(300)
@given(steps=STEPS)
def test_concurrent_orders_cannot_overspend_a_budget_in_memory(
    steps: list[tuple[str, int, int]],
) -> None:
    Spending(in_memory(LIMITS)).run(steps)


@pytest.mark.slow
def test_concurrent_orders_cannot_overspend_a_budget_in_dynamodb() -> None:
    @profile(effort(10, 25))
    @given(steps=STEPS)
    def check(steps: list[tuple[str, int, int]]) -> None:
        with moto_aws() as aws:
            Spending(in_dynamodb(aws, LIMITS)).run(steps)

    check()
