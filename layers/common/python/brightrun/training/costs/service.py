"""Adds up what training, writing and judging cost an owner, and shows this month's budgets."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import nlargest
from typing import Literal, get_args

from brightrun.aws.budgets import Budgets
from brightrun.batches.spending_repository import JobSpending, SpendingRepository
from brightrun.core.budgets import Budget, month_of
from brightrun.core.errors import InvalidInputError
from brightrun.core.timestamps import Clock
from brightrun.training.costs.model import CostRecord, CostType
from brightrun.training.costs.repository import CostRecords

Period = Literal["week", "month", "year"]
PERIODS: dict[Period, int] = {"week": 7, "month": 30, "year": 365}
"""Days of a period that ends today, today included."""
DEFAULT_DAYS = 30
MOST_DAYS = 366
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)
MOST_RECORDS = 1000
"""Records that one response lists, the newest ones; the sums are over all."""


@dataclass(frozen=True, slots=True)
class DayOfCosts:
    """The cost of one day, in UTC and in US dollars; `by_type` leaves out what cost nothing."""

    date: datetime.date
    amount: float
    by_type: dict[CostType, float]


@dataclass(frozen=True, slots=True)
class CostSummary:
    """US dollars from the first day to the last, both included, in UTC.

    `chart_data` has every day, also those without a cost. The sums are over all `record_count`
    records, but for the simulated ones, which only `simulated_cost` adds up; `records` holds the
    newest MOST_RECORDS of all, newest first.
    """

    start_date: date
    end_date: date
    total_cost: float
    cost_by_type: dict[CostType, float]
    simulated_cost: float
    chart_data: list[DayOfCosts]
    record_count: int
    records: list[CostRecord]


@dataclass(frozen=True, slots=True)
class BudgetsNow:
    """This month's budgets: the caller's, and the deployment's where that has a limit.

    `training_price_without_cap_usd` is the price above which a training job needs a cap.
    """

    month: str
    owner: Budget
    deployment: Budget | None
    training_price_without_cap_usd: float


@dataclass(frozen=True, slots=True)
class BudgetReader:
    """Shows what may be spent this month, and what is left of it."""

    budgets: Budgets
    clock: Clock
    most_usd_without_cap: float

    def now(self, owner_id: str) -> BudgetsNow:
        """Read the budgets of the current month, in UTC; raises StorageError."""
        month = month_of(self.clock())
        own, common = self.budgets.of_month(owner_id, month)
        shared = common if common.limit is not None else None
        return BudgetsNow(month, own, shared, self.most_usd_without_cap)


@dataclass(frozen=True, slots=True)
class CostSummer:
    """The costs function's service."""

    costs: CostRecords
    spending: SpendingRepository
    clock: Clock

    def summary(
        self, owner_id: str, period: Period | None, first: date | None, last: date | None
    ) -> CostSummary:
        """Add up the costs of a period that ends today, or of the days from `first` to `last`.

        Without any, of the last 30 days; with one day only, of the 30 days that begin or end with
        it, but none after today. Raises InvalidInputError.
        """
        first, last = self._days(period, first, last)
        sums = _Sums()
        newest = nlargest(
            MOST_RECORDS,
            sums.counted(self._records(owner_id, first, last)),
            key=lambda record: (record.recorded_at, record.record_id),
        )
        days = [sums.day(day) for day in _each_day(first, last)]
        by_type = sums.by_type()
        return CostSummary(
            start_date=first,
            end_date=last,
            total_cost=sum(by_type.values()) / 1e6,
            cost_by_type={name: amount / 1e6 for name, amount in by_type.items()},
            simulated_cost=sums.simulated / 1e6,
            chart_data=days,
            record_count=sums.records,
            records=newest,
        )

    def _records(self, owner_id: str, first: date, last: date) -> Iterator[CostRecord]:
        yield from self.costs.between(owner_id, first.isoformat(), last.isoformat())
        for spent in self.spending.between(owner_id, first, last):
            yield _record_of(spent)

    def _days(
        self, period: Period | None, first: date | None, last: date | None
    ) -> tuple[date, date]:
        today = self.clock().date()
        if period is not None:
            if first or last:
                raise InvalidInputError.of_field("period", "Name a period or days, not both.")
            return today - timedelta(days=PERIODS[period] - 1), today
        for field, day in (("start_date", first), ("end_date", last)):
            if day is not None and not EARLIEST <= day <= LATEST:
                raise InvalidInputError.of_field(field, f"Name a day from {EARLIEST} to {LATEST}.")
        return _in_order(*_filled_in(first, last, today))


class _Sums:
    """Sums of records by day and type, in millionths of a US dollar."""

    def __init__(self) -> None:
        self._micro_usd: Counter[tuple[date, CostType]] = Counter()
        self.simulated = 0
        self.records = 0

    def counted(self, records: Iterable[CostRecord]) -> Iterator[CostRecord]:
        """Pass the records on, and add each."""
        for record in records:
            self.records += 1
            if record.simulated:
                self.simulated += record.micro_usd
            else:
                day = date.fromisoformat(record.billing_period)
                self._micro_usd[day, record.cost_type] += record.micro_usd
            yield record

    def by_type(self) -> Counter[CostType]:
        """The sums of all days."""
        total: Counter[CostType] = Counter()
        for (_, cost_type), micro_usd in self._micro_usd.items():
            total[cost_type] += micro_usd
        return total

    def day(self, day: date) -> DayOfCosts:
        """The sums of one day, in US dollars."""
        found = {name: self._micro_usd[day, name] for name in get_args(CostType)}
        return DayOfCosts(
            day,
            sum(found.values()) / 1e6,
            {name: amount / 1e6 for name, amount in found.items() if amount},
        )


_TYPES: Mapping[str, CostType] = {"generate": "writing", "judge": "judging"}


def _record_of(spent: JobSpending) -> CostRecord:
    """The record of what a batch job spent on one day."""
    job, day = spent.job, spent.day.isoformat()
    return CostRecord(
        owner_id=job.owner_id,
        record_id=f"{day}~{job.job_id}{'~simulated' if spent.simulated else ''}",
        job_id=job.job_id,
        cost_type=_TYPES[job.kind],
        amount=spent.micro_usd / 1e6,
        billing_period=day,
        recorded_at=min(job.updated_at, f"{day}T23:59:59.999Z"),
        details={"job_name": job.name, "status": job.status.value, "model": job.model},
        simulated=spent.simulated,
    )


def _filled_in(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    whole = timedelta(days=DEFAULT_DAYS - 1)
    if last is None:
        last = today if first is None else max(first, min(today, first + whole))
    return first or last - whole, last


def _in_order(first: date, last: date) -> tuple[date, date]:
    if first > last:
        raise InvalidInputError.of_field("start_date", f"{first} is after the end, {last}.")
    if (last - first).days >= MOST_DAYS:
        raise InvalidInputError.of_field("end_date", f"A request covers at most {MOST_DAYS} days.")
    return first, last


def _each_day(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
