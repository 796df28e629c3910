"""The deployed workflow text: sound, retried, and bounded in its history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brightrun.domain import workflow
from brightrun.domain.batch import MAX_ITEMS, MAX_WORKERS
from brightrun.domain.workflow import most_events
from local.workflows.definition_lint import problems_in

TEXT = (
    Path(__file__).resolve().parents[2] / "infra" / "state_machines" / "generate_batch.asl.json"
).read_text("utf-8")
DEFINITION: dict[str, Any] = json.loads(TEXT)
WORKER: dict[str, Any] = DEFINITION["States"]["Workers"]["ItemProcessor"]


def machines() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "generate_batch", DEFINITION
    yield "worker", WORKER


def targets(state: dict[str, Any]) -> set[str]:
    found = {state[key] for key in ("Next", "Default") if key in state}
    found |= {choice["Next"] for choice in state.get("Choices", [])}
    return found | {catcher["Next"] for catcher in state.get("Catch", [])}


@pytest.mark.parametrize(("name", "machine"), list(machines()))
def test_every_transition_leads_somewhere_and_every_state_is_reached(
    name: str, machine: dict[str, Any]
) -> None:
    states = machine["States"]
    reached, waiting = set(), {machine["StartAt"]}
    while waiting:
        state = waiting.pop()
        assert state in states, f"{name}: {state} does not exist"
        reached.add(state)
        waiting |= targets(states[state]) - reached
    assert reached == set(states)


def test_every_task_is_bounded_and_tried_again() -> None:
    tasks = [s for _, m in machines() for s in m["States"].values() if s["Type"] == "Task"]
    assert len(tasks) == 2
    for task in tasks:
        assert task["TimeoutSeconds"] > 0
        assert task["Retry"][0]["JitterStrategy"] == "FULL"
        assert task["Retry"][0]["MaxDelaySeconds"] > 0


def test_a_worker_that_is_lost_does_not_end_the_others() -> None:
    catcher = WORKER["States"]["ProcessNext"]["Catch"][0]
    assert catcher["ErrorEquals"] == ["States.ALL"]
    assert WORKER["States"][catcher["Next"]]["Type"] == "Pass"


def test_the_local_interpreter_knows_every_field() -> None:
    text = TEXT.replace("${ProcessNextFunctionArn}", "arn:aws:lambda:us-east-1:1:function:p")
    text = text.replace("${FinishBatchFunctionArn}", "arn:aws:lambda:us-east-1:1:function:f")
    assert problems_in(text) == []


def test_as_many_workers_run_as_a_job_may_have() -> None:
    assert DEFINITION["States"]["Workers"]["MaxConcurrency"] == MAX_WORKERS


def events_of_one_turn() -> int:
    """Entered, then scheduled, started and ended for each try, left; choice and wait: two each."""
    tries = 1 + WORKER["States"]["ProcessNext"]["Retry"][0]["MaxAttempts"]
    return 1 + 3 * tries + 1 + 2 + 2


def events_of_one_round() -> int:
    """The Map and its iterations, finish_batch with all its tries, choice and wait."""
    iterations = (
        2 + 4 * MAX_WORKERS
    )  # map started and succeeded; each iteration's start, end, last state
    tries = 1 + DEFINITION["States"]["FinishBatch"]["Retry"][0]["MaxAttempts"]
    return 2 + iterations + 1 + 3 * tries + 1 + 2 + 2


def test_the_history_stays_under_its_limit_whatever_happens() -> None:
    assert events_of_one_turn() == workflow.EVENTS_PER_TURN
    assert events_of_one_round() <= workflow.EVENTS_PER_ROUND
    assert most_events(MAX_WORKERS) <= workflow.HISTORY_LIMIT


def test_the_bound_does_not_depend_on_the_number_of_items() -> None:
    assert MAX_ITEMS == 10_000
    assert most_events(MAX_WORKERS) == 4 * (10 * 30 * 18 + 100)
