"""Runs the states of one execution to their end."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.workflows import choices, maps, paths, tasks
from local.workflows.failures import DATA_LIMIT_EXCEEDED, NO_CHOICE_MATCHED, RUNTIME, StateFailed
from local.workflows.frames import Frame, State, Step, input_of, narrow, output_of, parameters_of
from local.workflows.history import History
from local.workflows.retries import RetryBudget, catcher_for

MAX_PAYLOAD_BYTES = 256 * 1024
"""The largest input or output of a state. Source: Step Functions service quotas."""


class Interpreter:
    """Interprets the states of one execution; its Map states use it from several threads.

    Every attempt at a Task waits for ``admit``, which gets the wait of its scope.
    """

    def __init__(
        self,
        invoke: tasks.Invoke,
        history: History,
        *,
        jitter: Callable[[], float] = random.random,
        admit: Callable[[Callable[[float], None]], None] = lambda _wait: None,
    ) -> None:
        self._invoke = invoke
        self._history = history
        self._jitter = jitter
        self._admit = admit

    def run(self, states: dict[str, State], start_at: str, value: Any, frame: Frame) -> Any:
        """Run states from ``start_at`` until one ends and return its output.

        Raises StateFailed when a state fails and nothing catches it, Cancelled when the frame's
        scope is cancelled.
        """
        name: str | None = start_at
        while name is not None:
            frame.scope.check()
            state = states[name]
            frame.entered(name, value)
            self._record(state, "Entered", name, "input", value)
            here = {"Name": name, "EnteredTime": _now(), "RetryCount": 0}
            value, following = self._step(
                state, value, Frame({**frame.context, "State": here}, frame.scope)
            )
            _check_size(name, value)
            self._record(state, "Exited", name, "output", value)
            name = following
        return value

    def _record(self, state: State, change: str, name: str, data_field: str, data: Any) -> None:
        details = {"name": name, data_field: json.dumps(data)}
        self._history.add(
            f"{state['Type']}State{change}", **{f"state{change}EventDetails": details}
        )

    def _step(self, state: State, value: Any, frame: Frame) -> Step:
        match state["Type"]:
            case "Task" | "Map":
                return self._attempt(state, value, frame)
            case "Choice":
                return _choose(state, value, frame)
            case "Wait":
                return _wait(state, value, frame)
            case "Pass":
                return _pass(state, value, frame)
            case "Succeed":
                return narrow(state, "OutputPath", input_of(state, value, frame), frame), None
        raise StateFailed(state.get("Error", "States.Fail"), state.get("Cause", ""))

    def _attempt(self, state: State, value: Any, frame: Frame) -> Step:
        budget = RetryBudget(state.get("Retry", ()), self._jitter)
        while True:
            frame.context["State"]["RetryCount"] = budget.used
            try:
                result = self._work(state, input_of(state, value, frame), frame)
                return output_of(state, value, result, frame), state.get("Next")
            except StateFailed as failure:
                delay = budget.delay_before_retry(failure.error)
                if delay is not None:
                    frame.scope.wait(delay)
                    continue
                catcher = catcher_for(state.get("Catch", ()), failure.error)
                if catcher is None:
                    raise
                error = {"Error": failure.error, "Cause": failure.cause}
                return paths.write(catcher.get("ResultPath", "$"), value, error), catcher["Next"]

    def _work(self, state: State, data: Any, frame: Frame) -> Any:
        if state["Type"] == "Map":
            return maps.run(state, data, frame, self._history, self.run)
        self._admit(frame.scope.wait)
        return tasks.run(state, data, frame, self._history, self._invoke)


def _choose(state: State, value: Any, frame: Frame) -> Step:
    data = input_of(state, value, frame)
    output = narrow(state, "OutputPath", data, frame)
    for rule in state["Choices"]:
        if choices.holds(rule, data, frame.context):
            return output, rule["Next"]
    if "Default" not in state:
        raise StateFailed(NO_CHOICE_MATCHED, "No choice rule matched and there is no Default.")
    return output, state["Default"]


def _wait(state: State, value: Any, frame: Frame) -> Step:
    data = input_of(state, value, frame)
    seconds = state.get("Seconds")
    if seconds is None:
        seconds = paths.read(state["SecondsPath"], data, frame.context)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
        raise StateFailed(
            RUNTIME, f"The wait must be a whole number of seconds from 0, got {seconds!r}."
        )
    frame.scope.wait(seconds)
    return narrow(state, "OutputPath", data, frame), state.get("Next")


def _pass(state: State, value: Any, frame: Frame) -> Step:
    data = input_of(state, value, frame)
    result = state["Result"] if "Result" in state else parameters_of(state, data, frame)
    return output_of(state, value, result, frame), state.get("Next")


def _check_size(name: str, value: Any) -> None:
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_PAYLOAD_BYTES:
        raise StateFailed(
            DATA_LIMIT_EXCEEDED,
            f"The state '{name}' returned a result larger than {MAX_PAYLOAD_BYTES} bytes.",
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
