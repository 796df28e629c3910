"""The messages between the state machine and its functions, and the limits on its history."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from brightrun.batches.model import MAX_ITEMS, MAX_WORKERS
from brightrun.batches.workflow import (
    HISTORY_LIMIT,
    MAX_LOOPS,
    MAX_ROUNDS,
    Round,
    RoundResult,
    WorkerInvocation,
    WorkerResult,
    max_events,
)

TURN = {"ownerId": "o", "jobId": "j", "worker": 3, "loop": 0}
ROUND = {"ownerId": "o", "jobId": "j", "run": 1, "workers": [0, 1], "round": 0}


def test_an_invocations_result_is_the_next_ones_request() -> None:
    result = WorkerResult(owner_id="o", job_id="j", worker=3, loop=1, status="wait", wait_seconds=9)
    passed_on = result.model_dump(by_alias=True)
    assert passed_on["waitSeconds"] == 9
    assert WorkerInvocation.model_validate(passed_on) == WorkerInvocation.model_validate(
        {**TURN, "loop": 1}
    )


def test_a_rounds_result_is_the_next_rounds_input() -> None:
    result = RoundResult.model_validate({**ROUND, "status": "unfinished", "waitSeconds": 5})
    assert Round.model_validate(result.model_dump(by_alias=True)) == Round.model_validate(ROUND)


@pytest.mark.parametrize("worker", [-1, MAX_WORKERS])
def test_there_is_no_worker_beyond_the_last(worker: int) -> None:
    with pytest.raises(ValidationError):
        WorkerInvocation.model_validate({**TURN, "worker": worker})


@pytest.mark.parametrize("status", ["continue", "wait", "drained", "closed", "handover"])
def test_an_invocation_ends_with_one_of_five_statuses(status: str) -> None:
    assert WorkerResult.model_validate({**TURN, "status": status}).status == status


def test_an_invocation_has_no_other_status() -> None:
    with pytest.raises(ValidationError):
        WorkerResult.model_validate({**TURN, "status": "finished"})


def test_the_longest_execution_stays_under_the_history_limit() -> None:
    assert max_events(MAX_WORKERS) <= HISTORY_LIMIT


def test_the_history_grows_with_workers_and_not_with_items() -> None:
    assert max_events(1) < max_events(MAX_WORKERS)
    # A job continues in a new execution before the history is full, so any number of items fits.
    turns = MAX_ROUNDS * MAX_LOOPS * MAX_WORKERS
    assert max_events(MAX_WORKERS) / turns < MAX_ITEMS
