"""Adds up what an owner's training cost over some days."""

from __future__ import annotations

import datetime
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from brightrun.core.errors import InvalidInputError
from brightrun.core.timestamps import Clock
from brightrun.training.costs.model import DECIMALS, CostRecord
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
    """The cost of one day, in UTC and in US dollars."""

    date: datetime.date
    amount: float


@dataclass(frozen=True, slots=True)
class CostSummary:
    """US dollars from the first day to the last, both included, in UTC.

    `chart_data` has every day, also those without a cost. The sums are over all `record_count`
    records; `records` holds the newest MOST_RECORDS of them, newest first.
    """

    start_date: date
    end_date: date
    total_cost: float
    cost_by_type: dict[str, float]
    chart_data: list[DayOfCosts]
    record_count: int
    records: list[CostRecord]


@dataclass(frozen=True, slots=True)
class CostSummer:
    """The costs function's service."""

    costs: CostRecords
    clock: Clock

    def summary(
        self, owner_id: str, period: Period | None, first: date | None, last: date | None
    ) -> CostSummary:
        """Add up the costs of a period that ends today, or of the days from `first` to `last`.

        Without any, of the last 30 days; with one day only, of the 30 days that begin or end with
        it, but none after today. Raises InvalidInputError.
        """
        first, last = self._days(period, first, last)
        by_type: defaultdict[str, float] = defaultdict(float)
        by_day = dict.fromkeys(_each_day(first, last), 0.0)
        newest: deque[CostRecord] = deque(maxlen=MOST_RECORDS)
        count = 0
        for record in self.costs.between(owner_id, first.isoformat(), last.isoformat()):
            by_type[record.cost_type] += record.amount
            by_day[date.fromisoformat(record.billing_period)] += record.amount
            newest.append(record)
            count += 1
        return CostSummary(
            start_date=first,
            end_date=last,
            total_cost=round(sum(by_day.values()), DECIMALS),
            cost_by_type={name: round(amount, DECIMALS) for name, amount in by_type.items()},
            chart_data=[DayOfCosts(day, round(amount, DECIMALS)) for day, amount in by_day.items()],
            record_count=count,
            records=list(reversed(newest)),
        )

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
