"""Running states: order, data flow, Map, Retry, Catch, limits and cancellation."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from local.workflows.cancellation import Cancellation, Cancelled
from local.workflows.failures import StateFailed
from local.workflows.frames import Frame
from local.workflows.history import History
from local.workflows.interpreter import Interpreter

Invoke = Callable[[str, Any], Any]
RESOURCE = "arn:aws:states:::lambda:invoke"


def _task(name: str = "work", **fields: Any) -> dict[str, Any]:
    parameters = {"FunctionName": name, "Payload.$": "$"}
    ends = {} if "Next" in fields else {"End": True}
    return {"Type": "Task", "Resource": RESOURCE, "Parameters": parameters, **ends, **fields}


def _map(processor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Type": "Map", "ItemProcessor": processor, "End": True, **fields}


def _machine(**states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


def _run(
    machine: dict[str, Any],
    data: Any,
    invoke: Invoke = lambda _name, payload: payload,
    *,
    scope: Cancellation | None = None,
    events: list[dict[str, Any]] | None = None,
    limit: int = 25_000,
) -> Any:
    history = History(events if events is not None else [], lambda _event: None, limit=limit)
    interpreter = Interpreter(invoke, history, jitter=lambda: 0.0)
    frame = Frame({"Execution": {"Id": "arn"}}, scope or Cancellation())
    return interpreter.run(machine["States"], machine["StartAt"], data, frame)


def test_states_pass_their_output_on() -> None:
    machine = _machine(
        First={"Type": "Pass", "Result": 1, "ResultPath": "$.one", "Next": "Second"},
        Second={"Type": "Pass", "Parameters": {"sum.$": "States.MathAdd($.one, 2)"}, "Next": "Z"},
        Z={"Type": "Succeed"},
    )
    assert _run(machine, {"zero": 0}) == {"sum": 3}


def test_task_result_is_selected_placed_and_narrowed() -> None:
    machine = _machine(
        Only=_task(
            InputPath="$.in",
            ResultSelector={"payload.$": "$.Payload", "code.$": "$.StatusCode"},
            ResultPath="$.out",
            OutputPath="$.out",
        )
    )
    assert _run(machine, {"in": {"a": 1}}) == {"payload": {"a": 1}, "code": 200}


def test_choice_takes_the_first_rule_that_holds_or_the_default() -> None:
    rules = [
        {"Variable": "$.n", "NumericLessThan": 10, "Next": "Small"},
        {"Variable": "$.n", "NumericLessThan": 100, "Next": "Medium"},
    ]
    machine = _machine(
        Choose={"Type": "Choice", "Choices": rules, "Default": "Large"},
        **{
            name: {"Type": "Pass", "Result": name, "End": True}
            for name in ("Small", "Medium", "Large")
        },
    )
    assert [_run(machine, {"n": n}) for n in (5, 50, 500)] == ["Small", "Medium", "Large"]


def test_choice_without_a_match_and_a_default_fails() -> None:
    rules = [{"Variable": "$.n", "NumericEquals": 1, "Next": "Choose"}]
    with pytest.raises(StateFailed, match=r"States\.NoChoiceMatched"):
        _run(_machine(Choose={"Type": "Choice", "Choices": rules}), {"n": 2})


def test_fail_state_fails_with_its_error_and_cause() -> None:
    with pytest.raises(StateFailed, match="Mine: because"):
        _run(_machine(F={"Type": "Fail", "Error": "Mine", "Cause": "because"}), {})


def test_failed_task_is_tried_again_until_it_succeeds() -> None:
    counts: list[int] = []

    def invoke(_name: str, _payload: Any) -> int:
        counts.append(1)
        if len(counts) < 3:
            raise StateFailed("Transient", "")
        return len(counts)

    retry = [{"ErrorEquals": ["Transient"], "JitterStrategy": "FULL"}]
    machine = _machine(Only=_task(Retry=retry, OutputPath="$.Payload"))
    assert _run(machine, {}, invoke) == 3


def test_attempts_see_their_retry_count() -> None:
    seen: list[int] = []

    def invoke(_name: str, payload: Any) -> Any:
        seen.append(payload["attempt"])
        raise StateFailed("Transient", "")

    parameters = {"FunctionName": "work", "Payload": {"attempt.$": "$$.State.RetryCount"}}
    retry = [{"ErrorEquals": ["Transient"], "JitterStrategy": "FULL", "MaxAttempts": 2}]
    with pytest.raises(StateFailed):
        _run(_machine(Only=_task(Parameters=parameters, Retry=retry)), {}, invoke)
    assert seen == [0, 1, 2]


def test_caught_error_goes_to_the_catchers_state() -> None:
    catch = [{"ErrorEquals": ["Mine"], "ResultPath": "$.error", "Next": "Caught"}]
    machine = _machine(Only=_task(Catch=catch), Caught={"Type": "Succeed"})

    def invoke(_name: str, _payload: Any) -> Any:
        raise StateFailed("Mine", "because")

    assert _run(machine, {"kept": 1}, invoke) == {
        "kept": 1,
        "error": {"Error": "Mine", "Cause": "because"},
    }


def test_map_returns_outputs_in_the_order_of_its_items() -> None:
    arrived = threading.Barrier(3)

    def invoke(_name: str, payload: Any) -> Any:
        arrived.wait(timeout=10)  # all three run at the same time, or this fails
        return payload

    selector = {"item.$": "$$.Map.Item.Value", "at.$": "$$.Map.Item.Index", "job.$": "$.job"}
    machine = _machine(
        Each=_map(
            _machine(Work=_task(OutputPath="$.Payload")),
            ItemsPath="$.items",
            ItemSelector=selector,
            MaxConcurrency=3,
        )
    )
    assert _run(machine, {"items": ["a", "b", "c"], "job": "j"}, invoke) == [
        {"item": item, "at": at, "job": "j"} for at, item in enumerate("abc")
    ]


def test_map_runs_no_more_than_its_concurrency() -> None:
    running = 0
    most = 0
    lock = threading.Lock()

    def invoke(_name: str, _payload: Any) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1

    machine = _machine(Each=_map(_machine(Work=_task()), MaxConcurrency=2))
    _run(machine, list(range(12)), invoke)
    assert most == 2


def test_failing_iteration_fails_the_map_and_starts_no_more() -> None:
    called: list[int] = []

    def invoke(_name: str, payload: Any) -> None:
        called.append(payload)
        if payload == 1:
            raise StateFailed("Mine", "")

    machine = _machine(Each=_map(_machine(Work=_task()), MaxConcurrency=1))
    events: list[dict[str, Any]] = []
    with pytest.raises(StateFailed, match="Mine"):
        _run(machine, [0, 1, 2, 3], invoke, events=events)
    assert called == [0, 1]
    types = [event["type"] for event in events]
    assert types[-2:] == ["MapIterationFailed", "MapStateFailed"]


def test_map_over_something_else_than_an_array_fails() -> None:
    with pytest.raises(StateFailed, match="must lead to an array"):
        _run(_machine(Each=_map(_machine(Work=_task()))), {"not": "an array"})


def test_empty_map_is_an_empty_array() -> None:
    assert _run(_machine(Each=_map(_machine(Work=_task()))), []) == []


def test_task_that_runs_longer_than_its_timeout_fails_as_states_timeout() -> None:
    never = threading.Event()
    machine = _machine(Only=_task(TimeoutSeconds=0.05))
    try:
        with pytest.raises(StateFailed) as failed:
            _run(machine, {}, lambda _name, _payload: never.wait())
    finally:
        never.set()
    assert failed.value.error == "States.Timeout"


@pytest.mark.parametrize("seconds", [-1, 1.5, "2", None])
def test_wait_for_something_else_than_whole_seconds_fails(seconds: Any) -> None:
    machine = _machine(W={"Type": "Wait", "SecondsPath": "$.s", "End": True})
    with pytest.raises(StateFailed, match="whole number of seconds"):
        _run(machine, {"s": seconds})


def test_cancelling_ends_a_wait_at_once() -> None:
    scope = Cancellation()
    machine = _machine(W={"Type": "Wait", "Seconds": 3600, "End": True})
    threading.Timer(0.05, scope.cancel).start()
    with pytest.raises(Cancelled):
        _run(machine, {}, scope=scope)


def test_cancelling_reaches_the_iterations_of_a_map() -> None:
    scope = Cancellation()
    machine = _machine(Each=_map(_machine(W={"Type": "Wait", "Seconds": 3600, "End": True})))
    threading.Timer(0.05, scope.cancel).start()
    with pytest.raises(Cancelled):
        _run(machine, [1, 2, 3], scope=scope)


def test_output_over_256_kib_is_data_limit_exceeded() -> None:
    with pytest.raises(StateFailed, match=r"States\.DataLimitExceeded"):
        _run(_machine(Only=_task()), {}, lambda _name, _payload: "x" * 262_145)


def test_execution_that_would_need_more_events_than_allowed_fails() -> None:
    events: list[dict[str, Any]] = []
    machine = _machine(A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "Next": "A"})
    with pytest.raises(StateFailed, match="maximum number of history events"):
        _run(machine, {}, events=events, limit=100)
    assert len(events) == 99  # the last one is for the end of the execution


def test_history_tells_what_happened_in_order() -> None:
    events: list[dict[str, Any]] = []
    _run(_machine(Only=_task(Next="End"), End={"Type": "Succeed"}), {"a": 1}, events=events)
    assert [event["type"] for event in events] == [
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
    ]
    assert [event["id"] for event in events] == list(range(1, 8))
    assert events[0]["stateEnteredEventDetails"] == {"name": "Only", "input": '{"a": 1}'}
