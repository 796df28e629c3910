"""The batch workflow as it is deployed: its text interpreted, its real functions behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from brightrun.batches.model import MAX_ATTEMPTS, MAX_WORKERS, ItemStatus, JobStatus
from brightrun.batches.workflow import MAX_ROUNDS, max_events
from brightrun.core.errors import ClaudeCallError
from brightrun.wiring import batch_jobs
from local.claude_simulator import ClaudeSimulator
from tests import builders as build
from tests.builders import OWNER
from tests.fakes.external_services import ScriptedClaude
from tests.workflows.batch_system import PLENTY_S, BatchSystem, running_system
from tests.workflows.definition import GENERATE_BATCH, all_edges
from tests.workflows.histories import edges, entered, types
from tests.workflows.running_machine import Killed

WORKER, FINISH = "process-next", "finish-batch"
THROTTLED = ClaudeCallError(
    "rate_limit",
    "Claude answered 429.",
    status=429,
    retryable=True,
    overloaded=True,
    retry_after_s=30,
)


@pytest.fixture
def claude() -> ScriptedClaude:
    return ScriptedClaude()


@pytest.fixture
def system(claude: ScriptedClaude) -> Iterator[BatchSystem]:
    with running_system(claude) as running:
        yield running


def history_of(system: BatchSystem, name: str) -> list[dict[str, Any]]:
    """The history of an execution that ended well."""
    assert system.ended(name) == "SUCCEEDED"
    history = system.history(name)
    assert len(history) <= max_events(MAX_WORKERS)
    return history


def failing(calls: dict[str, range], error: BaseException) -> Callable[..., None]:
    """Let the calls of a function with these numbers fail before it does anything."""

    def disturb(name: str, _: dict[str, Any], number: int) -> None:
        if number in calls.get(name, range(0)):
            raise error

    return disturb


def test_a_batch_runs_to_its_end_over_the_simulated_claude() -> None:
    with (
        ClaudeSimulator() as simulator,
        running_system(CLAUDE_BASE_URL=simulator.url) as system,
    ):
        job = system.create(6, concurrent_processing=3)
        history = history_of(system, job.execution_name)
        answered = simulator.journal.statuses("messages")
        assert answered == {200: 6}
        after = system.job(job)
    assert (after.status, after.successful_items) == (JobStatus.COMPLETED, 6)
    assert after.simulated
    assert entered(history) == {
        "Workers": 1,
        "ProcessNext": 3,
        "MoreToDo": 3,
        "WorkerDone": 3,
        "FinishBatch": 1,
        "AllSettled": 1,
        "Settled": 1,
    }
    assert types(history)["MapIterationSucceeded"] == 3
    assert "TaskFailed" not in types(history)


def test_a_worker_that_crashes_is_tried_again(system: BatchSystem) -> None:
    system.disturb = failing({WORKER: range(1, 3)}, RuntimeError())
    job = system.create(2, concurrent_processing=1)
    history = history_of(system, job.execution_name)
    assert types(history)["TaskFailed"] == 2
    assert entered(history)["ProcessNext"] == 1
    assert "WorkerLost" not in entered(history)
    assert system.job(job).successful_items == 2


def test_a_worker_that_is_lost_for_good_leaves_its_items_to_the_others(system: BatchSystem) -> None:
    def disturb(name: str, event: dict[str, Any], _: int) -> None:
        if name == WORKER and event["worker"] == 0:
            raise RuntimeError

    system.disturb = disturb
    job = system.create(6, concurrent_processing=3)
    history = history_of(system, job.execution_name)
    assert entered(history)["WorkerLost"] == 1
    assert types(history)["TaskFailed"] == 4
    assert system.job(job).successful_items == 6


def test_when_all_workers_are_lost_the_next_round_writes_the_rest(system: BatchSystem) -> None:
    def disturb(name: str, _event: dict[str, Any], _number: int) -> None:
        if name == WORKER and not system.calls[FINISH]:
            raise RuntimeError

    system.disturb = disturb
    job = system.create(4, concurrent_processing=2)
    history = history_of(system, job.execution_name)
    seen = entered(history)
    assert (seen["WorkerLost"], seen["WaitForItems"], seen["Workers"]) == (2, 1, 2)
    assert system.job(job).status is JobStatus.COMPLETED
    assert system.executions() == [job.execution_name]


def test_items_of_a_killed_worker_are_written_when_their_leases_have_run_out(
    system: BatchSystem, claude: ScriptedClaude
) -> None:
    complete, killed = claude.complete, list[bool]()

    async def dies_once(*args: Any, **kwargs: Any) -> Any:
        answer = await complete(*args, **kwargs)
        if not killed:
            killed.append(True)
            raise Killed
        return answer

    claude.complete = dies_once  # type: ignore[method-assign]
    job = system.create(3, concurrent_processing=1)
    history = history_of(system, job.execution_name)
    assert entered(history)["WaitForItems"] == 1
    assert sum(system.waited) >= 60
    assert system.job(job).successful_items == 3
    assert claude.calls == 4  # The answer of the killed worker never reached its storage.


def test_a_claude_that_asks_for_a_long_wait_makes_the_worker_wait_as_long() -> None:
    with running_system(claude := ScriptedClaude([THROTTLED])) as system:
        job = system.create(3, concurrent_processing=1)
        history = history_of(system, job.execution_name)
        assert entered(history)["WaitForClaude"] == 1
        assert 30 <= system.waited[0] <= 33
        assert system.job(job).successful_items == 3
        assert claude.calls == 4


def test_a_paused_job_lets_its_execution_end_and_a_resumed_one_goes_on_in_another(
    system: BatchSystem, claude: ScriptedClaude
) -> None:
    controls = batch_jobs.batch_controls()

    def pause_it(name: str, event: dict[str, Any], number: int) -> None:
        if (name, number) == (WORKER, 1):
            controls.pause(OWNER, event["jobId"])

    system.disturb = pause_it
    job = system.create(5, concurrent_processing=1)
    history_of(system, job.execution_name)
    assert system.job(job).status is JobStatus.PAUSED
    assert claude.calls == 0
    controls.resume(OWNER, job.job_id)
    history_of(system, f"{job.job_id}-2")
    assert system.job(job).status is JobStatus.COMPLETED
    assert {item.status for item in system.items(job)} == {ItemStatus.COMPLETED}


def test_a_worker_that_runs_out_of_time_takes_another_turn(system: BatchSystem) -> None:
    system.seconds_left = lambda _, number: 100 if number == 1 else PLENTY_S
    job = system.create(3, concurrent_processing=1)
    history = history_of(system, job.execution_name)
    assert entered(history)["ProcessNext"] == 2
    assert entered(history)["Workers"] == 1
    assert system.job(job).successful_items == 3


def test_a_cancelled_job_runs_one_round_without_workers(system: BatchSystem) -> None:
    system.disturb = failing({WORKER: range(1, 10_000)}, RuntimeError())
    job = system.create(3, concurrent_processing=1)
    batch_jobs.batch_controls().cancel(OWNER, job.job_id)
    history = history_of(system, f"{job.job_id}-2")
    assert "ProcessNext" not in entered(history)
    assert entered(history)["FinishBatch"] == 1
    assert system.job(job).cancelled_items == 3
    history_of(system, job.execution_name)


def test_after_the_last_round_another_execution_takes_over(system: BatchSystem) -> None:
    tries = 4
    system.disturb = failing({WORKER: range(1, tries * MAX_ROUNDS + 1)}, RuntimeError())
    job = system.create(2, concurrent_processing=1)
    first = history_of(system, job.execution_name)
    assert entered(first)["Workers"] == MAX_ROUNDS
    second = history_of(system, f"{job.job_id}-2")
    assert entered(second)["Workers"] == 1
    assert system.job(job).status is JobStatus.COMPLETED
    assert len(system.executions()) == 2


def test_the_end_of_a_round_is_tried_nine_times(system: BatchSystem) -> None:
    system.disturb = failing({FINISH: range(1, 9)}, RuntimeError())
    job = system.create(1)
    history = history_of(system, job.execution_name)
    assert types(history)["TaskFailed"] == 8
    assert system.job(job).status is JobStatus.COMPLETED


def test_an_execution_whose_end_fails_for_good_is_replaced_by_a_nudge_or_a_resume(
    system: BatchSystem,
) -> None:
    system.disturb = failing({FINISH: range(1, 10)}, RuntimeError())
    job = system.create(2)
    assert system.ended(job.execution_name) == "FAILED"
    assert system.job(job).status is JobStatus.PROCESSING
    batch_jobs.batch_controls().resume(OWNER, job.job_id)
    history_of(system, f"{job.job_id}-2")
    assert system.job(job).status is JobStatus.COMPLETED
    assert system.calls[WORKER] >= 2


def test_a_workflow_started_twice_runs_once(system: BatchSystem, claude: ScriptedClaude) -> None:
    job = system.create(4)
    for _ in range(3):
        batch_jobs.batch_controls().ensure_running(OWNER, job.job_id)
    history_of(system, job.execution_name)
    assert system.executions() == [job.execution_name]
    assert claude.calls == 4


def test_a_total_outage_costs_four_calls_an_item_and_then_ends_the_batch(
    record_property: Callable[[str, object], None],
) -> None:
    with running_system(claude := ScriptedClaude([THROTTLED] * 100)) as system:
        job = system.create(3, concurrent_processing=1)
        history_of(system, job.execution_name)
        after = system.job(job)
        assert (after.status, after.failed_items) == (JobStatus.FAILED, 3)
        assert claude.calls == 3 * MAX_ATTEMPTS
        record_property("calls_an_item", claude.calls / 3)
        assert {item.error_code for item in system.items(job)} == {"rate_limit"}


def test_a_stop_after_an_error_cancels_what_is_left_in_the_same_round() -> None:
    with running_system(ScriptedClaude([build.a_refusal()])) as system:
        job = system.create(5, concurrent_processing=1, error_handling="stop")
        history = history_of(system, job.execution_name)
        after = system.job(job)
        assert entered(history)["FinishBatch"] == 1
        assert after.status is JobStatus.FAILED
        assert after.failed_items + after.cancelled_items + after.successful_items == 5
        assert re.match(r"Item \d failed", after.stop_reason or "")


def test_one_job_to_which_everything_happens_takes_every_edge_of_the_machine() -> None:
    with running_system(ScriptedClaude([THROTTLED])) as system:
        out_of_time = 5
        system.disturb = failing({WORKER: range(1, 5), FINISH: range(1, 2)}, RuntimeError())
        system.seconds_left = lambda _, number: 100 if number == out_of_time else PLENTY_S
        job = system.create(3, concurrent_processing=1)
        history = history_of(system, job.execution_name)
        assert system.job(job).successful_items == 3
    every = all_edges(GENERATE_BATCH.parsed())
    # A history shows the way through a Map by what is inside it.
    through_the_map = {("Workers", "ProcessNext"), ("WorkerDone", "FinishBatch")}
    assert edges(history) == every - {("Workers", "FinishBatch")} | through_the_map
