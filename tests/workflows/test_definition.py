"""Rules for the state machine's text that no emulator checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from brightrun.batches.model import MAX_WORKERS
from brightrun.batches.workflow import (
    EVENTS_PER_INVOCATION,
    EVENTS_PER_ROUND,
    HISTORY_LIMIT,
    MAX_LOOPS,
    MAX_ROUNDS,
    max_events,
)
from local.workflows.definition_lint import problems_in
from tests.workflows.definition import (
    GENERATE_BATCH,
    State,
    machines,
    reachable,
    states,
    successors,
    tries,
)

MACHINE = GENERATE_BATCH.parsed()
STACK = Path(__file__).parents[2] / "infra" / "stacks" / "workflows.py"
COMMON = {"Type", "Comment"}
ALLOWED = {
    "Task": {
        "Resource",
        "Parameters",
        "OutputPath",
        "TimeoutSeconds",
        "Retry",
        "Catch",
        "Next",
    },
    "Choice": {"Choices", "Default"},
    "Wait": {"SecondsPath", "Next"},
    "Pass": {"Next"},
    "Succeed": set(),
    "Map": {"ItemsPath", "MaxConcurrency", "ItemSelector", "ItemProcessor", "ResultPath", "Next"},
}
"""The subset that AWS and the local engine run alike."""

CLOSING_TASK = "FinishBatch"
"""No later state could repair its failure, so it is retried longer and never caught."""


def of_type(kind: str) -> list[tuple[str, State]]:
    return [(name, state) for name, state in states(MACHINE) if state["Type"] == kind]


@pytest.mark.parametrize("name", [name for name, _ in states(MACHINE)])
def test_a_state_uses_only_what_every_interpreter_runs_alike(name: str) -> None:
    state = dict(states(MACHINE))[name]
    assert set(state) <= ALLOWED[state["Type"]] | COMMON


def test_the_local_engine_finds_nothing_to_refuse() -> None:
    assert problems_in(GENERATE_BATCH.text()) == []


def test_no_placeholder_is_left() -> None:
    assert "${" not in GENERATE_BATCH.text()


def test_every_next_state_exists() -> None:
    for machine in machines(MACHINE):
        assert machine["StartAt"] in machine["States"]
        for name, state in machine["States"].items():
            assert set(successors(state)) <= set(machine["States"]), name


def test_every_state_can_be_reached() -> None:
    for machine in machines(MACHINE):
        assert reachable(machine) == set(machine["States"])


def test_every_state_leads_on_or_ends_well() -> None:
    for name, state in states(MACHINE):
        assert bool(successors(state)) is (state["Type"] != "Succeed"), name


def test_names_are_unique_so_that_a_history_can_be_read() -> None:
    names = [name for name, _ in states(MACHINE)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", [name for name, _ in of_type("Task")])
def test_a_task_has_a_timeout_retries_and_a_way_out(name: str) -> None:
    task = dict(of_type("Task"))[name]
    (retry,) = task["Retry"]
    assert task["Resource"] == "arn:aws:states:::lambda:invoke"
    assert task["TimeoutSeconds"] > 0
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert retry["JitterStrategy"] == "FULL"
    assert retry["MaxDelaySeconds"] >= retry["IntervalSeconds"]
    caught = [rule["ErrorEquals"] for rule in task.get("Catch", ())]
    assert caught == ([] if name == CLOSING_TASK else [["States.ALL"]])


def test_a_task_is_given_up_only_after_its_function_has_been_stopped() -> None:
    limits = dict(re.findall(r'FunctionSpec\(name="(\w+)", timeout_s=(\d+)', STACK.read_text()))
    tasks = dict(of_type("Task"))
    assert tasks["ProcessNext"]["TimeoutSeconds"] > int(limits["process_next"])
    assert tasks["FinishBatch"]["TimeoutSeconds"] > int(limits["finish_batch"])


def test_all_workers_of_a_job_run_side_by_side() -> None:
    ((_, workers),) = of_type("Map")
    assert workers["MaxConcurrency"] == MAX_WORKERS
    assert workers["ItemProcessor"]["ProcessorConfig"] == {"Mode": "INLINE"}


def test_what_workers_give_back_does_not_travel_on() -> None:
    """A Map's results would grow with the items; the round keeps its input."""
    ((_, workers),) = of_type("Map")
    assert workers["ResultPath"] is None


def test_a_lost_worker_does_not_end_the_others() -> None:
    ((_, workers),) = of_type("Map")
    inner = workers["ItemProcessor"]["States"]
    (rule,) = inner["ProcessNext"]["Catch"]
    assert inner[rule["Next"]]["Type"] == "Pass"


def events(state: State) -> int:
    """The most history events of one passage through a state.

    Entered and exited; a Task's try is scheduled, started, and succeeded or failed; a Succeed is
    exited too; a Map starts and succeeds, and so does each of its iterations.
    """
    if state["Type"] == "Task":
        return 2 + 3 * tries(state)
    if state["Type"] == "Map":
        return 2 + 2 + 2 * int(state["MaxConcurrency"])
    return 2


def test_a_workers_turn_costs_no_more_events_than_the_bound_says() -> None:
    named = dict(states(MACHINE))
    turn = ("ProcessNext", "MoreToDo", "WaitForClaude")
    for name, following in zip(turn, turn[1:] + turn[:1], strict=True):
        assert following in successors(named[name])
    assert sum(events(named[name]) for name in turn) <= EVENTS_PER_INVOCATION


def test_the_rest_of_a_round_costs_no_more_events_than_the_bound_says() -> None:
    named = dict(states(MACHINE))
    ending = sum(events(named[name]) for name in ("WorkerLost", "WorkerDone"))
    around = ("Workers", "FinishBatch", "AllSettled", "WaitForItems")
    round_events = sum(events(named[name]) for name in around) + MAX_WORKERS * ending
    start_and_end = 4  # The execution starts and succeeds; Settled is entered and exited.
    assert MAX_ROUNDS * round_events + start_and_end <= MAX_ROUNDS * EVENTS_PER_ROUND


def test_the_longest_execution_fits_into_step_functions_history() -> None:
    bound = MAX_ROUNDS * (MAX_WORKERS * MAX_LOOPS * EVENTS_PER_INVOCATION + EVENTS_PER_ROUND)
    assert bound == max_events(MAX_WORKERS) <= HISTORY_LIMIT == 25_000
