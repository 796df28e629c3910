"""Pausing, resuming, cancelling and retrying batch jobs."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from brightrun.batches.model import JOB_TRANSITIONS, BatchJob, ItemStatus, JobAction, JobStatus
from brightrun.core.errors import (
    ActionNotAllowedError,
    ClaimsClosedError,
    ConflictError,
    NotFoundError,
    StorageError,
)
from tests import builders as build
from tests.builders import OWNER, STRANGER
from tests.unit.batches.worker_setup import World

Simple = Literal["pause", "resume", "cancel"]
ACTIONS: dict[Simple, JobAction] = {
    "pause": JobAction.PAUSE,
    "resume": JobAction.RESUME,
    "cancel": JobAction.CANCEL,
}
CELLS = [(action, status) for action in ACTIONS for status in JobStatus]
REFUSAL = build.a_refusal()


def ended_job(world: World, status: JobStatus) -> BatchJob:
    """A job of two items in one of the six statuses, its items as they would then be."""
    queued = status is JobStatus.QUEUED
    job = world.job(2, status=JobStatus.QUEUED if queued else JobStatus.PROCESSING)
    if status is JobStatus.PAUSED:
        world.controls().pause(OWNER, job.job_id)
    if status is JobStatus.CANCELLED:
        world.controls().cancel(OWNER, job.job_id)
    if status in {JobStatus.COMPLETED, JobStatus.FAILED}:
        world.run_worker(job)
        world.finish(job)
    assert world.now(job).status is status
    return job


def world_for(status: JobStatus) -> World:
    return World.scripted([REFUSAL] * 2 if status is JobStatus.FAILED else [])


@pytest.mark.parametrize(("action", "status"), CELLS)
def test_an_action_follows_the_transition_table_in_every_status(
    action: Simple, status: JobStatus
) -> None:
    world = world_for(status)
    job = ended_job(world, status)
    target = JOB_TRANSITIONS[ACTIONS[action]].get(status)
    if target is None:
        with pytest.raises(ActionNotAllowedError):
            world.controls().act(action, OWNER, job.job_id)
        assert world.now(job).status is status
    else:
        assert world.controls().act(action, OWNER, job.job_id).status is target


def test_a_refusal_names_the_status_and_those_that_allow_the_action() -> None:
    world = World()
    job = ended_job(world, JobStatus.COMPLETED)
    with pytest.raises(ActionNotAllowedError, match="completed.*queued, processing") as refused:
        world.controls().pause(OWNER, job.job_id)
    assert refused.value.details == {
        "status": "completed",
        "allowed_in": ["queued", "processing"],
    }


@pytest.mark.parametrize("action", ACTIONS)
def test_another_owners_job_is_not_found(action: Simple) -> None:
    world = World()
    job = world.job(1)
    with pytest.raises(NotFoundError):
        world.controls().act(action, STRANGER, job.job_id)
    with pytest.raises(NotFoundError):
        world.controls().retry_failed(STRANGER, job.job_id)
    assert world.now(job) == job


def test_pausing_lets_items_in_progress_be_completed() -> None:
    world = World()
    job = world.job(3)
    items = world.batches.next_items(OWNER, job.job_id, 1)
    lines = build.lines_for(items)
    (held,) = world.batches.claim(items, build.a_lease(), lines, world.clock.now)
    world.controls().pause(OWNER, job.job_id)
    assert world.run_worker(job).status == "closed"
    build.end_item(world.batches, held, build.completed(), world.clock.now)
    assert world.statuses(job) == [ItemStatus.COMPLETED, *[ItemStatus.QUEUED] * 2]


def test_resuming_starts_a_new_run_that_generates_the_rest() -> None:
    world = World()
    job = world.job(3)
    world.controls().pause(OWNER, job.job_id)
    world.controls().resume(OWNER, job.job_id)
    assert world.workflow.started == [f"{job.job_id}-2"]
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 3


def test_resuming_a_running_job_starts_a_new_run() -> None:
    world = World()
    job = world.job(1)
    world.controls().resume(OWNER, job.job_id)
    assert world.workflow.started == [f"{job.job_id}-2"]


def test_a_resume_that_died_before_the_workflow_started_can_be_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    job = ended_job(world, JobStatus.PAUSED)
    dying_workflow(world, monkeypatch, lambda: world.controls().resume(OWNER, job.job_id))
    world.controls().resume(OWNER, job.job_id)
    assert world.workflow.started == [world.now(job).execution_name]


def dying_workflow(world: World, monkeypatch: pytest.MonkeyPatch, step: Any) -> None:
    def no_start(_: BatchJob) -> None:
        raise StorageError("StartExecution", "it died")

    with monkeypatch.context() as patched:
        patched.setattr(world.workflow, "ensure_running", no_start)
        with pytest.raises(StorageError):
            step()


def test_cancelling_keeps_completed_items_and_cancels_queued_ones() -> None:
    world = World()
    job = world.job(4, calls_per_worker=1)
    items = world.batches.next_items(OWNER, job.job_id, 1)
    lines = build.lines_for(items)
    (held,) = world.batches.claim(items, build.a_lease(), lines, world.clock.now)
    build.end_item(world.batches, held, build.completed(), world.clock.now)
    cancelled = world.controls().cancel(OWNER, job.job_id)
    assert cancelled.status is JobStatus.CANCELLED
    assert (cancelled.successful_items, cancelled.cancelled_items) == (1, 3)


def test_cancelling_lets_items_in_progress_be_completed() -> None:
    world = World()
    job = world.job(2)
    items = world.batches.next_items(OWNER, job.job_id, 1)
    lines = build.lines_for(items)
    (held,) = world.batches.claim(items, build.a_lease(), lines, world.clock.now)
    world.controls().cancel(OWNER, job.job_id)
    build.end_item(world.batches, held, build.completed(), world.clock.now)
    assert world.statuses(job) == [ItemStatus.COMPLETED, ItemStatus.CANCELLED]
    assert world.now(job).status is JobStatus.CANCELLED


def test_cancelling_a_paused_job_starts_the_round_that_ends_it() -> None:
    world = World()
    job = ended_job(world, JobStatus.PAUSED)
    world.controls().cancel(OWNER, job.job_id)
    assert world.workflow.started == [f"{job.job_id}-2"]
    assert world.finish(job).status == "finished"
    assert world.now(job).cancelled_items == 2


def test_cancelling_again_completes_an_interrupted_cancellation() -> None:
    world = World()
    job = world.job(3)
    world.batches.apply(OWNER, job.job_id, JobAction.CANCEL, world.clock.now, build.a_line())
    assert world.controls().cancel(OWNER, job.job_id).cancelled_items == 3
    assert world.now(job).run == 2


def test_cancelling_is_refused_without_open_items() -> None:
    world = World()
    job = ended_job(world, JobStatus.CANCELLED)
    with pytest.raises(ActionNotAllowedError):
        world.controls().cancel(OWNER, job.job_id)


def test_a_cancel_that_died_before_the_last_round_started_can_be_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    job = ended_job(world, JobStatus.PAUSED)
    dying_workflow(world, monkeypatch, lambda: world.controls().cancel(OWNER, job.job_id))
    with pytest.raises(ActionNotAllowedError):
        world.controls().cancel(OWNER, job.job_id)
    assert world.workflow.started == [world.now(job).execution_name]


def failed_job(items: int = 3, failures: int = 2) -> tuple[World, BatchJob]:
    world = World.scripted([REFUSAL] * failures)
    job = world.job(items, calls_per_worker=1)
    world.run_worker(job)
    return world, job


def test_retrying_queues_only_failed_items() -> None:
    world, job = failed_job()
    world.finish(job)
    retried, requeued = world.controls().retry_failed(OWNER, job.job_id)
    assert requeued == 2
    assert (retried.status, retried.queued_items) == (JobStatus.PROCESSING, 2)
    assert retried.successful_items == 1
    assert retried.completed_at is None
    assert world.workflow.started == [f"{job.job_id}-2"]
    assert "2 items queued again" in world.log(job)


def test_a_retried_job_ends_as_if_nothing_had_failed() -> None:
    world, job = failed_job()
    world.finish(job)
    world.controls().retry_failed(OWNER, job.job_id)
    world.run_worker(job)
    world.finish(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 3
    assert world.now(job).status is JobStatus.COMPLETED


def test_retrying_queues_items_cancelled_when_an_error_stopped_the_job() -> None:
    world = World.scripted([REFUSAL])
    job = world.job(4, calls_per_worker=1, error_handling="stop")
    world.run_worker(job)
    world.finish(job)
    retried, requeued = world.controls().retry_failed(OWNER, job.job_id)
    assert requeued == 4
    assert retried.stop_reason is None
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 4


def test_retrying_a_running_job_keeps_it_running() -> None:
    world, job = failed_job()
    retried, requeued = world.controls().retry_failed(OWNER, job.job_id)
    assert (retried.status, requeued) == (JobStatus.PROCESSING, 2)


def test_retrying_a_paused_job_leaves_it_paused() -> None:
    world, job = failed_job()
    world.controls().pause(OWNER, job.job_id)
    retried, requeued = world.controls().retry_failed(OWNER, job.job_id)
    assert (retried.status, requeued) == (JobStatus.PAUSED, 2)
    assert world.workflow.started == []


def test_there_is_nothing_to_retry_in_a_job_without_failures() -> None:
    world = World()
    job = ended_job(world, JobStatus.COMPLETED)
    with pytest.raises(ActionNotAllowedError, match="nothing to retry"):
        world.controls().retry_failed(OWNER, job.job_id)
    assert world.now(job).status is JobStatus.COMPLETED
    assert world.workflow.started == []


def test_a_cancelled_job_is_not_retried() -> None:
    world = World()
    job = ended_job(world, JobStatus.CANCELLED)
    with pytest.raises(ActionNotAllowedError, match="cancelled"):
        world.controls().retry_failed(OWNER, job.job_id)


def test_a_retry_that_died_before_the_workflow_started_can_be_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, job = failed_job()
    world.finish(job)
    dying_workflow(world, monkeypatch, lambda: world.controls().retry_failed(OWNER, job.job_id))
    with pytest.raises(ActionNotAllowedError, match="nothing to retry"):
        world.controls().retry_failed(OWNER, job.job_id)
    assert world.workflow.started == [world.now(job).execution_name]


def test_a_retry_survives_a_round_that_closes_the_job_at_the_same_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, job = failed_job()
    requeue, closed = world.batches.requeue, list[object]()

    def close_first(*args: Any) -> int:
        if not closed:
            closed.append(world.finish(job))
        return requeue(*args)

    monkeypatch.setattr(world.batches, "requeue", close_first)
    retried, requeued = world.controls().retry_failed(OWNER, job.job_id)
    assert (retried.status, requeued) == (JobStatus.PROCESSING, 2)
    assert retried.queued_items == 2


def test_a_retry_that_never_finds_the_job_open_raises_a_conflict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, job = failed_job()

    def always_closed(*_: Any) -> int:
        raise ClaimsClosedError("closed")

    monkeypatch.setattr(world.batches, "requeue", always_closed)
    with pytest.raises(ConflictError, match="try again"):
        world.controls().retry_failed(OWNER, job.job_id)


@pytest.mark.parametrize("status", JobStatus)
def test_ensure_running_starts_only_jobs_that_should_run(status: JobStatus) -> None:
    world = world_for(status)
    job = ended_job(world, status)
    before = list(world.workflow.started)
    nudged = world.controls().ensure_running(OWNER, job.job_id)
    assert nudged == world.now(job)
    runs = status in {JobStatus.QUEUED, JobStatus.PROCESSING}
    assert (world.workflow.started != before) is runs


def test_ensure_running_again_starts_nothing_more() -> None:
    world = World()
    job = world.job(1)
    for _ in range(3):
        world.controls().ensure_running(OWNER, job.job_id)
    assert world.workflow.started == [f"{job.job_id}-1"]
