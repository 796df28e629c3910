"""Executions are recorded as they run, completed once, and resumed where they were."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.durability import room
from local.durability.execution_store import ExecutionStore
from local.durability.room import DiskFull
from local.workflows.execution import ExecutionRunner
from local.workflows.failures import StateFailed

ARN = "arn:aws:states:us-east-1:000000000000:execution:machine:one"
TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"FunctionName": "work", "Payload.$": "$"},
    "OutputPath": "$.Payload",
}
MACHINE = {
    "name": "machine",
    "definition": json.dumps(
        {
            "StartAt": "First",
            "States": {"First": {**TASK, "Next": "Second"}, "Second": {**TASK, "End": True}},
        }
    ),
}


def _execution(**fields: Any) -> dict[str, Any]:
    return {
        "executionArn": ARN,
        "stateMachineArn": "arn:aws:states:us-east-1:000000000000:stateMachine:machine",
        "name": "one",
        "status": "RUNNING",
        "startDate": "2026-01-01T00:00:00.000Z",
        "stopDate": None,
        "input": "[]",
        "events": [{"id": 1, "type": "ExecutionStarted"}],
        **fields,
    }


OpenStore = Callable[[], ExecutionStore]


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[OpenStore]:
    stores: list[ExecutionStore] = []

    def open_one() -> ExecutionStore:
        stores.append(ExecutionStore(tmp_path))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


def _runner(store: ExecutionStore, invoke: Callable[[str, str, Any], Any]) -> ExecutionRunner:
    return ExecutionRunner(store, invoke, forget=lambda _arns: None)


def _append_call(_arn: str, _function: str, payload: list[str]) -> list[str]:
    return [*payload, f"call {len(payload) + 1}"]


def test_execution_ends_with_its_output_and_is_on_disk(open_store: OpenStore) -> None:
    store = open_store()
    runner, execution = _runner(store, _append_call), _execution()
    runner.started(execution)
    runner.run(execution, MACHINE)
    assert execution["status"] == "SUCCEEDED"
    [loaded] = open_store().load()
    assert json.loads(loaded["output"]) == ["call 1", "call 2"]
    assert "resume" not in loaded
    types = [event["type"] for event in loaded["events"]]
    assert (types[0], types[-1]) == ("ExecutionStarted", "ExecutionSucceeded")


def test_failed_execution_keeps_error_and_cause(open_store: OpenStore) -> None:
    def invoke(*_arguments: Any) -> Any:
        raise StateFailed("Mine", "because")

    execution = _execution()
    _runner(open_store(), invoke).run(execution, MACHINE)
    assert (execution["status"], execution["error"], execution["cause"]) == (
        "FAILED",
        "Mine",
        "because",
    )


def test_resumed_execution_enters_its_last_state_again(open_store: OpenStore) -> None:
    def stop_in_second(_arn: str, _function: str, payload: list[str]) -> list[str]:
        if payload:
            before.close()
        return _append_call(_arn, _function, payload)

    before = _runner(open_store(), stop_in_second)
    execution = _execution()
    before.started(execution)
    before.run(execution, MACHINE)
    [loaded] = open_store().load()
    assert loaded["status"] == "RUNNING"
    assert loaded["resume"] == {"state": "Second", "input": ["call 1"]}

    _runner(open_store(), _append_call).run(loaded, MACHINE)
    assert json.loads(loaded["output"]) == ["call 1", "call 2"]
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in loaded["events"]
        if event["type"] == "TaskStateEntered"
    ]
    assert entered == ["First", "Second", "Second"]


def test_what_a_killed_worker_reports_after_a_stop_is_not_recorded(open_store: OpenStore) -> None:
    def killed(*_arguments: Any) -> Any:
        runner.close()
        raise StateFailed("Runtime.ExitError", "")

    runner = _runner(open_store(), killed)
    execution = _execution()
    runner.started(execution)
    runner.run(execution, MACHINE)
    assert execution["status"] == "RUNNING"
    [loaded] = open_store().load()
    assert "TaskFailed" not in [event["type"] for event in loaded["events"]]


def test_aborted_execution_records_nothing_more(open_store: OpenStore) -> None:
    entered, released = threading.Event(), threading.Event()

    def slow(*_arguments: Any) -> Any:
        entered.set()
        released.wait(10)

    runner, execution = _runner(open_store(), slow), _execution()
    runner.started(execution)
    thread = threading.Thread(target=runner.run, args=(execution, MACHINE))
    thread.start()
    assert entered.wait(10)
    with runner.status_lock:
        run = runner.detach(execution)
        execution.update(status="ABORTED", stopDate="2026-01-01T00:00:01.000Z")
        execution["events"].append({"id": 9, "type": "ExecutionAborted"})
        runner.stopped(execution, run)
    released.set()
    thread.join(10)
    [loaded] = open_store().load()
    assert loaded["status"] == "ABORTED"
    assert [event["type"] for event in loaded["events"]][-1] == "ExecutionAborted"


def test_execution_past_its_time_is_timed_out(open_store: OpenStore) -> None:
    states = {"W": {"Type": "Wait", "Seconds": 60, "End": True}}
    definition = json.dumps({"StartAt": "W", "TimeoutSeconds": 1, "States": states})
    execution = _execution()  # started long ago
    runner = _runner(open_store(), _append_call)
    runner.run(execution, {"name": "machine", "definition": definition})
    assert execution["status"] == "TIMED_OUT"


def test_mistake_in_the_engine_fails_the_execution_and_is_raised(open_store: OpenStore) -> None:
    def broken(*_arguments: Any) -> Any:
        raise KeyError("a mistake")

    execution = _execution()
    with pytest.raises(KeyError):
        _runner(open_store(), broken).run(execution, MACHINE)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Runtime")


class FullDisk:
    """A store's disk: full while it is told so, and it counts what it refused."""

    def __init__(self, store: ExecutionStore, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self.refused = 0
        monkeypatch.setattr(room, "_RETRY_SECONDS", 0.01)
        for name in ("save", "append"):
            monkeypatch.setattr(store, name, self._guarded(getattr(store, name)))

    def _guarded(self, write: Callable[..., None]) -> Callable[..., None]:
        def guard(*arguments: Any) -> None:
            if self.is_full:
                self.refused += 1
                if self.refused % 5 == 0:
                    self.is_full = False
                raise DiskFull("full")
            write(*arguments)

        return guard


def test_execution_waits_for_room_at_any_step_and_ends_with_its_whole_history(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    disk = FullDisk(store, monkeypatch)

    def call(arn: str, function: str, payload: list[str]) -> list[str]:
        disk.is_full = True
        return _append_call(arn, function, payload)

    runner, execution = _runner(store, call), _execution()
    runner.started(execution)
    runner.run(execution, MACHINE)
    assert execution["status"] == "SUCCEEDED"
    assert disk.refused == 10
    [stored] = open_store().load()
    assert [event["id"] for event in stored["events"]] == list(range(1, 13))
    assert stored["output"] == execution["output"]


def test_end_of_an_execution_is_stored_once_there_is_room(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    disk = FullDisk(store, monkeypatch)
    finish = store.finish
    refusals = iter([DiskFull("full"), DiskFull("full")])

    def finish_later(ended: dict[str, Any]) -> list[str]:
        for refusal in refusals:
            raise refusal
        return finish(ended)

    monkeypatch.setattr(store, "finish", finish_later)
    runner, execution = _runner(store, _append_call), _execution()
    runner.started(execution)
    runner.run(execution, MACHINE)
    assert disk.refused == 0
    [stored] = open_store().load()
    types = [event["type"] for event in stored["events"]]
    assert stored["status"] == execution["status"] == "SUCCEEDED"
    assert types.count("ExecutionSucceeded") == 1


def test_execution_without_room_for_its_beginning_never_runs(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    disk = FullDisk(store, monkeypatch)
    disk.is_full = True
    calls: list[str] = []
    runner, execution = _runner(store, lambda *_call: calls.append("call")), _execution()
    with pytest.raises(DiskFull):
        runner.started(execution)
    runner.run(execution, MACHINE)
    assert calls == []
    assert open_store().load() == []


def test_tasks_begin_only_when_they_are_admitted(open_store: OpenStore) -> None:
    order: list[str] = []

    def call(_arn: str, _function: str, payload: Any) -> Any:
        order.append("call")
        return payload

    runner = ExecutionRunner(
        open_store(),
        call,
        forget=lambda _arns: None,
        admit=lambda _wait: order.append("admitted"),
    )
    execution = _execution()
    runner.started(execution)
    runner.run(execution, MACHINE)
    assert order == ["admitted", "call"] * 2
