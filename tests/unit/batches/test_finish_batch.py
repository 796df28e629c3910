"""The end of every round: a job is closed, or another round is requested."""

from __future__ import annotations

from typing import Any

import pytest

from brightrun.batches.finish_batch import BatchFinisher
from brightrun.batches.model import BatchJob, ItemStatus, JobStatus
from brightrun.batches.workflow import MAX_ROUNDS, Round, RoundResult
from brightrun.core.errors import StorageError
from tests import builders as build
from tests.builders import OWNER
from tests.unit.batches.worker_setup import World

REFUSAL = build.a_refusal()


def last_lines(world: World, job: BatchJob, starting: str) -> list[str]:
    return [line for line in world.log(job) if line.startswith(starting)]


def claimed(world: World, job: BatchJob, count: int, token: str = "worker-x") -> list[Any]:
    items = world.batches.next_items(OWNER, job.job_id, count)
    now = world.clock.now
    lease = build.a_lease(token, at=now)
    return world.batches.claim(items, lease, build.lines_for(items), now)


def test_a_job_whose_items_have_all_ended_is_completed() -> None:
    world = World()
    job = world.job(3)
    world.run_worker(job)
    assert world.finish(job).status == "finished"
    assert world.now(job).status is JobStatus.COMPLETED
    assert world.now(job).completed_at is not None


def test_a_job_without_a_single_success_has_failed() -> None:
    world = World.scripted([REFUSAL] * 2)
    job = world.job(2)
    world.run_worker(job)
    world.finish(job)
    assert world.now(job).status is JobStatus.FAILED


def test_one_success_is_enough_for_a_completed_job() -> None:
    world = World.scripted([REFUSAL])
    job = world.job(3)
    world.run_worker(job)
    world.finish(job)
    assert world.now(job).status is JobStatus.COMPLETED
    assert last_lines(world, job, "Batch job complete") == [
        "Batch job complete - 2 successful, 1 failed"
    ]


def test_a_completed_job_tells_later_quotes_what_its_conversations_used() -> None:
    world = World.scripted([build.a_completion(input_tokens=100, output_tokens=9)] * 9)
    job = world.job(9)
    world.run_worker(job)
    world.finish(job)
    items, used = world.items(job), world.now(job).used
    groups = {(one.template_id, one.emotional_arc_key) for one in used}
    assert groups == {(item.template_id, item.emotional_arc_key) for item in items}
    assert sum(one.conversations for one in used) == 9
    assert sum(one.output_tokens for one in used) == 81


def test_a_failed_job_tells_quotes_nothing() -> None:
    world = World.scripted([REFUSAL] * 2)
    job = world.job(2)
    world.run_worker(job)
    world.finish(job)
    assert world.now(job).used == ()


def test_a_job_is_closed_once_however_often_the_round_is_finished() -> None:
    world = World()
    job = world.job(2)
    world.run_worker(job)
    results = [world.finish(job) for _ in range(3)]
    assert {result.status for result in results} == {"finished"}
    assert len(last_lines(world, job, "Batch job complete")) == 1


def test_items_left_when_an_error_stopped_the_job_are_cancelled_with_a_reason_in_the_log() -> None:
    world = World.scripted([REFUSAL])
    job = world.job(5, calls_per_worker=1, error_handling="stop")
    world.run_worker(job)
    assert world.finish(job).status == "finished"
    assert world.statuses(job) == [ItemStatus.FAILED, *[ItemStatus.CANCELLED] * 4]
    assert world.now(job).status is JobStatus.FAILED
    (reason,) = last_lines(world, job, "4 items cancelled")
    assert "Item 1 failed" in reason


def test_items_left_in_a_cancelled_job_are_cancelled_and_the_job_stays_cancelled() -> None:
    world = World()
    job = world.job(3, status=JobStatus.CANCELLED)
    assert world.finish(job).status == "finished"
    assert world.statuses(job) == [ItemStatus.CANCELLED] * 3
    assert world.now(job).status is JobStatus.CANCELLED


def test_items_in_progress_are_waited_for_and_not_cancelled() -> None:
    world = World()
    job = world.job(3)
    held = claimed(world, job, 1)
    world.controls().cancel(OWNER, job.job_id)
    result = world.finish(job)
    assert (result.status, result.wait_seconds) == ("unfinished", 60)
    build.end_item(world.batches, held[0], build.completed(), world.clock.now)
    assert world.finish(job).status == "finished"
    assert world.statuses(job) == [ItemStatus.COMPLETED, *[ItemStatus.CANCELLED] * 2]


def test_items_of_a_dead_worker_are_cancelled_once_their_lease_has_expired() -> None:
    world = World()
    job = world.job(2)
    claimed(world, job, 2)
    world.controls().cancel(OWNER, job.job_id)
    world.finish(job)
    world.clock.advance(60)
    assert world.finish(job).status == "finished"
    assert world.statuses(job) == [ItemStatus.CANCELLED] * 2


def test_the_round_waits_until_the_first_lease_expires() -> None:
    world = World()
    job = world.job(3)
    claimed(world, job, 1)
    world.clock.advance(25)
    claimed(world, job, 2)
    result = world.finish(job)
    assert (result.status, result.wait_seconds) == ("unfinished", 35)


def test_the_round_waits_until_the_first_retry_time() -> None:
    world = World()
    job = world.job(1)
    (item,) = claimed(world, job, 1)
    due = round(world.clock.now.timestamp() * 1000) + 7_200
    build.end_item(
        world.batches, item, build.failed(status=ItemStatus.QUEUED, retry_at=due), world.clock.now
    )
    assert world.finish(job).wait_seconds == 8


def test_an_item_that_can_be_claimed_is_not_waited_for_longer_than_a_second() -> None:
    world = World()
    assert world.finish(world.job(2)).wait_seconds == 1


def test_a_paused_job_is_left_as_it_is() -> None:
    world = World()
    job = world.job(3)
    world.controls().pause(OWNER, job.job_id)
    assert world.finish(job).status == "finished"
    assert world.statuses(job) == [ItemStatus.QUEUED] * 3
    assert world.now(job).status is JobStatus.PAUSED


def test_a_job_paused_after_its_last_item_is_closed_when_it_is_resumed() -> None:
    world = World()
    job = world.job(1)
    world.run_worker(job)
    world.controls().pause(OWNER, job.job_id)
    assert world.finish(job).status == "finished"
    world.controls().resume(OWNER, job.job_id)
    world.finish(job)
    assert world.now(job).status is JobStatus.COMPLETED


def test_rounds_count_up_so_that_an_execution_has_an_end() -> None:
    world = World()
    job = world.job(1)
    assert world.finish(job, round_number=0).round == 1
    assert world.finish(job, round_number=1).round == 2


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.PROCESSING])
def test_after_the_last_round_the_job_continues_in_a_new_execution(status: JobStatus) -> None:
    world = World()
    job = world.job(1, status=status)
    result = world.finish(job, round_number=MAX_ROUNDS - 1)
    assert result.status == "finished"
    assert world.workflow.started == [f"{job.job_id}-2"]
    assert "The workflow continues in a new execution" in world.log(job)


def test_handing_over_twice_starts_one_execution() -> None:
    world = World()
    job = world.job(1)
    same_round = Round(owner_id=OWNER, job_id=job.job_id, run=1, workers=[0], round=MAX_ROUNDS - 1)
    for _ in range(3):
        assert world.finisher().finish(same_round).status == "finished"
    assert world.now(job).run == 2
    assert world.workflow.started == [f"{job.job_id}-2"]


def test_a_run_that_has_a_later_run_leaves_the_job_to_it() -> None:
    world = World()
    job = world.job(2)
    world.controls().pause(OWNER, job.job_id)
    world.controls().resume(OWNER, job.job_id)
    first_run = Round(owner_id=OWNER, job_id=job.job_id, run=1, workers=[0])
    assert world.finisher().finish(first_run).status == "finished"
    assert world.workflow.started == [f"{job.job_id}-2"]


def test_a_cancelled_job_is_waited_for_beyond_the_last_round() -> None:
    world = World()
    job = world.job(1)
    claimed(world, job, 1)
    world.controls().cancel(OWNER, job.job_id)
    result = world.finish(job, round_number=MAX_ROUNDS + 5)
    assert (result.status, result.wait_seconds) == ("unfinished", 60)


def test_log_txt_holds_every_line_in_order() -> None:
    world = World()
    job = world.job(4)
    world.run_worker(job)
    world.finish(job)
    page = world.batches.log(OWNER, job.job_id, limit=1000, cursor=None)
    text = world.logs.objects[f"{job.job_id}/log.txt"].text
    assert text == "".join(f"{line.text()}\n" for line in page.records)
    assert text.count("Processing item") == text.count("completed (conversation:") == 4
    assert text.splitlines()[-1].endswith("Batch job complete - 4 successful, 0 failed")


def test_a_log_of_many_pages_is_rendered_whole() -> None:
    world = World()
    job = world.job(1)
    for number in range(2_345):
        world.batches.write_line(OWNER, job.job_id, build.a_line(f"line {number}"))
    world.finisher().render_log(OWNER, job.job_id)
    lines = world.logs.objects[f"{job.job_id}/log.txt"].text.splitlines()
    assert [line.partition("] ")[2] for line in lines] == [f"line {n}" for n in range(2_345)]


class StoreThatDies:
    """A store whose n-th call fails, before or after it is carried out."""

    def __init__(self, store: Any, failing: int, *, applied: bool) -> None:
        self._store = store
        self._failing = failing
        self._applied = applied
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls != self._failing:
                return method(*args, **kwargs)
            if self._applied:
                method(*args, **kwargs)
            raise StorageError(name, "it died")

        return call


def stopped_job(world: World) -> BatchJob:
    """A job with a success, a failure that stopped it, and three open items."""
    job = world.job(5, calls_per_worker=1, error_handling="stop")
    world.run_worker(job)
    return job


def finish_through(world: World, job: BatchJob, store: Any) -> RoundResult:
    finisher = BatchFinisher(
        batches=store,
        claims=store,
        logs=world.logs,
        workflow=world.workflow,
        clock=world.clock,
        sweep=world.swept.append,
    )
    return finisher.finish(Round(owner_id=OWNER, job_id=job.job_id, run=1, workers=[0]))


def calls_of_a_finish() -> int:
    world = World.scripted([build.a_completion(), REFUSAL])
    store = StoreThatDies(world.batches, 0, applied=False)
    finish_through(world, stopped_job(world), store)
    return store.calls


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("failing", range(1, calls_of_a_finish() + 1))
def test_a_finish_that_died_anywhere_can_be_repeated(failing: int, applied: bool) -> None:
    world = World.scripted([build.a_completion(), REFUSAL])
    job = stopped_job(world)
    with pytest.raises(StorageError):
        finish_through(world, job, StoreThatDies(world.batches, failing, applied=applied))
    assert world.finish(job).status == "finished"
    after = world.now(job)
    assert after.status is JobStatus.FAILED
    assert (after.successful_items, after.failed_items, after.cancelled_items) == (1, 1, 3)
    assert len(last_lines(world, job, "Batch job complete")) == 1
    assert world.logs.objects[f"{job.job_id}/log.txt"].text.count("\n") == len(world.log(job))


class StoreWithAVisitor:
    """A store that calls `visit` right before its n-th call."""

    def __init__(self, store: Any, call: int, visit: Any) -> None:
        self._store = store
        self._call = call
        self._visit = visit
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self._call:
                self._visit()
            return method(*args, **kwargs)

        return call


@pytest.mark.parametrize("call", range(1, 4))
def test_of_two_rounds_that_end_together_one_closes_the_job(call: int) -> None:
    world = World()
    job = world.job(2)
    world.run_worker(job)
    store = StoreWithAVisitor(world.batches, call, lambda: world.finish(job))
    assert finish_through(world, job, store).status == "finished"
    assert store.calls >= call
    assert world.now(job).status is JobStatus.COMPLETED
    assert len(last_lines(world, job, "Batch job complete")) == 1


@pytest.mark.parametrize("call", range(1, 4))
def test_a_retry_while_the_job_is_closed_never_leaves_queued_items_in_a_closed_job(
    call: int,
) -> None:
    world = World.scripted([REFUSAL])
    job = world.job(2)
    world.run_worker(job)
    store = StoreWithAVisitor(
        world.batches, call, lambda: world.controls().retry_failed(OWNER, job.job_id)
    )
    finish_through(world, job, store)
    assert store.calls >= call
    assert world.now(job).status is JobStatus.PROCESSING
    assert world.now(job).queued_items == 1
    world.run_worker(job)
    world.finish(job)
    assert world.now(job).status is JobStatus.COMPLETED
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2


def test_a_job_is_not_closed_with_a_status_that_is_out_of_date() -> None:
    world = World.scripted([REFUSAL])
    job = world.job(1)
    world.run_worker(job)

    def retry_and_succeed() -> None:
        world.controls().retry_failed(OWNER, job.job_id)
        world.run_worker(job)

    closing = 2
    store = StoreWithAVisitor(world.batches, closing, retry_and_succeed)
    result = finish_through(world, job, store)
    assert world.now(job).status is JobStatus.PROCESSING
    assert result.status == "finished"  # The retry's own run goes on.
    world.finish(job)
    assert world.now(job).status is JobStatus.COMPLETED
