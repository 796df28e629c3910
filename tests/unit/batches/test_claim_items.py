"""How one worker claims its next items."""

from __future__ import annotations

import pytest

from brightrun.batches.model import BatchItem, BatchJob, ItemStatus, JobStatus
from brightrun.batches.worker import ItemClaims
from brightrun.core.errors import ClaimsClosedError
from tests import builders as build
from tests.builders import OWNER
from tests.unit.batches.worker_setup import World


def worker(world: World, job: BatchJob, token: str = "worker-a") -> ItemClaims:
    return ItemClaims(
        world.batches, world.batches, job, token=token, lease_seconds=60, clock=world.clock
    )


def positions(items: list[BatchItem]) -> list[int]:
    return sorted(item.position for item in items)


def completed(world: World, items: list[BatchItem], **changes: object) -> None:
    for item in items:
        build.end_item(world.batches, item, build.failed(**changes), world.clock.now)


def test_items_are_claimed_in_order_and_each_once() -> None:
    world = World()
    job = world.job(5)
    first, second = worker(world, job, "a"), worker(world, job, "b")
    given = [first.claim(2), second.claim(2), first.claim(2), second.claim(2)]
    assert [positions(items) for items in given] == [[1, 2], [3, 4], [5], []]


def test_a_claimed_item_is_leased_under_the_workers_token() -> None:
    world = World()
    job = world.job(1)
    world.clock.advance(7)
    (item,) = worker(world, job, "mine").claim(1)
    expiry = round(world.clock.now.timestamp() * 1000) + 60_000
    assert (item.lease_token, item.lease_expires_at) == ("mine", expiry)
    assert (item.status, item.attempts) == (ItemStatus.PROCESSING, 1)


def test_the_log_counts_down_the_remaining_items_including_the_claimed_one() -> None:
    world = World()
    job = world.job(3)
    one = worker(world, job)
    one.claim(2)
    one.claim(2)
    remaining = [line.partition("(")[2] for line in world.log(job)]
    assert remaining == ["3 remaining)", "2 remaining)", "1 remaining)"]


def test_requeued_items_are_found_when_the_cursor_has_passed_the_last_item() -> None:
    world = World()
    job = world.job(3)
    completed(world, worker(world, job, "a").claim(3), status=ItemStatus.QUEUED, retry_at=None)
    again = worker(world, job, "b")
    assert positions(again.claim(2) + again.claim(2)) == [1, 2, 3]


def test_an_item_is_not_claimed_before_its_retry_time() -> None:
    world = World()
    job = world.job(1)
    due = round(world.clock.now.timestamp() * 1000) + 5_000
    completed(world, worker(world, job).claim(1), status=ItemStatus.QUEUED, retry_at=due)
    world.clock.advance(4.999)
    assert worker(world, job).claim(1) == []
    world.clock.advance(0.001)
    assert positions(worker(world, job).claim(1)) == [1]


def test_items_of_a_dead_worker_are_claimed_when_their_lease_has_expired() -> None:
    world = World()
    job = world.job(2)
    worker(world, job, "dead").claim(2)
    world.clock.advance(59.999)
    assert worker(world, job, "b").claim(2) == []
    world.clock.advance(0.001)
    assert positions(worker(world, job, "b").claim(2)) == [1, 2]


def test_open_items_are_read_once_in_an_invocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    job = world.job(2)
    searches, search = [], world.batches.open_items

    def counted(owner_id: str, job_id: str) -> object:
        searches.append(job_id)
        return search(owner_id, job_id)

    monkeypatch.setattr(world.batches, "open_items", counted)
    one = worker(world, job)
    for _ in range(5):
        one.claim(1)
    assert len(searches) == 1


def test_positions_are_assigned_for_all_calls_of_a_worker_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    job = world.job(7, calls_per_worker=3)
    counts, next_items = [], world.batches.next_items

    def counted(owner_id: str, job_id: str, count: int) -> list[BatchItem]:
        counts.append(count)
        return next_items(owner_id, job_id, count)

    monkeypatch.setattr(world.batches, "next_items", counted)
    one = worker(world, job)
    assert [positions(one.claim(1)) for _ in range(7)] == [[1], [2], [3], [4], [5], [6], [7]]
    assert counts == [3, 3, 3]


def test_assigned_items_that_were_never_leased_are_claimed_by_another_worker() -> None:
    world = World()
    job = world.job(3, calls_per_worker=3)
    gone, other = worker(world, job, "gone"), worker(world, job, "other")
    assert positions(gone.claim(1)) == [1]
    assert positions(other.claim(3)) == [2, 3]
    assert gone.claim(2) == []


def test_items_that_other_workers_claimed_first_are_skipped() -> None:
    world = World()
    job = world.job(4)
    completed(world, worker(world, job, "a").claim(4), status=ItemStatus.QUEUED, retry_at=None)
    slow, quick = worker(world, job, "slow"), worker(world, job, "quick")
    assert len(slow.claim(1)) == 1
    assert len(quick.claim(3)) == 3
    assert slow.claim(4) == []


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.CANCELLED, JobStatus.COMPLETED])
def test_no_item_is_claimed_of_a_job_that_accepts_no_claims(status: JobStatus) -> None:
    world = World()
    job = world.job(1, status=status)
    with pytest.raises(ClaimsClosedError):
        worker(world, job).claim(1)


def test_a_pause_between_two_claims_is_noticed_at_the_second() -> None:
    world = World()
    job = world.job(4)
    one = worker(world, job)
    one.claim(1)
    world.controls().pause(OWNER, job.job_id)
    with pytest.raises(ClaimsClosedError):
        one.claim(1)


def test_a_pause_is_noticed_among_the_leftover_items_too() -> None:
    world = World()
    job = world.job(2)
    completed(world, worker(world, job, "a").claim(2), status=ItemStatus.QUEUED, retry_at=None)
    one = worker(world, job, "b")
    one.claim(1)
    world.controls().pause(OWNER, job.job_id)
    with pytest.raises(ClaimsClosedError):
        one.claim(1)
