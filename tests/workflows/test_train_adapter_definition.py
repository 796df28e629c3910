"""Rules for the text of TrainAdapter that no emulator checks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from brightrun.training.workflow.model import (
    EVENTS_AROUND,
    EVENTS_PER_TURN,
    HISTORY_LIMIT,
    MAX_TURNS,
    most_events,
)
from local.workflows.definition_lint import problems_in
from tests.workflows.definition import TRAIN_ADAPTER, State, reachable, successors, tries

STACK = Path(__file__).parents[2] / "infra" / "stacks" / "training.py"
ALLOWED = {
    "Task": {"Resource", "Parameters", "OutputPath", "TimeoutSeconds", "Retry", "Next"},
    "Choice": {"Choices", "Default"},
    "Wait": {"SecondsPath", "Next"},
    "Succeed": set(),
}
STATES: dict[str, State] = TRAIN_ADAPTER.parsed()["States"]
TASKS = [name for name, state in STATES.items() if state["Type"] == "Task"]


@pytest.mark.parametrize("name", STATES)
def test_a_state_uses_only_what_every_interpreter_runs_alike(name: str) -> None:
    state = STATES[name]
    assert set(state) <= ALLOWED[state["Type"]] | {"Type", "Comment"}


def test_the_local_engine_finds_nothing_to_refuse() -> None:
    assert problems_in(TRAIN_ADAPTER.text()) == []


def test_no_placeholder_is_left() -> None:
    assert "${" not in TRAIN_ADAPTER.text()


def test_every_state_can_be_reached_and_leads_on_or_ends_well() -> None:
    assert reachable(TRAIN_ADAPTER.parsed()) == set(STATES)
    assert [name for name, state in STATES.items() if not successors(state)] == ["Done"]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_tried_again_and_its_failure_left_to_the_sweep(name: str) -> None:
    task = STATES[name]
    (retry,) = task["Retry"]
    assert task["Resource"] == "arn:aws:states:::lambda:invoke"
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert retry["JitterStrategy"] == "FULL"
    assert retry["MaxDelaySeconds"] >= retry["IntervalSeconds"]
    assert "Catch" not in task


def test_a_task_is_given_up_only_after_its_function_has_been_stopped() -> None:
    limits = dict(re.findall(r'FunctionSpec\(name="(\w+)", timeout_s=(\d+)', STACK.read_text()))
    for name in TASKS:
        function = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        assert STATES[name]["TimeoutSeconds"] > int(limits[function])


def events(state: State) -> int:
    """The most history events of one passage: entered, left, and three of each try of a Task."""
    return 2 + (3 * tries(state) if state["Type"] == "Task" else 0)


@pytest.mark.parametrize(
    "turn",
    [
        ("StartTraining", "AfterStart", "WaitForRoom"),
        ("StartTraining", "AfterStart", "WaitToWatch"),
        ("WatchTraining", "AfterWatch", "WaitToWatch"),
        ("WatchTraining", "AfterWatch", "WaitForRoom"),
    ],
)
def test_a_turn_takes_no_more_events_than_the_bound(turn: tuple[str, ...]) -> None:
    for name, following in zip(turn, turn[1:], strict=False):
        assert following in successors(STATES[name])
    assert sum(events(STATES[name]) for name in turn) <= EVENTS_PER_TURN


def test_the_end_takes_no_more_events_than_the_bound() -> None:
    # A cancellation while the adapter is checked takes one more watch and one more finish.
    ending = 2 * sum(events(STATES[name]) for name in ("FinishTraining", "AfterFinish"))
    start_and_end = 2 + events(STATES["Done"])
    assert ending + start_and_end <= EVENTS_AROUND


def test_the_longest_execution_fits_into_step_functions_history() -> None:
    assert MAX_TURNS * EVENTS_PER_TURN + EVENTS_AROUND == most_events() <= HISTORY_LIMIT == 25_000
