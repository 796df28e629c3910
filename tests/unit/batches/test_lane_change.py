"""The change of lanes: what Message Batches have not answered in time is written in realtime."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import timedelta

import pytest

from brightrun.batches.model import BatchJob, JobStatus
from brightrun.core.timestamps import iso
from tests.builders import OWNER, START
from tests.fakes.message_batches import BothLanes
from tests.unit.batches.test_economy_lane import (
    BROKEN,
    BUSY,
    GOOD,
    LOST,
    Economy,
    heard_by_nobody,
)

SWITCH_S = 1_800
"""Half an hour, while a Message Batch takes an hour."""
DONE_BY_S = 7_200
BATCHED, CALLED = 9_500, 19_000
"""What an answer costs in the economy lane, and by a call of its own."""
WORKERS = 2


class BothLanesEconomy(Economy):
    """An economy lane whose Claude also answers calls, and a job that changes lanes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.claude = BothLanes(self.batches)
        self.world.claude = self.claude  # type: ignore[assignment]
        self.events: list[tuple[str, float]] = []
        self.batches.before = self.note

    def note(self, name: str) -> None:
        self.events.append((name, (self.world.clock() - START).total_seconds()))

    def deadline_job(self, items: int = 4, **changes: object) -> BatchJob:
        defaults = {
            "lane": "economy",
            "concurrent_processing": WORKERS,
            "switch_at": iso(START + timedelta(seconds=SWITCH_S)),
            "done_by": iso(START + timedelta(seconds=DONE_BY_S)),
        }
        job = self.world.job(items, **{**defaults, **changes})
        plan = self.world.runner()._plan(job)
        for item in self.world.items(job):
            self.prompts[plan.prompt(item).user] = item.position
        return job

    def rounds(self, job: BatchJob, *, most: int = 20) -> None:
        """Go on as the workflow would: all workers of a round, the waiting one to its end."""
        for _ in range(most):
            for worker in reversed(range(WORKERS)):
                self.work(job, worker)
            ended = self.world.finish(job)
            if ended.status == "finished":
                return
            self.world.clock.advance(ended.wait_seconds)
        raise AssertionError("the job did not come to its end")

    def work(self, job: BatchJob, worker: int) -> None:
        for _ in range(60):
            result = self.world.run_worker(job, worker=worker)
            if result.status not in {"wait", "continue"}:
                return
            self.world.clock.advance(result.wait_seconds)
        raise AssertionError("the worker does not end")

    def at(self, name: str) -> list[float]:
        return [seconds for event, seconds in self.events if event == name]


def test_what_is_not_answered_by_then_is_cancelled_and_written_by_calls() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    both.rounds(job)
    assert both.at("Batches.cancel") == [pytest.approx(SWITCH_S, abs=1)]
    assert len(both.batches.all) == 1
    assert (len(both.batches.paid), len(both.claude.called)) == (2, 2)
    assert both.statuses(job) == {"completed": 4}
    assert max(both.turns.values()) == 1, "nothing is asked twice"
    assert both.world.batches.submissions(OWNER, job.job_id) == []


def test_each_item_is_billed_at_the_price_of_the_lane_that_answered_it() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    both.rounds(job)
    costs = Counter(item.cost_micro_usd for item in both.world.items(job))
    assert costs == {BATCHED: 2, CALLED: 2}
    assert both.world.now(job).cost_micro_usd == 2 * BATCHED + 2 * CALLED


def test_a_batch_that_is_answered_in_time_never_changes_lanes() -> None:
    both = BothLanesEconomy()
    both.batches.takes_s = 600
    job = both.deadline_job(4)
    both.rounds(job)
    now = both.world.now(job)
    assert (both.at("Batches.cancel"), both.claude.called) == ([], [])
    assert now.cost_micro_usd == 4 * BATCHED
    assert now.lane_at(START + timedelta(days=1)) == "economy"
    assert now.was_on_time


def test_no_wait_goes_beyond_the_change() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(2)
    both.world.clock.advance(SWITCH_S - 100)
    both.world.run_worker(job)
    both.world.clock.advance(70)
    assert both.world.run_worker(job).wait_seconds == 30
    assert both.world.finish(job).wait_seconds <= 30


def test_the_other_workers_of_a_round_do_nothing_before_the_change() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    assert both.world.run_worker(job, worker=1).status == "drained"
    assert both.world.statuses(job) == ["queued"] * 4
    assert both.batches.all == {}


def test_after_the_change_every_worker_writes_and_nothing_is_sent_any_more() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    both.world.clock.advance(SWITCH_S)
    both.rounds(job)
    assert both.batches.all == {}
    assert both.statuses(job) == {"completed": 4}
    assert both.world.now(job).cost_micro_usd == 4 * CALLED


def test_an_unusable_answer_of_the_economy_lane_is_mended_by_a_call_and_counted_once() -> None:
    both = BothLanesEconomy(script={1: [BROKEN, GOOD]})
    both.batches.takes_s = SWITCH_S - 60
    job = both.deadline_job(1)
    both.rounds(job)
    item = both.world.items(job)[0]
    assert "could not be used" in both.claude.called[0]
    assert item.status == "completed"
    assert item.cost_micro_usd == both.world.now(job).cost_micro_usd == BATCHED + CALLED
    record = next(iter(both.world.batches.conversations.values()))
    assert record.cost_micro_usd == BATCHED + CALLED


def test_a_batch_whose_creation_nobody_heard_of_is_found_before_its_items_are_written() -> None:
    both = BothLanesEconomy()
    both.batches.after = heard_by_nobody()
    job = both.deadline_job(4)
    both.world.clock.advance(SWITCH_S - 10)
    both.rounds(job)
    assert len(both.batches.all) == 1
    assert max(both.turns.values()) == 1, "nothing is paid twice"
    assert both.statuses(job) == {"completed": 4}


def test_what_was_certainly_not_sent_by_then_is_written_by_calls() -> None:
    both = BothLanesEconomy()
    both.batches.refusals = [BUSY]
    job = both.deadline_job(4)
    both.world.clock.advance(SWITCH_S - 10)
    both.rounds(job)
    assert both.batches.all == {}
    assert both.statuses(job) == {"completed": 4}


def test_a_worker_that_dies_over_the_cancellation_changes_nothing_in_the_end() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    both.world.run_worker(job)
    both.world.clock.advance(SWITCH_S)
    died: list[str] = []

    def after(name: str) -> None:
        if name == "Batches.cancel" and not died:
            died.append(name)
            raise LOST

    both.batches.after = after
    both.rounds(job)
    assert (len(both.batches.paid), len(both.claude.called)) == (2, 2)
    assert both.statuses(job) == {"completed": 4}


def test_a_job_that_is_cancelled_after_the_change_ends_as_cancelled() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    both.world.run_worker(job)
    both.world.clock.advance(SWITCH_S)
    both.world.run_worker(job)
    both.world.controls().cancel(OWNER, job.job_id)
    both.rounds(job)
    assert both.statuses(job) == {"completed": 2, "cancelled": 2}
    assert both.world.now(job).was_on_time is None
    assert both.claude.called == []


def test_a_job_that_is_paused_over_the_change_is_written_by_calls_when_it_is_resumed() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    both.world.run_worker(job)
    both.world.controls().pause(OWNER, job.job_id)
    both.world.clock.advance(SWITCH_S)
    both.rounds(job)
    assert both.world.now(job).status is JobStatus.PAUSED
    both.world.controls().resume(OWNER, job.job_id)
    both.rounds(job)
    assert both.statuses(job) == {"completed": 4}
    assert len(both.claude.called) == 2


def test_a_capped_job_reserves_the_realtime_price_from_the_start() -> None:
    both = BothLanesEconomy()
    most_in_realtime = 300_000
    job = both.deadline_job(4, max_cost_micro_usd=950_000, item_bound_micro_usd=most_in_realtime)
    both.world.run_worker(job)
    assert len(both.batches.all["msgbatch_1"].requests) == 3
    assert both.world.now(job).committed_micro_usd == 3 * most_in_realtime
    both.rounds(job)
    now = both.world.now(job)
    assert (now.successful_items, now.committed_micro_usd) == (4, now.cost_micro_usd)


def test_the_log_tells_the_change() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    both.rounds(job)
    told = "Message Batch msgbatch_1 is cancelled: what it has not answered goes on in realtime"
    assert both.world.log(job).count(told) == 1


def test_a_job_tells_its_lane_its_deadline_and_whether_it_was_met() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    assert (job.lane_at(START), job.was_on_time) == ("economy", None)
    assert "to be done by 2026-11-21T14:00:00.000Z (economy lane until" in job.status_line
    both.rounds(job)
    now = both.world.now(job)
    assert (now.lane_at(both.world.clock()), now.was_on_time) == ("realtime", True)
    assert now.status_line == ("Completed: 4 of 4 succeeded, in time for 2026-11-21T14:00:00.000Z.")
    late = dataclasses.replace(now, done_by=iso(START))
    assert late.was_on_time is False
    assert late.status_line.endswith("not in time for 2026-11-21T12:00:00.000Z.")


def test_what_a_job_of_two_prices_cost_is_not_compared_with_its_quote() -> None:
    both = BothLanesEconomy()
    job = both.deadline_job(4)
    both.rounds(job)
    assert both.world.now(job).quote_error is None
