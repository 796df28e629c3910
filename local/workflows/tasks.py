"""Task states: the optimized ``lambda:invoke`` integration."""

import json
import threading
from collections.abc import Callable
from typing import Any

from local.workflows.cancellation import Cancelled
from local.workflows.failures import TIMEOUT, StateFailed
from local.workflows.frames import Frame, State, parameters_of
from local.workflows.history import History

LAMBDA_INVOKE = "arn:aws:states:::lambda:invoke"

Invoke = Callable[[str, Any], Any]
"""Invokes a Lambda function by ARN or name; raises StateFailed with the error's own class name."""

_INTEGRATION = {"resourceType": "lambda", "resource": "invoke"}


def run(state: State, data: Any, frame: Frame, history: History, invoke: Invoke) -> dict[str, Any]:
    """Invoke the state's function once and return the integration's result.

    Raises StateFailed with the function's own error class, or States.Timeout after
    TimeoutSeconds; the function itself then runs on, as on AWS.
    """
    parameters = parameters_of(state, data, frame)
    scheduled = {**_INTEGRATION, "region": "us-east-1", "parameters": json.dumps(parameters)}
    history.add("TaskScheduled", taskScheduledEventDetails=scheduled)
    history.add("TaskStarted", taskStartedEventDetails=_INTEGRATION)
    try:
        payload = _invoke(invoke, parameters, state.get("TimeoutSeconds"))
    except StateFailed as failure:
        error = {**_INTEGRATION, "error": failure.error, "cause": failure.cause}
        if failure.error == TIMEOUT:
            history.add("TaskTimedOut", taskTimedOutEventDetails=error)
        else:
            history.add("TaskFailed", taskFailedEventDetails=error)
        raise
    result = {"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200}
    succeeded = {**_INTEGRATION, "output": json.dumps(result)}
    history.add("TaskSucceeded", taskSucceededEventDetails=succeeded)
    return result


def _invoke(invoke: Invoke, parameters: dict[str, Any], timeout_seconds: float | None) -> Any:
    function, payload = parameters["FunctionName"], parameters.get("Payload", {})
    if timeout_seconds is None:
        return invoke(function, payload)
    results: list[Any] = []
    failures: list[StateFailed | Cancelled] = []

    def call() -> None:
        try:
            results.append(invoke(function, payload))
        except (StateFailed, Cancelled) as failure:
            failures.append(failure)

    caller = threading.Thread(target=call, name="timed-task", daemon=True)
    caller.start()
    caller.join(timeout_seconds)
    if caller.is_alive():
        raise StateFailed(TIMEOUT, f"The task ran longer than {timeout_seconds} s.")
    if failures:
        raise failures[0]
    return results[0]
