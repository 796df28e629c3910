"""State machines on a running engine behave as on AWS, within the supported subset."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.running_system import RunningSystem, until

pytestmark = pytest.mark.slow


def _task(
    system: RunningSystem, payload: dict[str, Any], function: str = "WorkArn", **fields: Any
) -> dict[str, Any]:
    parameters = {"FunctionName": system.outputs[function], "Payload": payload}
    resource = "arn:aws:states:::lambda:invoke"
    return {
        "Type": "Task",
        "Resource": resource,
        "Parameters": parameters,
        "End": True,
        **fields,
    }


def _only(state: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"StartAt": "Only", "States": {"Only": state}, **fields}


def test_task_result_has_the_shape_of_the_lambda_integration(system: RunningSystem) -> None:
    ended = system.run_machine(_only(_task(system, {"op": "echo", "value": 7})), {}, "shape")
    output = json.loads(ended["output"])
    assert output["StatusCode"] == 200
    assert output["Payload"]["event"] == {"op": "echo", "value": 7}


def test_error_of_a_function_keeps_its_class_name(system: RunningSystem) -> None:
    ended = system.run_machine(_only(_task(system, {"op": "fail"})), {}, "class-name")
    assert (ended["status"], ended["error"]) == ("FAILED", "Fatal")
    cause = json.loads(ended["cause"])
    assert cause["errorMessage"] == "boom"
    assert "handlers.py" in "".join(cause["stackTrace"])


def test_catch_by_class_takes_over_with_error_and_cause(system: RunningSystem) -> None:
    catch = [{"ErrorEquals": ["Fatal"], "ResultPath": "$.caught", "Next": "Caught"}]
    states = {
        "Only": _task(system, {"op": "fail"}, Catch=catch),
        "Caught": {"Type": "Succeed"},
    }
    ended = system.run_machine({"StartAt": "Only", "States": states}, {"kept": 1}, "catch")
    output = json.loads(ended["output"])
    assert output["kept"] == 1
    assert output["caught"]["Error"] == "Fatal"


def test_retry_by_class_waits_no_longer_than_its_maximum(system: RunningSystem) -> None:
    retry = [
        {
            "ErrorEquals": ["Transient"],
            "IntervalSeconds": 1,
            "BackoffRate": 10,
            "MaxAttempts": 2,
            "MaxDelaySeconds": 1,
        }
    ]
    payload = {"op": "fail_at_first", "times": 2, "key": "retry"}
    ended = system.run_machine(_only(_task(system, payload, Retry=retry)), {}, "retry")
    assert json.loads(ended["output"])["Payload"]["calls"] == 3
    assert 2.0 <= ended["seconds"] < 11.0  # with the backoff alone: 1 s and 10 s


def test_function_that_runs_too_long_is_killed_and_its_error_is_sandbox_timedout(
    system: RunningSystem,
) -> None:
    task = _task(system, {"op": "sleep", "seconds": 25}, function="HastyArn")
    ended = system.run_machine(_only(task), {}, "killed")
    assert ended["error"] == "Sandbox.Timedout"
    assert ended["seconds"] < 20.0


def test_process_that_exits_fails_its_task(system: RunningSystem) -> None:
    ended = system.run_machine(_only(_task(system, {"op": "exit"})), {}, "exits")
    assert ended["error"] == "Runtime.ExitError"


def test_task_timeout_is_states_timeout(system: RunningSystem) -> None:
    task = _task(system, {"op": "sleep", "seconds": 20}, TimeoutSeconds=1)
    ended = system.run_machine(_only(task), {}, "task-timeout")
    assert ended["error"] == "States.Timeout"
    assert ended["seconds"] < 15.0


def test_execution_timeout_ends_as_timed_out(system: RunningSystem) -> None:
    definition = _only({"Type": "Wait", "Seconds": 30, "End": True}, TimeoutSeconds=1)
    ended = system.run_machine(definition, {}, "execution-timeout")
    assert ended["status"] == "TIMED_OUT"
    assert ended["seconds"] < 20.0


def test_result_over_256_kib_is_data_limit_exceeded(system: RunningSystem) -> None:
    task = _task(system, {"op": "large", "size": 300_000})
    ended = system.run_machine(_only(task), {}, "too-large")
    assert ended["error"] == "States.DataLimitExceeded"


def test_map_runs_ten_functions_at_the_same_time(system: RunningSystem) -> None:
    ended = _run_items(system, "ten-at-a-time", items=20, seconds=0.5)
    assert ended["status"] == "SUCCEEDED"
    assert len(set(json.loads(ended["output"])["processes"])) == 10
    assert ended["seconds"] >= 1.0
    assert len(_items_of(system, "ten-at-a-time")) == 20


def test_history_names_every_iteration(system: RunningSystem) -> None:
    ended = _run_items(system, "history", items=3, seconds=0)
    pages = system.aws("stepfunctions").get_paginator("get_execution_history")
    events = [
        event["type"]
        for page in pages.paginate(executionArn=ended["executionArn"])
        for event in page["events"]
    ]
    assert events[0] == "ExecutionStarted"
    assert events[-1] == "ExecutionSucceeded"
    assert events.count("MapIterationStarted") == events.count("MapIterationSucceeded") == 3
    # per iteration: started, entered, scheduled, task started, succeeded, exited, succeeded
    assert len(events) == 2 + 4 + 3 * 7


def test_stopped_execution_starts_no_more_work(system: RunningSystem) -> None:
    arn = _start_items(system, "stopped", items=200, seconds=0.2)
    step_functions = system.aws("stepfunctions")
    until(lambda: _items_of(system, "stopped"))
    step_functions.stop_execution(executionArn=arn, error="Stopped", cause="by the test")
    assert step_functions.describe_execution(executionArn=arn)["status"] == "ABORTED"
    assert until(lambda: _settled_count(system, "stopped")) < 200


def test_second_start_with_the_same_name_and_input_is_the_same_execution(
    system: RunningSystem,
) -> None:
    first = _start_items(system, "twice", items=5, seconds=0.3)
    assert _start_items(system, "twice", items=5, seconds=0.3) == first
    system.wait_until_ended(first)
    assert len(_items_of(system, "twice")) == 5


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "running"])
def test_second_start_with_another_input_or_after_the_end_is_refused(
    system: RunningSystem, ended: bool
) -> None:
    name = f"refused-{ended}"
    arn = _start_items(system, name, items=2, seconds=0.3)
    if ended:
        system.wait_until_ended(arn)
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        _start_items(system, name, items=2 if ended else 3, seconds=0.3)


def test_machine_outside_the_subset_is_refused(system: RunningSystem) -> None:
    with pytest.raises(ClientError, match="Type 'Parallel' is not supported"):
        system.run_machine(_only({"Type": "Parallel", "Branches": [], "End": True}), {}, "bad")


def _start_items(system: RunningSystem, name: str, *, items: int, seconds: float) -> str:
    data = {"name": name, "items": list(range(items)), "seconds": seconds}
    started = system.aws("stepfunctions").start_execution(
        stateMachineArn=system.outputs["MachineArn"], name=name, input=json.dumps(data)
    )
    return str(started["executionArn"])


def _run_items(system: RunningSystem, name: str, *, items: int, seconds: float) -> dict[str, Any]:
    started = time.monotonic()
    ended = system.wait_until_ended(_start_items(system, name, items=items, seconds=seconds))
    return {**ended, "seconds": time.monotonic() - started}


def _items_of(system: RunningSystem, run: str) -> list[Any]:
    from boto3.dynamodb.conditions import Key

    items: list[Any] = system.table().query(KeyConditionExpression=Key("pk").eq(run))["Items"]
    return items


def _settled_count(system: RunningSystem, run: str) -> int | None:
    """The number of items, once a second goes by in which none is added."""
    before = len(_items_of(system, run))
    time.sleep(1)
    return before if len(_items_of(system, run)) == before else None
