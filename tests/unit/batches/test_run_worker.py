"""A worker whose Claude cannot be opened: the job stops with the reason."""

from __future__ import annotations

import dataclasses

import pytest

from brightrun.aws.running_workers import RunningWorker
from brightrun.batches.model import BatchJob, ItemStatus, JobStatus
from brightrun.batches.workflow import WorkerInvocation, WorkerResult
from brightrun.claude.client import Claude
from brightrun.core.errors import (
    BrightRunError,
    ClaudeNotSetUpError,
    StorageError,
    UnusableModelError,
)
from tests.builders import OWNER, STRANGER
from tests.unit.batches.worker_setup import PLENTY_S, World

NO_KEY = ClaudeNotSetUpError("There is no Claude API key: put it into the secret.")
RETIRED = UnusableModelError("The Claude model 'claude-old' was retired on 2026-11-30.")


def run_without_claude(world: World, job: BatchJob, error: BrightRunError) -> WorkerResult:
    def no_claude(_: str) -> Claude:
        raise error

    runner = dataclasses.replace(world.runner(), open_claude=no_claude)
    request = WorkerInvocation(owner_id=OWNER, job_id=job.job_id, worker=0)
    return runner.run(request, lambda: PLENTY_S)


def test_a_worker_keeps_to_its_share_beside_another_owners() -> None:
    world = World()
    job = world.job(30, calls_per_worker=20)
    other = RunningWorker(job.model, STRANGER, "another", most=20, limit=6)
    world.running.report(other, world.clock())
    world.running.learn(job.model, 0, world.clock(), refused=True, otherwise=12)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 30
    assert world.claude.most_at_once < 20


def test_the_most_calls_of_the_deployment_hold_for_a_batch_that_ordered_more() -> None:
    world = World()
    job = world.job(30, calls_per_worker=20)
    runner = dataclasses.replace(world.runner(), most_calls=3)
    request = WorkerInvocation(owner_id=OWNER, job_id=job.job_id, worker=0)
    runner.run(request, lambda: PLENTY_S)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 30
    assert world.claude.most_at_once == 3


def test_a_worker_without_its_table_works_on_and_one_that_ended_is_counted_no_more() -> None:
    world = World()
    job, second = world.job(5), world.job(5)
    world.running.fails = True
    world.run_worker(job)
    world.running.fails = False
    world.run_worker(second)
    assert world.statuses(job) == world.statuses(second) == [ItemStatus.COMPLETED] * 5
    me = RunningWorker(job.model, OWNER, "me", most=1, limit=1)
    assert world.running.report(me, world.clock()).workers == [me]


@pytest.mark.parametrize("error", [NO_KEY, RETIRED])
def test_a_job_whose_claude_cannot_be_opened_stops_after_one_item_with_the_reason(
    error: BrightRunError,
) -> None:
    world = World()
    job = world.job(5)
    assert run_without_claude(world, job, error).status == "closed"
    assert world.statuses(job) == [ItemStatus.FAILED, *[ItemStatus.QUEUED] * 4]
    assert world.items(job)[0].error_code == error.code
    assert error.message in (world.now(job).stop_reason or "")


def test_the_stopped_job_ends_as_failed_with_its_reason_in_the_log() -> None:
    world = World()
    job = world.job(3)
    run_without_claude(world, job, NO_KEY)
    assert world.finish(job).status == "finished"
    assert world.now(job).status is JobStatus.FAILED
    assert any(NO_KEY.message in line for line in world.log(job))


def test_the_job_is_generated_when_the_key_is_set_and_failed_items_are_retried() -> None:
    world = World()
    job = world.job(3)
    run_without_claude(world, job, NO_KEY)
    world.finish(job)
    world.controls().retry_failed(OWNER, job.job_id)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 3


def test_a_completion_stored_before_the_model_retired_still_becomes_its_conversation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    job = world.job(1, model="claude-sonnet-4-5-20250929")

    def dies(*_: object) -> None:
        raise StorageError("TransactWriteItems", "the worker was killed")

    with monkeypatch.context() as patched:
        patched.setattr(world.batches, "complete", dies)
        with pytest.raises(StorageError):
            world.run_worker(job)
    world.clock.advance(seconds=14 * 24 * 3600)
    run_without_claude(world, job, RETIRED)
    assert world.statuses(job) == [ItemStatus.COMPLETED]
    assert world.now(job).cost_micro_usd == 2000 * 3 + 1500 * 15
