"""What is seen of a job between two steps, and what must hold of it, whatever came before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from brightrun.batches.model import (
    ENDED_ITEMS,
    ENDED_JOBS,
    ITEM_TRANSITIONS,
    JOB_TRANSITIONS,
    BatchItem,
    BatchJob,
    ItemStatus,
    JobStatus,
)
from brightrun.core.ids import conversation_id
from tests.stateful.stores import Store

EVERYTHING = 10_000


@dataclass(frozen=True)
class Observed:
    """A job, its items and its log at one moment."""

    job: BatchJob
    items: tuple[BatchItem, ...]
    log: tuple[str, ...]


def observe(store: Store, owner: str, job_id: str) -> Observed:
    items = store.batches.items(owner, job_id, status=None, limit=EVERYTHING, cursor=None)
    log = store.batches.log(owner, job_id, limit=EVERYTHING, cursor=None)
    assert items.next_cursor is log.next_cursor is None
    entries = [line.entry_id for line in log.records]
    assert entries == sorted(set(entries))
    return Observed(
        store.batches.job(owner, job_id),
        items.records,
        tuple(line.message for line in log.records),
    )


def check_moment(seen: Observed) -> None:
    """Everything that must hold at any moment."""
    check_counters(seen)
    check_items(seen)
    check_job(seen)


def check_counters(seen: Observed) -> None:
    """The five counters equal the items' states, and no item is missing or there twice."""
    job, states = seen.job, Counter(item.status for item in seen.items)
    assert [item.position for item in seen.items] == list(range(1, job.total_items + 1))
    assert {
        ItemStatus.QUEUED: job.queued_items,
        ItemStatus.PROCESSING: job.processing_items,
        ItemStatus.COMPLETED: job.successful_items,
        ItemStatus.FAILED: job.failed_items,
        ItemStatus.CANCELLED: job.cancelled_items,
    } == {status: states[status] for status in ItemStatus}


def check_items(seen: Observed) -> None:
    """Only an item in work is held; only a completed one has a conversation, which is its own."""
    for item in seen.items:
        in_work = item.status is ItemStatus.PROCESSING
        assert (item.lease_token is not None) is in_work
        assert (item.lease_expires_at is not None) is in_work
        written = item.status is ItemStatus.COMPLETED
        assert item.conversation_id == (conversation_id(item.item_id) if written else None)


def check_job(seen: Observed) -> None:
    """A job cost what its items did; closed, it has nothing open, and its counters' status."""
    job = seen.job
    assert job.cost_micro_usd == sum(item.cost_micro_usd for item in seen.items)
    if job.status in {JobStatus.COMPLETED, JobStatus.FAILED}:
        assert job.open_items == 0
        assert job.status is job.final_status()
    assert (job.completed_at is not None) is (job.status in ENDED_JOBS)
    assert job.status is not JobStatus.QUEUED or job.started_at is None


def check_step(before: Observed, after: Observed, now_ms: int, *, retried: bool) -> None:
    """One step moved the job and each item along the tables of transitions, or not at all."""
    earlier, later = before.job, after.job
    if earlier.status is not later.status:
        assert later.status in {
            moves[earlier.status] for moves in JOB_TRANSITIONS.values() if earlier.status in moves
        }
    assert later.run >= earlier.run
    assert earlier.started_at is None or later.started_at == earlier.started_at
    assert after.log[: len(before.log)] == before.log
    for was, now in zip(before.items, after.items, strict=True):
        _check_item_step(was, now, now_ms, retried=retried)


def _check_item_step(was: BatchItem, now: BatchItem, now_ms: int, *, retried: bool) -> None:
    assert (was.item_id, was.position, was.job_key) == (now.item_id, now.position, now.job_key)
    if was.status in ENDED_ITEMS and now != was:
        assert retried
        assert was.status is not ItemStatus.COMPLETED
        assert (now.status, now.generation) == (ItemStatus.QUEUED, was.generation + 1)
    elif was.status is not now.status or was.lease_token != now.lease_token:
        assert now.status in ITEM_TRANSITIONS[was.status]
    taken_over = was.status is now.status is ItemStatus.PROCESSING
    if taken_over and was.lease_token != now.lease_token:
        assert was.lease_expires_at is not None
        assert was.lease_expires_at <= now_ms
