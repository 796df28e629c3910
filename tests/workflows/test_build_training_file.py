"""The build of a training file as it is deployed, in the local engine's interpreter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from brightrun.batches.workflow import HISTORY_LIMIT
from brightrun.core.errors import StorageError
from brightrun.training_files import build_training_file
from brightrun.training_files.build_version import PAGE, BuildStep
from brightrun.training_files.model import (
    BUILD_STOPS_WITHIN,
    MOST_CONVERSATIONS,
    TrainingFile,
)
from infra.stacks.datasets import BUILD
from local.workflows.cancellation import Cancellation
from local.workflows.definition_lint import problems_in
from local.workflows.failures import StateFailed
from local.workflows.frames import Frame
from local.workflows.history import History
from local.workflows.interpreter import Interpreter
from tests.builders import OWNER
from tests.unit.training_files.world import World, a_world
from tests.workflows.definition import BUILD_TRAINING_FILE
from tests.workflows.histories import entered, types
from tests.workflows.test_definition import ALLOWED, COMMON
from tests.workflows.test_validate_dataset import longest_seconds

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:build-training-file"
IDS = ("a", "b", "c", "d")
MACHINE = BUILD_TRAINING_FILE.parsed()
Disturbance = Callable[[int], None]


class Run:
    """One execution by pages of one; `disturb` is called before each call of the function."""

    def __init__(self, world: World, disturb: Disturbance = lambda _: None) -> None:
        self.events: list[dict[str, Any]] = []
        self.calls = 0
        self._builder = world.steps(1)
        self._disturb = disturb

    def of(self, file: TrainingFile) -> str:
        """Carry an execution out; gives its last status."""
        assert file.build is not None
        history = History(self.events, lambda _: None, limit=HISTORY_LIMIT)
        interpreter = Interpreter(self._invoke, history, jitter=lambda: 0.0)
        request = {"ownerId": OWNER, "fileId": file.file_id, "attempt": file.build.attempt}
        frame = Frame({"Execution": {"Id": "arn"}}, Cancellation())
        output = interpreter.run(MACHINE["States"], MACHINE["StartAt"], request, frame)
        return str(output["status"])

    def _invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        assert function == FUNCTION
        self.calls += 1
        self._disturb(self.calls)
        try:
            end = self._builder.step(BuildStep.model_validate(event))
        except StorageError as error:
            cause = f'{{"errorMessage": "{error.message}", "errorType": "StorageError"}}'
            raise StateFailed("StorageError", cause) from error
        return end.model_dump(by_alias=True)


def killed_at(*calls: int) -> Disturbance:
    def disturb(call: int) -> None:
        if call in calls:
            raise StateFailed("Runtime.ExitError", "The function was killed.")

    return disturb


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(build_training_file, "MOST_AT_ONCE", 0)
    return a_world(*IDS)


def test_a_version_is_built_page_by_page(world: World) -> None:
    file = world.create(*IDS)
    run = Run(world)
    assert run.of(file) == "ready"
    assert entered(run.events) == {"Build": 5, "MoreToBuild": 5, "Settled": 1}
    assert world.ids_in(world.stored(file)) == list(IDS)


def test_a_page_that_was_killed_is_tried_again_and_the_others_are_not(world: World) -> None:
    file = world.create(*IDS)
    run = Run(world, killed_at(2, 3, 6))
    assert run.of(file) == "ready"
    assert types(run.events)["TaskFailed"] == 3
    assert run.calls == 8
    assert world.ids_in(world.stored(file)) == list(IDS)


def test_when_every_try_has_failed_the_build_has_the_reason_and_leaves_nothing(
    world: World,
) -> None:
    file = world.create(*IDS)
    del world.conversation_files.objects["owner-1/c/enriched.json"]
    run = Run(world)
    assert run.of(file) == "failed"
    assert entered(run.events)["RecordFailure"] == 1
    failed = world.stored(file)
    assert failed.build is not None
    assert "the training pairs of 'c' are missing" in str(failed.build.error)
    assert (world.objects.objects, failed.status) == ({}, "failed")


def test_a_function_that_is_only_ever_killed_fails_the_build_too(world: World) -> None:
    file = world.create(*IDS)
    run = Run(world, killed_at(1, 2, 3, 4, 5, 6))
    assert run.of(file) == "failed"
    build = world.stored(file).build
    assert build is not None
    assert "the function was interrupted" in str(build.error)


def test_a_refused_selection_is_no_failure_of_the_workflow(world: World) -> None:
    file = world.create("a", "nowhere")
    run = Run(world)
    assert run.of(file) == "failed"
    assert "RecordFailure" not in entered(run.events)


def test_the_longest_build_fits_into_a_history(world: World) -> None:
    """Twice as many pages as there can be conversations, each of them tried four times."""
    file = world.create(*IDS)
    run = Run(world, killed_at(1, 2, 3))
    run.of(file)
    a_page = [event for event in run.events if event["id"] <= _end_of_first_page(run.events)]
    pages = 2 * MOST_CONVERSATIONS // PAGE + 2
    assert len(a_page) * pages < HISTORY_LIMIT


def _end_of_first_page(events: list[dict[str, Any]]) -> int:
    builds = [one["id"] for one in events if entered([one])["Build"]]
    return int(builds[1]) - 1


def test_the_local_engine_finds_nothing_to_refuse() -> None:
    assert problems_in(BUILD_TRAINING_FILE.text()) == []
    assert "${" not in BUILD_TRAINING_FILE.text()


@pytest.mark.parametrize("name", MACHINE["States"])
def test_a_state_uses_only_what_every_interpreter_runs_alike(name: str) -> None:
    state = MACHINE["States"][name]
    assert set(state) <= ALLOWED[state["Type"]] | COMMON


def test_a_page_is_given_up_only_after_its_function_has_been_stopped() -> None:
    assert MACHINE["States"]["Build"]["TimeoutSeconds"] > BUILD.timeout_s


def test_the_longest_page_ends_before_another_build_may_take_its_place() -> None:
    longest = sum(longest_seconds(MACHINE["States"][name]) for name in ("Build", "RecordFailure"))
    assert timedelta(seconds=longest) < BUILD_STOPS_WITHIN
