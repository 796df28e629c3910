"""The progress of a job, and when its items can be claimed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.batches.concurrency import Concurrency, calls_per_worker
from brightrun.batches.model import (
    MAX_CALLS,
    MAX_CALLS_PER_WORKER,
    MAX_ITEMS,
    MAX_WORKERS,
    BatchItem,
    BatchJob,
    ItemStatus,
    JobAction,
    JobStatus,
    job_key,
)
from brightrun.core.timestamps import iso
from tests import builders as build
from tests.builders import START

PLANNED = build.a_plan(1)


def job(**changes: Any) -> BatchJob:
    return build.a_job(PLANNED, **{"total_items": 10, **changes})


def item(**changes: Any) -> BatchItem:
    import dataclasses

    return dataclasses.replace(PLANNED.items[0], **changes)


counts = st.tuples(*[st.integers(0, 50)] * 5)


@given(counts)
def test_the_counters_of_a_job_always_add_up_to_its_items(states: tuple[int, ...]) -> None:
    queued, processing, successful, failed, cancelled = states
    one = job(
        total_items=sum(states),
        processing_items=processing,
        successful_items=successful,
        failed_items=failed,
        cancelled_items=cancelled,
    )
    assert one.queued_items == queued
    assert one.open_items == queued + processing
    assert one.completed_items == successful + failed
    assert one.ended_items + one.open_items == one.total_items
    assert 0 <= one.percentage <= 100


def test_progress_has_one_decimal_and_counts_all_ended_items() -> None:
    ended = job(total_items=7, successful_items=1, failed_items=1, cancelled_items=1)
    assert ended.percentage == 42.9


def test_a_job_without_items_is_at_100_percent() -> None:
    assert job(total_items=0).percentage == 100.0


def test_the_time_left_is_the_measured_time_per_item_times_the_open_items() -> None:
    started = job(started_at=iso(START), successful_items=3, failed_items=1)
    assert started.seconds_remaining(START + timedelta(seconds=40)) == 60


@pytest.mark.parametrize(
    "unknown", [job(started_at=None), job(successful_items=0, failed_items=0, cancelled_items=5)]
)
def test_the_time_left_is_unknown_before_the_first_result(unknown: BatchJob) -> None:
    assert unknown.seconds_remaining(START) is None


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED])
def test_no_time_is_left_of_an_ended_job(status: JobStatus) -> None:
    assert job(status=status, successful_items=5).seconds_remaining(START) == 0


def test_a_clock_that_goes_back_never_makes_the_time_left_negative() -> None:
    assert job(successful_items=1).seconds_remaining(START - timedelta(hours=1)) == 0


@pytest.mark.parametrize("status", JobStatus)
def test_only_a_processing_job_accepts_claims(status: JobStatus) -> None:
    assert job(status=status).accepts_claims is (status is JobStatus.PROCESSING)
    assert not job(status=status, stop_reason="Item 1 failed").accepts_claims


@pytest.mark.parametrize(
    ("changes", "final"),
    [
        ({"successful_items": 10}, JobStatus.COMPLETED),
        ({"successful_items": 1, "failed_items": 9}, JobStatus.COMPLETED),
        ({"successful_items": 1, "cancelled_items": 9}, JobStatus.COMPLETED),
        ({"failed_items": 10}, JobStatus.FAILED),
        (
            {"successful_items": 8, "failed_items": 1, "cancelled_items": 1, "stop_reason": "x"},
            JobStatus.FAILED,
        ),
    ],
)
def test_a_job_fails_when_nothing_succeeded_or_an_error_stopped_it(
    changes: dict[str, Any], final: JobStatus
) -> None:
    assert job(**changes).final_status() is final


def test_each_run_has_an_execution_of_its_own() -> None:
    assert job(run=1).execution_name != job(run=2).execution_name
    assert job(run=2).execution_name == f"{PLANNED.plan.job_id}-2"


def test_a_queued_item_can_be_claimed_at_once_or_at_its_retry_time() -> None:
    assert item().claimable_at() == 0
    assert item(retry_at=5000).claimable_at() == 5000


def test_an_item_in_progress_can_be_claimed_when_its_lease_has_expired() -> None:
    held = item(status=ItemStatus.PROCESSING, lease_token="a", lease_expires_at=9000)
    assert held.claimable_at() == 9000


@pytest.mark.parametrize("status", [ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.CANCELLED])
def test_an_ended_item_is_never_claimed(status: ItemStatus) -> None:
    assert item(status=status).claimable_at() is None


def test_two_owners_jobs_never_share_a_key() -> None:
    assert job_key("owner-1", "job") != job_key("owner-2", "job")


@given(st.integers(1, MAX_ITEMS), st.integers(1, MAX_WORKERS))
def test_workers_divide_the_items_evenly_up_to_their_limit(items: int, workers: int) -> None:
    calls = calls_per_worker(items, workers)
    assert 1 <= calls <= MAX_CALLS_PER_WORKER
    assert calls * workers >= min(items, MAX_CALLS_PER_WORKER * workers)


@given(st.integers(1, MAX_CALLS), st.integers(1, MAX_ITEMS))
def test_so_many_calls_are_in_flight_as_were_ordered_or_as_there_are_items(
    calls: int, items: int
) -> None:
    divided = Concurrency.of_calls(calls, items)
    shown = job(
        concurrent_processing=divided.workers,
        calls_per_worker=divided.calls_per_worker,
        calls_in_flight=divided.calls_in_flight,
    )
    each = [shown.calls_of(worker) for worker in range(divided.workers)]
    assert sum(each) == shown.most_calls_in_flight == min(calls, items)
    assert max(each) == divided.calls_per_worker <= MAX_CALLS_PER_WORKER
    assert min(each) >= 1
    assert divided.workers <= MAX_WORKERS


def test_an_order_by_workers_has_v1s_meaning() -> None:
    divided = Concurrency.of_workers(3, 1000)
    assert (divided.workers, divided.most_calls, divided.calls_in_flight) == (3, 75, None)
    shown = job(concurrent_processing=3, calls_per_worker=25)
    assert [shown.calls_of(worker) for worker in range(3)] == [25] * 3


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"status": JobStatus.PROCESSING}, "Processing: 57 of 60 succeeded."),
        ({"total_items": 57}, "Completed: 57 of 57 succeeded."),
        (
            {"failed_items": 3},
            "Completed with failures: 57 of 60 succeeded, 3 failed; retry those that failed.",
        ),
        (
            {"cancelled_items": 3, "max_cost_micro_usd": 1_500_000},
            "Completed up to its cap of $1.50: 57 of 60 succeeded, 3 remain: "
            "raise the cap and resume.",
        ),
        (
            {"status": JobStatus.CANCELLED, "cancelled_items": 3},
            "Cancelled: 57 of 60 succeeded, 3 cancelled.",
        ),
    ],
)
def test_the_status_line_says_what_an_ended_job_leaves_to_do(
    changes: dict[str, Any], line: str
) -> None:
    ended = {"status": JobStatus.COMPLETED, "total_items": 60, "successful_items": 57}
    assert job(**{**ended, **changes}).status_line == line


def test_a_callers_limit_lowers_the_calls_of_a_worker_and_never_raises_them() -> None:
    assert calls_per_worker(200, 2, 10) == 10
    assert calls_per_worker(200, 2, MAX_CALLS_PER_WORKER + 1) == MAX_CALLS_PER_WORKER
    assert calls_per_worker(6, 2, 10) == 3


def test_a_job_is_closed_only_with_the_status_that_its_counters_give() -> None:
    open_still = job(successful_items=9)
    succeeded = job(successful_items=10)
    assert open_still.after(JobAction.COMPLETE) is None
    assert succeeded.after(JobAction.FAIL) is None
    assert succeeded.after(JobAction.COMPLETE) is JobStatus.COMPLETED
    assert job(failed_items=10).after(JobAction.FAIL) is JobStatus.FAILED


def test_every_other_action_follows_the_transition_table() -> None:
    assert job().after(JobAction.PAUSE) is JobStatus.PAUSED
    assert job(status=JobStatus.COMPLETED).after(JobAction.PAUSE) is None
