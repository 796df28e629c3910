"""The contract of the batch repositories, in memory and in DynamoDB."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from brightrun.batches.claim_repository import ClaimRepository, Outcome
from brightrun.batches.economy.model import Submission
from brightrun.batches.model import (
    CLOSING_ACTIONS,
    JOB_TRANSITIONS,
    BatchItem,
    BatchJob,
    ItemStatus,
    JobAction,
    JobStatus,
    Quote,
    TokensUsed,
)
from brightrun.batches.repository import BatchRepository
from brightrun.core.errors import (
    ActionNotAllowedError,
    CapReachedError,
    ClaimsClosedError,
    InvalidCursorError,
    LeaseLostError,
    NotFoundError,
    RecordTooLargeError,
)
from tests import builders as build
from tests.aws import Aws
from tests.builders import OWNER, START, STRANGER
from tests.fakes.batches import InMemoryBatches


@dataclass(frozen=True)
class Store:
    batches: BatchRepository
    claims: ClaimRepository


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        memory = InMemoryBatches()
        return Store(memory, memory)
    aws = request.getfixturevalue("aws")
    return Store(aws.batches, aws.claims)


def stored_job(store: Store, items: int = 4, **changes: Any) -> BatchJob:
    planned = build.a_plan(items)
    job = build.a_job(planned, **changes)
    store.batches.create(job, planned.items)
    return job


def claim(store: Store, job: BatchJob, count: int, token: str = "worker-a") -> list[BatchItem]:
    items = store.claims.next_items(OWNER, job.job_id, count)
    return store.claims.claim(items, build.a_lease(token), build.lines_for(items), START)


def counted(job: BatchJob) -> dict[ItemStatus, int]:
    counts = {
        ItemStatus.QUEUED: job.queued_items,
        ItemStatus.PROCESSING: job.processing_items,
        ItemStatus.COMPLETED: job.successful_items,
        ItemStatus.FAILED: job.failed_items,
        ItemStatus.CANCELLED: job.cancelled_items,
    }
    return {status: number for status, number in counts.items() if number}


def assert_counters_equal_item_states(store: Store, job_id: str) -> None:
    page = store.batches.items(OWNER, job_id, status=None, limit=100, cursor=None)
    states = Counter(item.status for item in page.records)
    assert counted(store.batches.job(OWNER, job_id)) == dict(states)


def test_a_job_and_its_items_are_read_as_they_were_stored(store: Store) -> None:
    planned = build.a_plan(3)
    job = build.a_job(planned)
    store.batches.create(job, planned.items)
    assert store.batches.job(OWNER, job.job_id) == job
    page = store.batches.items(OWNER, job.job_id, status=None, limit=100, cursor=None)
    assert list(page.records) == planned.items


def test_storing_a_job_again_changes_nothing(store: Store) -> None:
    planned = build.a_plan(3)
    job = build.a_job(planned)
    store.batches.create(job, planned.items)
    claim(store, job, 2)
    store.batches.create(job, planned.items)
    assert store.batches.job(OWNER, job.job_id).processing_items == 2
    assert_counters_equal_item_states(store, job.job_id)


def test_another_owners_job_is_not_found(store: Store) -> None:
    job = stored_job(store)
    with pytest.raises(NotFoundError) as strangers:
        store.batches.job(STRANGER, job.job_id)
    with pytest.raises(NotFoundError) as missing:
        store.batches.job(OWNER, "no-such-job")
    assert strangers.value.message.replace(job.job_id, "X") == missing.value.message.replace(
        "no-such-job", "X"
    )
    assert (
        store.batches.items(STRANGER, job.job_id, status=None, limit=5, cursor=None).records == ()
    )


def test_jobs_are_listed_newest_first_and_by_status(store: Store) -> None:
    older = stored_job(store, 1)
    newer_plan = build.a_plan(1, job_id="ffffffff-ffff-7fff-8fff-ffffffffffff")
    newer = build.a_job(newer_plan, status=JobStatus.PAUSED)
    store.batches.create(newer, newer_plan.items)
    listed = store.batches.jobs(OWNER, status=None, limit=10, cursor=None).records
    assert [job.job_id for job in listed] == [newer.job_id, older.job_id]
    paused = store.batches.jobs(OWNER, status="paused", limit=10, cursor=None).records
    assert [job.job_id for job in paused] == [newer.job_id]


def test_a_rare_status_is_found_page_by_page_without_reading_all_at_once(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only DynamoDB reads before it filters."""
    monkeypatch.setattr("brightrun.aws.dynamodb._FILTERED_READ", 1)
    store = Store(aws.batches, aws.claims)
    for number in range(20):
        planned = build.a_plan(1, job_id=f"{number:08}-0000-7000-8000-000000000000")
        status = JobStatus.PROCESSING if number else JobStatus.PAUSED
        store.batches.create(build.a_job(planned, status=status), planned.items)
    pages: list[int] = []
    cursor = None
    while not pages or cursor:
        page = store.batches.jobs(OWNER, status="paused", limit=10, cursor=cursor)
        pages.append(len(page.records))
        cursor = page.next_cursor
    assert pages == [0, 0, 1]


def test_pages_follow_each_other_without_gap_or_repetition(store: Store) -> None:
    job = stored_job(store, 7)
    seen, cursor = [], None
    while True:
        page = store.batches.items(OWNER, job.job_id, status=None, limit=3, cursor=cursor)
        seen += [item.position for item in page.records]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [1, 2, 3, 4, 5, 6, 7]


def test_a_filtered_page_is_filled(store: Store) -> None:
    job = stored_job(store, 6)
    for item in claim(store, job, 6):
        outcome = build.failed() if item.position % 2 else build.completed()
        build.end_item(store.claims, item, outcome, START)
    first = store.batches.items(OWNER, job.job_id, status="failed", limit=2, cursor=None)
    rest = store.batches.items(
        OWNER, job.job_id, status="failed", limit=2, cursor=first.next_cursor
    )
    assert [item.position for item in (*first.records, *rest.records)] == [1, 3, 5]
    assert rest.next_cursor is None


@pytest.mark.parametrize("cursor", ["nonsense", "e30", "bnVsbA"])
def test_a_made_up_cursor_is_refused(store: Store, cursor: str) -> None:
    job = stored_job(store)
    with pytest.raises(InvalidCursorError):
        store.batches.items(OWNER, job.job_id, status=None, limit=3, cursor=cursor)


def test_a_cursor_of_another_job_is_refused(store: Store) -> None:
    job, other = stored_job(store, 5), stored_job(store, 5)
    page = store.batches.items(OWNER, other.job_id, status=None, limit=2, cursor=None)
    with pytest.raises(InvalidCursorError):
        store.batches.items(OWNER, job.job_id, status=None, limit=2, cursor=page.next_cursor)


def test_two_workers_are_never_assigned_the_same_positions(store: Store) -> None:
    job = stored_job(store, 5)
    first = store.claims.next_items(OWNER, job.job_id, 3)
    second = store.claims.next_items(OWNER, job.job_id, 3)
    assert [item.position for item in first] == [1, 2, 3]
    assert [item.position for item in second] == [4, 5]
    assert store.claims.next_items(OWNER, job.job_id, 3) == []


def test_a_claim_leases_the_items_and_counts_them(store: Store) -> None:
    job = stored_job(store)
    claimed = claim(store, job, 3)
    assert {item.status for item in claimed} == {ItemStatus.PROCESSING}
    assert {(item.attempts, item.lease_token) for item in claimed} == {(1, "worker-a")}
    assert list(store.batches.open_items(OWNER, job.job_id))[:3] == claimed
    assert_counters_equal_item_states(store, job.job_id)


def test_second_claim_of_the_same_item_is_refused(store: Store) -> None:
    job = stored_job(store)
    items = store.claims.next_items(OWNER, job.job_id, 2)
    lines = build.lines_for(items)
    assert len(store.claims.claim(items, build.a_lease("worker-a"), lines, START)) == 2
    again = build.lines_for(items)
    assert store.claims.claim(items, build.a_lease("worker-b"), again, START) == []
    assert_counters_equal_item_states(store, job.job_id)


def test_a_claim_leases_the_items_that_are_free(store: Store) -> None:
    job = stored_job(store)
    items = store.claims.next_items(OWNER, job.job_id, 3)
    store.claims.claim(items[:1], build.a_lease("worker-a"), build.lines_for(items[:1]), START)
    claimed = store.claims.claim(items, build.a_lease("worker-b"), build.lines_for(items), START)
    assert [item.position for item in claimed] == [2, 3]
    assert_counters_equal_item_states(store, job.job_id)


def test_an_item_is_claimed_again_only_when_its_lease_has_expired(store: Store) -> None:
    job = stored_job(store)
    held = claim(store, job, 1)
    later = build.START.replace(minute=1, second=1)
    lines = build.lines_for(held)
    assert store.claims.claim(held, build.a_lease("worker-b"), lines, START) == []
    taken = store.claims.claim(
        held, build.a_lease("worker-b", at=later), build.lines_for(held), later
    )
    assert [(item.attempts, item.lease_token) for item in taken] == [(2, "worker-b")]
    assert store.batches.job(OWNER, job.job_id).processing_items == 1


def test_a_renewed_lease_outlasts_its_first_expiry(store: Store) -> None:
    job = stored_job(store)
    held = claim(store, job, 1)
    later = START.replace(minute=1, second=1)
    store.claims.renew(held[0], build.a_lease("worker-a", at=later))
    assert store.claims.claim(held, build.a_lease("worker-b"), build.lines_for(held), later) == []


def test_a_lost_lease_cannot_be_renewed_or_completed(store: Store) -> None:
    job = stored_job(store)
    held = claim(store, job, 1)
    later = START.replace(minute=5)
    taken = store.claims.claim(
        held, build.a_lease("worker-b", at=later), build.lines_for(held), later
    )
    with pytest.raises(LeaseLostError):
        store.claims.renew(held[0], build.a_lease("worker-a", at=later))
    with pytest.raises(LeaseLostError):
        build.end_item(store.claims, held[0], build.completed(), later)
    build.end_item(store.claims, taken[0], build.completed(), later)
    with pytest.raises(LeaseLostError):
        build.end_item(store.claims, taken[0], build.completed(), later)
    assert store.batches.job(OWNER, job.job_id).successful_items == 1


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (build.completed(), ItemStatus.COMPLETED),
        (build.failed(), ItemStatus.FAILED),
        (Outcome(ItemStatus.QUEUED, [build.a_line()], retry_at=1), ItemStatus.QUEUED),
    ],
)
def test_an_outcome_changes_item_and_counters_together(
    store: Store, outcome: Outcome, status: ItemStatus
) -> None:
    job = stored_job(store)
    item = claim(store, job, 1)[0]
    build.end_item(store.claims, item, outcome, START)
    page = store.batches.items(OWNER, job.job_id, status=None, limit=1, cursor=None)
    ended = page.records[0]
    assert ended.status is status
    assert ended.lease_token is None
    assert ended.retry_at == outcome.retry_at
    assert ended.error_code == outcome.error_code
    assert_counters_equal_item_states(store, job.job_id)


def test_tokens_and_cost_add_up_on_the_job(store: Store) -> None:
    job = stored_job(store)
    for item in claim(store, job, 2):
        build.end_item(store.claims, item, build.completed(simulated=True), START)
    after = store.batches.job(OWNER, job.job_id)
    assert (after.input_tokens, after.output_tokens, after.cost_micro_usd) == (20, 40, 600)
    assert after.simulated


def test_what_prompts_read_from_the_cache_and_saved_adds_up_on_the_job(store: Store) -> None:
    job = stored_job(store)
    wrote = build.completed(cache_calls=1, cache_write_tokens=6_000, cache_saved_micro_usd=-3_000)
    read = build.failed(cache_calls=2, cache_read_tokens=900, cache_saved_micro_usd=1_710)
    for item, outcome in zip(claim(store, job, 2), (wrote, read), strict=True):
        build.end_item(store.claims, item, outcome, START)
    after = store.batches.job(OWNER, job.job_id)
    assert (after.cache_calls, after.cache_read_tokens) == (3, 900)
    assert (after.cache_write_tokens, after.cache_saved_micro_usd) == (6_000, -1_290)


def test_tokens_and_cost_add_up_on_an_item_over_its_generations(store: Store) -> None:
    job = stored_job(store)
    spent = {"input_tokens": 5, "output_tokens": 7, "cost_micro_usd": 90}
    build.end_item(store.claims, claim(store, job, 1)[0], build.failed(**spent), START)
    store.claims.requeue(list(store.batches.retryable_items(OWNER, job.job_id)), START)
    again = next(iter(store.batches.open_items(OWNER, job.job_id)))
    held = store.claims.claim([again], build.a_lease(), build.lines_for([again]), START)
    build.end_item(store.claims, held[0], build.completed(), START)
    (ended,) = store.batches.ended_items(OWNER, job.job_id)
    assert (ended.input_tokens, ended.output_tokens, ended.cost_micro_usd) == (15, 27, 390)


def test_a_job_keeps_its_quote_and_what_it_used_until_it_is_retried(store: Store) -> None:
    quote = Quote(1_000, 1_300, "own_batches", conversations=40, batches=2)
    job = stored_job(store, 2, quote=quote)
    one, other = claim(store, job, 2)
    build.end_item(store.claims, one, build.completed(), START)
    build.end_item(store.claims, other, build.failed(), START)
    used = (TokensUsed("t-1", "an_arc", 2, 10, 20, 200), TokensUsed("t-2", "an_arc", 1, 1, 1, 1))
    line = build.a_line()
    closed = store.batches.apply(OWNER, job.job_id, JobAction.COMPLETE, START, line, used)
    assert (closed.quote, closed.used) == (quote, used)
    retried = store.batches.apply(
        OWNER, job.job_id, JobAction.RETRY_FAILED, START, build.a_line("again")
    )
    assert (retried.quote, retried.used) == (quote, ())


def test_items_end_together_but_for_the_one_whose_lease_is_lost(store: Store) -> None:
    job = stored_job(store, 6)
    held = claim(store, job, 5)
    later = START.replace(minute=5)
    lost = store.claims.claim(
        held[1:2], build.a_lease("worker-b", at=later), build.lines_for(held[1:2]), later
    )
    outcomes = [build.completed(lines=[build.a_line(f"ended {n}")]) for n in (1, 2, 3, 4)]
    outcomes.append(build.failed(lines=[build.a_line("ended 5")]))
    errors = store.claims.complete(list(zip(held, outcomes, strict=True)), later)
    assert {position: type(error) for position, error in errors.items()} == {2: LeaseLostError}
    assert_counters_equal_item_states(store, job.job_id)
    after = store.batches.job(OWNER, job.job_id)
    assert (after.successful_items, after.failed_items, after.processing_items) == (3, 1, 1)
    assert (after.input_tokens, after.cost_micro_usd) == (30, 900)
    log = store.batches.log(OWNER, job.job_id, limit=50, cursor=None).records
    assert [line.message for line in log if line.message.startswith("ended")] == [
        "ended 1",
        "ended 3",
        "ended 4",
        "ended 5",
    ]
    build.end_item(store.claims, lost[0], build.completed(), later)


def test_more_items_end_together_than_a_transaction_holds(store: Store) -> None:
    job = stored_job(store, 100)
    held = [*claim(store, job, 70), *claim(store, job, 30, "worker-b")]
    ended = [(item, build.completed(lines=[build.a_line("done")])) for item in held]
    assert store.claims.complete(ended, START) == {}
    assert store.batches.job(OWNER, job.job_id).successful_items == 100
    assert_counters_equal_item_states(store, job.job_id)


def test_a_record_that_no_row_can_hold_leaves_its_item_and_no_other(aws: Aws) -> None:
    """Only DynamoDB has the limit of 400 KB."""
    store = Store(aws.batches, aws.claims)
    job = stored_job(store, 3)
    held = claim(store, job, 3)
    messages = ["short", "x" * 401 * 1024, "short"]
    ended = [
        (item, build.failed(error_message=message, lines=[build.a_line("failed")]))
        for item, message in zip(held, messages, strict=True)
    ]
    errors = store.claims.complete(ended, START)
    assert {position: type(error) for position, error in errors.items()} == {2: RecordTooLargeError}
    after = store.batches.job(OWNER, job.job_id)
    assert (after.failed_items, after.processing_items) == (2, 1)
    assert_counters_equal_item_states(store, job.job_id)


@pytest.mark.parametrize(
    ("action", "status"),
    [(JobAction.PAUSE, JobStatus.PAUSED), (JobAction.CANCEL, JobStatus.CANCELLED)],
)
def test_a_paused_or_cancelled_job_accepts_completions_but_no_claims(
    store: Store, action: JobAction, status: JobStatus
) -> None:
    job = stored_job(store)
    held = claim(store, job, 1)
    given = store.claims.next_items(OWNER, job.job_id, 1)
    assert store.batches.apply(OWNER, job.job_id, action, START, build.a_line()).status is status
    with pytest.raises(ClaimsClosedError):
        store.claims.next_items(OWNER, job.job_id, 1)
    with pytest.raises(ClaimsClosedError):
        store.claims.claim(given, build.a_lease(), build.lines_for(given), START)
    build.end_item(store.claims, held[0], build.completed(), START)
    assert store.batches.job(OWNER, job.job_id).status is status
    assert_counters_equal_item_states(store, job.job_id)


def test_a_stop_closes_the_job_to_claims(store: Store) -> None:
    job = stored_job(store)
    item = claim(store, job, 1)[0]
    build.end_item(store.claims, item, build.failed(stop_reason="Item 1 failed"), START)
    assert store.batches.job(OWNER, job.job_id).stop_reason == "Item 1 failed"
    with pytest.raises(ClaimsClosedError):
        store.claims.next_items(OWNER, job.job_id, 1)


def test_an_action_that_the_status_does_not_allow_is_refused_with_the_status(store: Store) -> None:
    job = stored_job(store, status=JobStatus.COMPLETED)
    with pytest.raises(ActionNotAllowedError) as refused:
        store.batches.apply(OWNER, job.job_id, JobAction.PAUSE, START, build.a_line())
    assert refused.value.details["status"] == "completed"
    assert store.batches.log(OWNER, job.job_id, limit=5, cursor=None).records == ()


@pytest.mark.parametrize("action", JobAction)
@pytest.mark.parametrize("status", JobStatus)
def test_every_pair_of_a_status_and_an_action_is_decided_as_the_table_says(
    store: Store, status: JobStatus, action: JobAction
) -> None:
    # A job is closed once every item has ended, as failed if all of them failed.
    ended = {"failed_items": 2} if action is JobAction.FAIL else {"successful_items": 2}
    job = stored_job(store, 2, status=status, **(ended if action in CLOSING_ACTIONS else {}))
    leads_to = JOB_TRANSITIONS[action].get(status)
    if leads_to is None:
        with pytest.raises(ActionNotAllowedError):
            store.batches.apply(OWNER, job.job_id, action, START, build.a_line())
    else:
        store.batches.apply(OWNER, job.job_id, action, START, build.a_line())
    assert store.batches.job(OWNER, job.job_id).status is (leads_to or status)


def test_an_action_and_its_log_line_come_together(store: Store) -> None:
    job = stored_job(store)
    line = build.a_line("Job paused by user")
    store.batches.apply(OWNER, job.job_id, JobAction.PAUSE, START, line)
    assert store.batches.log(OWNER, job.job_id, limit=5, cursor=None).records == (line,)


def test_resuming_starts_a_new_run_and_keeps_the_first_start(store: Store) -> None:
    job = stored_job(store)
    store.batches.apply(OWNER, job.job_id, JobAction.PAUSE, START, build.a_line())
    later = START.replace(hour=13)
    resumed = store.batches.apply(OWNER, job.job_id, JobAction.RESUME, later, build.a_line())
    assert (resumed.status, resumed.run) == (JobStatus.PROCESSING, 2)
    assert resumed.started_at == job.started_at


def test_cancelling_items_leaves_those_in_progress(store: Store) -> None:
    job = stored_job(store, 5)
    claim(store, job, 2)
    open_items = list(store.batches.open_items(OWNER, job.job_id))
    assert store.claims.cancel_items(open_items, START) == 3
    assert counted(store.batches.job(OWNER, job.job_id)) == {
        ItemStatus.PROCESSING: 2,
        ItemStatus.CANCELLED: 3,
    }
    assert_counters_equal_item_states(store, job.job_id)


def test_items_of_a_dead_worker_are_cancelled_when_their_lease_has_expired(store: Store) -> None:
    job = stored_job(store, 3)
    claim(store, job, 1)
    later = START.replace(minute=2)
    open_items = list(store.batches.open_items(OWNER, job.job_id))
    assert store.claims.cancel_items(open_items, later) == 3
    assert_counters_equal_item_states(store, job.job_id)


def test_requeued_items_are_a_new_generation(store: Store) -> None:
    job = stored_job(store, 3)
    for item in claim(store, job, 2):
        build.end_item(store.claims, item, build.failed(), START)
    failed = list(store.batches.retryable_items(OWNER, job.job_id))
    assert store.claims.requeue(failed, START) == 2
    assert store.claims.requeue(failed, START) == 0
    again = list(store.batches.open_items(OWNER, job.job_id))[:2]
    assert [(i.generation, i.attempts, i.error_code) for i in again] == [(2, 0, None)] * 2
    assert_counters_equal_item_states(store, job.job_id)


def test_no_item_is_requeued_in_a_job_that_has_ended(store: Store) -> None:
    job = stored_job(store, 1)
    build.end_item(store.claims, claim(store, job, 1)[0], build.failed(), START)
    store.batches.apply(OWNER, job.job_id, JobAction.FAIL, START, build.a_line())
    failed = list(store.batches.retryable_items(OWNER, job.job_id))
    with pytest.raises(ClaimsClosedError):
        store.claims.requeue(failed, START)


def test_more_items_than_fit_one_transaction_are_cancelled(store: Store) -> None:
    job = stored_job(store, 230)
    open_items = list(store.batches.open_items(OWNER, job.job_id))
    assert store.claims.cancel_items(open_items, START) == 230
    assert store.batches.job(OWNER, job.job_id).cancelled_items == 230


def test_the_log_is_complete_and_in_order(store: Store) -> None:
    job = stored_job(store, 4)
    for item in claim(store, job, 4):
        build.end_item(store.claims, item, build.completed(lines=[build.a_line("done")]), START)
    lines = store.batches.log(OWNER, job.job_id, limit=100, cursor=None).records
    messages = [line.message for line in lines]
    assert messages == [*(f"Processing item {n}" for n in range(1, 5)), *["done"] * 4]
    assert [line.entry_id for line in lines] == sorted(line.entry_id for line in lines)


def race(actions: list[Callable[[], Any]]) -> list[Any]:
    barrier = threading.Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = actions[index]()
        except LeaseLostError as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_many_workers_racing_for_an_item_exactly_one_leases_it(store: Store) -> None:
    job = stored_job(store, 1)
    items = store.claims.next_items(OWNER, job.job_id, 1)

    def attempt(token: str) -> Callable[[], list[BatchItem]]:
        line = build.lines_for(items)
        return lambda: store.claims.claim(items, build.a_lease(token), line, START)

    results = race([attempt(f"worker-{number}") for number in range(12)])
    assert sorted(len(result) for result in results) == [0] * 11 + [1]
    assert store.batches.job(OWNER, job.job_id).processing_items == 1


def test_workers_racing_through_a_job_end_every_item_once(store: Store) -> None:
    job = stored_job(store, 24)

    def work(token: str) -> Callable[[], int]:
        def run() -> int:
            done = 0
            while items := claim(store, job, 2, token):
                for item in items:
                    build.end_item(store.claims, item, build.completed(), START)
                    done += 1
            return done

        return run

    results = race([work(f"worker-{number}") for number in range(4)])
    assert sum(results) == 24
    assert store.batches.job(OWNER, job.job_id).successful_items == 24
    assert_counters_equal_item_states(store, job.job_id)


BOUND = 100


def capped_job(store: Store, items: int = 4, cap: int = 250) -> BatchJob:
    return stored_job(store, items, max_cost_micro_usd=cap, item_bound_micro_usd=BOUND)


def claim_capped(store: Store, job: BatchJob, items: list[BatchItem]) -> list[BatchItem]:
    lease, lines = build.a_lease(), build.lines_for(items)
    return store.claims.claim(items, lease, lines, START, job.cap)


def test_no_more_items_are_claimed_than_the_cap_pays_for_at_their_most(store: Store) -> None:
    job = capped_job(store)
    items = store.claims.next_items(OWNER, job.job_id, 4)
    claimed = claim_capped(store, job, items)
    assert [item.reserved_micro_usd for item in claimed] == [BOUND] * 2
    assert store.batches.job(OWNER, job.job_id).committed_micro_usd == 2 * BOUND
    with pytest.raises(CapReachedError):
        claim_capped(store, job, items[2:])
    assert_counters_equal_item_states(store, job.job_id)


def test_what_an_item_did_not_spend_of_its_reservation_pays_for_another(store: Store) -> None:
    job = capped_job(store)
    items = store.claims.next_items(OWNER, job.job_id, 4)
    first, _ = claim_capped(store, job, items)
    build.end_item(store.claims, first, build.completed(cost_micro_usd=50), START)
    assert store.batches.job(OWNER, job.job_id).committed_micro_usd == BOUND + 50
    assert len(claim_capped(store, job, items[2:])) == 1


def test_an_item_that_is_taken_over_is_not_reserved_for_twice(store: Store) -> None:
    job = capped_job(store, items=1, cap=BOUND)
    held = claim_capped(store, job, store.claims.next_items(OWNER, job.job_id, 1))
    later = START + timedelta(seconds=61)
    lease = build.a_lease("worker-b", at=later)
    (taken,) = store.claims.claim(held, lease, build.lines_for(held), later, job.cap)
    assert taken.reserved_micro_usd == BOUND
    assert store.batches.job(OWNER, job.job_id).committed_micro_usd == BOUND
    build.end_item(store.claims, taken, build.completed(cost_micro_usd=30), later)
    assert store.batches.job(OWNER, job.job_id).committed_micro_usd == 30


def test_an_item_that_is_queued_again_gives_its_reservation_back(store: Store) -> None:
    job = capped_job(store)
    first, second = claim_capped(store, job, store.claims.next_items(OWNER, job.job_id, 4))
    again = build.completed(status=ItemStatus.QUEUED, cost_micro_usd=0)
    build.end_item(store.claims, first, again, START)
    expired = START + timedelta(seconds=61)
    store.claims.cancel_items([second], expired)
    assert store.batches.job(OWNER, job.job_id).committed_micro_usd == 0


def test_a_cap_is_raised_and_never_lowered(store: Store) -> None:
    job = capped_job(store)
    for cap in (300, 200):
        store.batches.raise_cap(job, cap, START, build.a_line(f"cap {cap}"))
    assert store.batches.job(OWNER, job.job_id).max_cost_micro_usd == 300
    with pytest.raises(ActionNotAllowedError, match="it has no cap"):
        uncapped = dataclasses.replace(job, max_cost_micro_usd=None)
        store.batches.raise_cap(uncapped, 300, START, build.a_line())


def test_a_job_without_a_cap_commits_nothing(store: Store) -> None:
    job = stored_job(store)
    (item, *_) = claim(store, job, 2)
    build.end_item(store.claims, item, build.completed(), START)
    assert store.batches.job(OWNER, job.job_id).committed_micro_usd == 0


def test_submissions_are_listed_oldest_first_and_change_only_as_they_were_seen(
    store: Store,
) -> None:
    job = stored_job(store, lane="economy")
    late = Submission("b", "2026-11-21T13:00:00.000Z")
    early = Submission("c", "2026-11-21T12:00:00.000Z", held_by="worker-a", held_until=5)
    for one in (late, early):
        store.batches.change_submission(job, None, one)
    sent = dataclasses.replace(early, batch_id="msgbatch_1", requests=4)
    store.batches.change_submission(job, early, sent)
    assert store.batches.submissions(OWNER, job.job_id) == [sent, late]
    with pytest.raises(LeaseLostError):
        store.batches.change_submission(job, early, dataclasses.replace(early, tries=1))
    store.batches.change_submission(job, late, None)
    assert store.batches.submissions(OWNER, job.job_id) == [sent]
    assert store.batches.job(OWNER, job.job_id) == job


def test_a_change_of_a_submission_that_is_repeated_is_no_conflict(store: Store) -> None:
    job = stored_job(store)
    one = Submission("a", "2026-11-21T12:00:00.000Z")
    for _ in range(2):
        store.batches.change_submission(job, None, one)
    for _ in range(2):
        store.batches.change_submission(job, one, None)
    assert store.batches.submissions(OWNER, job.job_id) == []


def test_submissions_of_a_job_that_is_not_there_are_refused(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.batches.submissions(OWNER, "none")
