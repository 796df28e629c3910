"""The validation workflow as it is deployed, in the local engine's interpreter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from brightrun.datasets.model import VALIDATION_ENDS_WITHIN, Dataset
from brightrun.datasets.validate_dataset import ValidationRun
from infra.stacks.datasets import VALIDATE
from local.workflows.cancellation import Cancellation
from local.workflows.definition_lint import problems_in
from local.workflows.failures import StateFailed
from local.workflows.frames import Frame
from local.workflows.history import History
from local.workflows.interpreter import Interpreter
from tests.builders import OWNER
from tests.unit.datasets.dataset_setup import ROWS, Datasets
from tests.workflows.definition import VALIDATE_DATASET
from tests.workflows.histories import entered, types
from tests.workflows.test_definition import ALLOWED, COMMON

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:validate-dataset"
KILLED = StateFailed("Runtime.ExitError", "The function was killed.")
Disturbance = Callable[[int, dict[str, Any]], None]


MACHINE = VALIDATE_DATASET.parsed()


class Run:
    """One execution; `disturb` is called before and after each call of the function."""

    def __init__(self, system: Datasets, disturb: Disturbance | None = None) -> None:
        self.system = system
        self.events: list[dict[str, Any]] = []
        self.calls = 0
        self._disturb = disturb or (lambda *_: None)

    def of(self, dataset: Dataset) -> dict[str, Any]:
        """Carry an execution out, and give its output."""
        history = History(self.events, lambda _: None, limit=25_000)
        interpreter = Interpreter(self._invoke, history, jitter=lambda: 0.0)
        request = {
            "ownerId": OWNER,
            "datasetId": dataset.dataset_id,
            "run": dataset.validation_run,
        }
        frame = Frame({"Execution": {"Id": "arn"}}, Cancellation())
        output: dict[str, Any] = interpreter.run(
            MACHINE["States"], MACHINE["StartAt"], request, frame
        )
        return output

    def _invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        assert function == FUNCTION
        self.calls += 1
        self._disturb(self.calls, event)
        end = self.system.validator.validate(ValidationRun.model_validate(event))
        self._disturb(-self.calls, event)
        return end.model_dump(by_alias=True)


def killed_before(*calls: int) -> Disturbance:
    """Kill the function at the calls of these numbers; a negative one is the end of the call."""

    def disturb(call: int, _: dict[str, Any]) -> None:
        if call in calls:
            raise KILLED

    return disturb


@pytest.fixture
def system() -> Datasets:
    return Datasets()


def notification_types(system: Datasets) -> list[str]:
    page = system.rows.notifications.notifications(OWNER, unread=False, limit=9, cursor=None)
    return [one.type for one in page.records]


def test_a_good_file_is_ready_after_one_call(system: Datasets) -> None:
    dataset = system.confirmed()
    run = Run(system)
    assert run.of(dataset)["status"] == "ready"
    assert entered(run.events) == {"Validate": 1, "Settled": 1}
    assert system.now(dataset).training_ready


def test_a_bad_file_is_no_failure_of_the_workflow(system: Datasets) -> None:
    dataset = system.confirmed(ROWS + b"\nno json")
    run = Run(system)
    assert run.of(dataset)["status"] == "error"
    assert entered(run.events) == {"Validate": 1, "Settled": 1}
    assert notification_types(system) == ["dataset_error"]


def test_a_validator_that_was_killed_starts_again_and_ends_right(system: Datasets) -> None:
    dataset = system.confirmed()
    run = Run(system, killed_before(1, 2))
    assert run.of(dataset)["status"] == "ready"
    assert types(run.events)["TaskFailed"] == 2
    assert notification_types(system) == ["dataset_ready"]


def test_a_validator_killed_after_it_stored_its_outcome_changes_nothing_more(
    system: Datasets,
) -> None:
    dataset = system.confirmed()
    run = Run(system, killed_before(-1))
    assert run.of(dataset)["status"] == "superseded"
    assert run.calls == 2
    assert system.now(dataset).status == "ready"
    assert notification_types(system) == ["dataset_ready"]


def test_when_every_attempt_was_killed_the_dataset_has_the_reason(system: Datasets) -> None:
    dataset = system.confirmed()
    run = Run(system, killed_before(1, 2, 3, 4, 5))
    assert run.of(dataset)["status"] == "error"
    assert entered(run.events) == {"Validate": 1, "RecordFailure": 1, "Settled": 1}
    assert run.calls == 6
    assert "several times" in str(system.now(dataset).error_message)
    assert notification_types(system) == ["dataset_error"]
    again = system.confirmer.confirm(OWNER, dataset.dataset_id)
    assert Run(system).of(again)["status"] == "ready"


def test_the_execution_of_a_deleted_dataset_succeeds(system: Datasets) -> None:
    dataset = system.confirmed()
    system.deleter.delete(OWNER, dataset.dataset_id)
    assert Run(system).of(dataset)["status"] == "superseded"
    assert notification_types(system) == []


def test_the_local_engine_finds_nothing_to_refuse() -> None:
    assert problems_in(VALIDATE_DATASET.text()) == []
    assert "${" not in VALIDATE_DATASET.text()


@pytest.mark.parametrize("name", MACHINE["States"])
def test_a_state_uses_only_what_every_interpreter_runs_alike(name: str) -> None:
    state = MACHINE["States"][name]
    assert set(state) <= ALLOWED[state["Type"]] | COMMON


def test_a_validation_is_given_up_only_after_its_function_has_been_stopped() -> None:
    assert MACHINE["States"]["Validate"]["TimeoutSeconds"] > VALIDATE.timeout_s


def test_the_longest_execution_ends_before_another_may_take_its_place() -> None:
    longest = sum(
        longest_seconds(MACHINE["States"][name]) for name in ("Validate", "RecordFailure")
    )
    assert timedelta(seconds=longest) < VALIDATION_ENDS_WITHIN


def longest_seconds(task: dict[str, Any]) -> float:
    """All tries of a task in full, with the longest pauses between them."""
    (retry,) = task["Retry"]
    pauses = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** tried, retry["MaxDelaySeconds"])
        for tried in range(retry["MaxAttempts"])
    ]
    return float(task["TimeoutSeconds"] * (retry["MaxAttempts"] + 1) + sum(pauses))
