"""Adding up costs; which days are taken is shown in the handler's tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from brightrun.batches.spending_repository import JobSpending
from brightrun.core.timestamps import iso
from brightrun.training.costs.model import CostRecord, cost_record
from brightrun.training.costs.service import MOST_RECORDS, CostSummer, DayOfCosts
from brightrun.training.model import TrainingJob
from tests.builders import OWNER, START, SteppedClock
from tests.fakes.training_jobs import a_training_job


class ManyRecords:
    """CostRecords of one day, a second apart, of 10 cents each."""

    def __init__(self, count: int) -> None:
        job = a_training_job(status="completed", final_cost=0.1)
        self._records = [cost_record(job, START + timedelta(seconds=n)) for n in range(count)]

    def between(self, owner_id: str, first_day: str, last_day: str) -> Iterator[CostRecord]:
        yield from self._records

    def of_job(self, job: TrainingJob) -> list[CostRecord]:
        return self._records


class NothingSpent:
    """Of an owner without batches."""

    def between(self, owner_id: str, first: date, last: date) -> Iterator[JobSpending]:
        return iter(())


def summer(records: int) -> CostSummer:
    return CostSummer(ManyRecords(records), NothingSpent(), SteppedClock())


def test_the_sums_are_over_all_records_and_the_newest_are_listed() -> None:
    count = MOST_RECORDS + 5
    summary = summer(count).summary(OWNER, "week", None, None)
    assert (summary.record_count, len(summary.records)) == (count, MOST_RECORDS)
    assert summary.total_cost == summary.cost_by_type["training_compute"] == 100.5
    assert DayOfCosts(date(2026, 11, 21), 100.5, {"training_compute": 100.5}) in summary.chart_data
    newest = START + timedelta(seconds=count - 1)
    assert summary.records[0].recorded_at == iso(newest)


def test_tenths_that_no_double_holds_add_up_to_what_people_expect() -> None:
    summary = summer(3).summary(OWNER, None, None, None)
    assert summary.total_cost == 0.3
