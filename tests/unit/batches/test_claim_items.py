"""How one worker finds its next items."""

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


def concluded(world: World, items: list[BatchItem], **changes: object) -> None:
    for item in items:
        world.batches.complete(item, build.failed(**changes), world.clock.now)


def test_items_are_given_out_in_order_and_each_once() -> None:
    world = World()
    job = world.job(5)
    first, second = worker(world, job, "a"), worker(world, job, "b")
    given = [first.take(2), second.take(2), first.take(2), second.take(2)]
    assert [positions(items) for items in given] == [[1, 2], [3, 4], [5], []]


def test_an_item_taken_is_leased_under_the_workers_token_from_now_on() -> None:
    world = World()
    job = world.job(1)
    world.clock.advance(7)
    (item,) = worker(world, job, "mine").take(1)
    expiry = round(world.clock.now.timestamp() * 1000) + 60_000
    assert (item.lease_token, item.lease_expires_at) == ("mine", expiry)
    assert (item.status, item.attempts) == (ItemStatus.PROCESSING, 1)


def test_the_log_counts_down_what_remains_with_the_item_itself() -> None:
    world = World()
    job = world.job(3)
    one = worker(world, job)
    one.take(2)
    one.take(2)
    remaining = [line.partition("(")[2] for line in world.log(job)]
    assert remaining == ["3 remaining)", "2 remaining)", "1 remaining)"]


def test_what_was_put_back_is_found_when_all_have_been_given_once() -> None:
    world = World()
    job = world.job(3)
    concluded(world, worker(world, job, "a").take(3), status=ItemStatus.QUEUED, retry_at=None)
    again = worker(world, job, "b")
    assert positions(again.take(2) + again.take(2)) == [1, 2, 3]


def test_an_item_is_not_taken_before_its_next_try_is_due() -> None:
    world = World()
    job = world.job(1)
    due = round(world.clock.now.timestamp() * 1000) + 5_000
    concluded(world, worker(world, job).take(1), status=ItemStatus.QUEUED, retry_at=due)
    world.clock.advance(4.999)
    assert worker(world, job).take(1) == []
    world.clock.advance(0.001)
    assert positions(worker(world, job).take(1)) == [1]


def test_what_a_dead_worker_held_is_free_when_its_lease_has_run_out() -> None:
    world = World()
    job = world.job(2)
    worker(world, job, "dead").take(2)
    world.clock.advance(59.999)
    assert worker(world, job, "b").take(2) == []
    world.clock.advance(0.001)
    assert positions(worker(world, job, "b").take(2)) == [1, 2]


def test_the_job_is_searched_for_left_over_items_once_in_an_invocation(
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
        one.take(1)
    assert len(searches) == 1


def test_positions_are_taken_from_the_cursor_for_all_calls_of_a_worker_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    job = world.job(7, calls_per_worker=3)
    asked, give = [], world.batches.next_items

    def counted(owner_id: str, job_id: str, count: int) -> list[BatchItem]:
        asked.append(count)
        return give(owner_id, job_id, count)

    monkeypatch.setattr(world.batches, "next_items", counted)
    one = worker(world, job)
    assert [positions(one.take(1)) for _ in range(7)] == [[1], [2], [3], [4], [5], [6], [7]]
    assert asked == [3, 3, 3]


def test_what_a_worker_was_given_and_never_got_to_is_taken_by_another_at_the_end() -> None:
    world = World()
    job = world.job(3, calls_per_worker=3)
    gone, other = worker(world, job, "gone"), worker(world, job, "other")
    assert positions(gone.take(1)) == [1]
    assert positions(other.take(3)) == [2, 3]
    assert gone.take(2) == []


def test_items_that_others_took_first_are_passed_over() -> None:
    world = World()
    job = world.job(4)
    concluded(world, worker(world, job, "a").take(4), status=ItemStatus.QUEUED, retry_at=None)
    slow, quick = worker(world, job, "slow"), worker(world, job, "quick")
    assert len(slow.take(1)) == 1
    assert len(quick.take(3)) == 3
    assert slow.take(4) == []


@pytest.mark.parametrize("status", [JobStatus.PAUSED, JobStatus.CANCELLED, JobStatus.COMPLETED])
def test_nothing_is_taken_of_a_job_that_takes_no_claims(status: JobStatus) -> None:
    world = World()
    job = world.job(1, status=status)
    with pytest.raises(ClaimsClosedError):
        worker(world, job).take(1)


def test_a_pause_between_two_claims_is_noticed_at_the_second() -> None:
    world = World()
    job = world.job(4)
    one = worker(world, job)
    one.take(1)
    world.controls().pause(OWNER, job.job_id)
    with pytest.raises(ClaimsClosedError):
        one.take(1)


def test_a_pause_is_noticed_among_the_left_over_items_too() -> None:
    world = World()
    job = world.job(2)
    concluded(world, worker(world, job, "a").take(2), status=ItemStatus.QUEUED, retry_at=None)
    one = worker(world, job, "b")
    one.take(1)
    world.controls().pause(OWNER, job.job_id)
    with pytest.raises(ClaimsClosedError):
        one.take(1)
