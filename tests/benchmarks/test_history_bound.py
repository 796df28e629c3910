"""The bound on history events in batches/workflow.py, worked out again from the deployed ASL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from brightrun.batches.model import MAX_WORKERS
from brightrun.batches.workflow import (
    EVENTS_PER_INVOCATION,
    EVENTS_PER_ROUND,
    HISTORY_LIMIT,
    MAX_LOOPS,
    MAX_ROUNDS,
    max_events,
)

ASL = Path(__file__).parents[2] / "infra" / "state_machines" / "generate_batch.asl.json"
MACHINE: dict[str, Any] = json.loads(ASL.read_text(encoding="utf-8"))
WORKER: dict[str, Any] = MACHINE["States"]["Workers"]["ItemProcessor"]["States"]

EVENTS_PER_TRY = 3
"""TaskScheduled, TaskStarted, and TaskSucceeded, TaskFailed or TaskTimedOut."""


def events(state: dict[str, Any]) -> int:
    """The most events of one pass through a state: entered, exited, and a Task's tries."""
    if state["Type"] != "Task":
        return 2
    tries: int = 1 + sum(retrier["MaxAttempts"] for retrier in state["Retry"])
    return 2 + tries * EVENTS_PER_TRY


def loop_of(states: dict[str, Any]) -> list[dict[str, Any]]:
    """The states that a worker passes again and again: all that lead back to the Task."""
    back = [name for name, state in states.items() if state.get("Next") == "ProcessNext"]
    return [states[name] for name in ("ProcessNext", "MoreToDo", *back)]


def test_a_turn_has_the_events_of_the_workers_loop() -> None:
    assert sum(events(state) for state in loop_of(WORKER)) == EVENTS_PER_INVOCATION


def events_per_round() -> int:
    """The most events of a round beside its workers' turns; its last state is one of two."""
    ending = [state for state in WORKER.values() if state not in loop_of(WORKER)]
    one_worker = 2 + sum(events(state) for state in ending)  # iteration started, succeeded
    all_workers = 4 + MAX_WORKERS * one_worker  # Map entered, started, succeeded, exited
    outer = MACHINE["States"]
    last = max(events(outer["WaitForItems"]), events(outer["Settled"]))
    return all_workers + events(outer["FinishBatch"]) + events(outer["AllSettled"]) + last


def test_a_round_has_few_events_beside_its_turns() -> None:
    assert set(MACHINE["States"]) == {
        "Workers",
        "FinishBatch",
        "AllSettled",
        "WaitForItems",
        "Settled",
    }
    started_and_ended = 2
    assert MAX_ROUNDS * events_per_round() + started_and_ended <= MAX_ROUNDS * EVENTS_PER_ROUND


def test_all_rounds_of_the_most_workers_stay_under_the_limit() -> None:
    turns = MAX_ROUNDS * MAX_LOOPS * MAX_WORKERS
    assert turns * EVENTS_PER_INVOCATION + MAX_ROUNDS * EVENTS_PER_ROUND == max_events(MAX_WORKERS)
    assert max_events(MAX_WORKERS) < HISTORY_LIMIT


def test_the_map_runs_as_many_workers_as_a_job_may_have() -> None:
    assert MACHINE["States"]["Workers"]["MaxConcurrency"] == MAX_WORKERS
