"""A deployed state machine on the local engine's interpreter, with the real handlers behind it.

Step Functions is asked through a real boto3 client, whose own checks run; only the wire is missing.
Time is simulated: what a state would wait for, and the pause before a retry, advance the clock.
"""

from __future__ import annotations

import importlib
import json
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3

from local.workflows.cancellation import Cancellation
from local.workflows.failures import StateFailed
from local.workflows.frames import Frame
from local.workflows.history import History
from local.workflows.interpreter import Interpreter
from tests.builders import SteppedClock
from tests.fakes.aws_answers import Answer, answered, refused
from tests.workflows.definition import Definition

DEADLINE_S = 60.0
Event = dict[str, Any]
Disturbance = Callable[[str, Event, int], object]
"""Called before a function runs with its name, the event and the number of the call; may raise."""


class Killed(BaseException):
    """The function's process died; nothing in it may catch this."""


class SimulatedTime(Cancellation):
    """A scope in which waiting takes no time."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._advance = advance

    def inner(self) -> SimulatedTime:
        """A scope inside this one, which nothing cancels."""
        return SimulatedTime(self._advance)

    def wait(self, seconds: float) -> None:
        """Advance the clock; raise Cancelled when the scope is cancelled."""
        self.check()
        self._advance(seconds)


@dataclass
class Execution:
    """One execution: its record, its events and the thread that runs it."""

    arn: str
    input: str
    thread: threading.Thread
    status: str = "RUNNING"
    events: list[dict[str, Any]] = field(default_factory=list)


class RunningMachine:
    """One state machine and its executions, reached through `stepfunctions`."""

    def __init__(self, definition: Definition, machine_arn: str) -> None:
        self.machine_arn = machine_arn
        self.clock = SteppedClock()
        self.waited: list[float] = []
        self.calls: Counter[str] = Counter()
        self.disturb: Disturbance = lambda *_: None
        self.stepfunctions: Any = boto3.client("stepfunctions", region_name="us-east-1")
        self._functions = set(definition.functions.values())
        self._machine = definition.parsed()
        self._executions: dict[str, Execution] = {}
        self._lock = threading.Lock()
        events: Any = self.stepfunctions.meta.events
        events.register("before-call.sfn.StartExecution", _answering(self._start))
        events.register("before-call.sfn.DescribeExecution", _answering(self._describe))

    def context(self, name: str, number: int) -> Any:
        """What Lambda gives the call of a function beside its event."""
        return None

    def ended(self, name: str) -> str:
        """Wait for an execution's end, and give its status."""
        execution = self._executions[name]
        execution.thread.join(DEADLINE_S)
        assert not execution.thread.is_alive(), "the execution did not end"
        return execution.status

    def history(self, name: str) -> list[dict[str, Any]]:
        """An execution's events, all of them, in order."""
        return self._executions[name].events

    def executions(self) -> list[str]:
        """The names of all executions."""
        return sorted(self._executions)

    def wait(self, seconds: float) -> None:
        """Let simulated time pass."""
        with self._lock:
            self.waited.append(seconds)
            self.clock.advance(seconds)

    def invoke(self, name: str, event: Event) -> dict[str, Any]:
        """Run a function as Lambda does; raises StateFailed when it fails or is killed."""
        with self._lock:
            self.calls[name] += 1
            number = self.calls[name]
        try:
            self.disturb(name, event, number)
            module = importlib.import_module(f"functions.{name.replace('-', '_')}.handler")
            return dict(module.lambda_handler(event, self.context(name, number)))
        except (Exception, Killed) as error:
            raise StateFailed(type(error).__name__, str(error)) from error

    def _start(self, request: dict[str, Any]) -> Answer:
        """Names are unique for good; only a running execution can be started again alike."""
        assert request["stateMachineArn"] == self.machine_arn
        name = request["name"]
        arn = f"{self.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        with self._lock:
            known = self._executions.get(name)
            if known is None:
                thread = threading.Thread(target=self._run, args=(name,), daemon=True)
                known = self._executions[name] = Execution(arn, request["input"], thread)
                thread.start()
            elif (known.status, known.input) != ("RUNNING", request["input"]):
                return refused("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return answered({"executionArn": arn, "startDate": self.clock()})

    def _describe(self, request: dict[str, Any]) -> Answer:
        execution = self._executions.get(request["executionArn"].rpartition(":")[2])
        if execution is None:
            return refused("ExecutionDoesNotExist", "Execution Does Not Exist")
        return answered({"executionArn": execution.arn, "status": execution.status})

    def _run(self, name: str) -> None:
        execution = self._executions[name]
        history = History(execution.events, lambda _: None)
        history.add("ExecutionStarted")
        jitter = random.Random(name)  # noqa: S311 - the length of a pause, no secret
        interpreter = Interpreter(self._invoke, history, jitter=jitter.random)
        frame = Frame({"Execution": {"Id": execution.arn}}, SimulatedTime(self.wait))
        states, start_at = self._machine["States"], self._machine["StartAt"]
        try:
            interpreter.run(states, start_at, json.loads(execution.input), frame)
        except StateFailed:
            history.close("ExecutionFailed")
            execution.status = "FAILED"
        else:
            history.close("ExecutionSucceeded")
            execution.status = "SUCCEEDED"

    def _invoke(self, function: str, event: Event) -> dict[str, Any]:
        name = function.rpartition(":")[2]
        assert name in self._functions
        answer: dict[str, Any] = json.loads(json.dumps(self.invoke(name, event)))
        return answer


def _answering(answer: Callable[[dict[str, Any]], Answer]) -> Callable[..., Answer]:
    def handle(params: dict[str, Any], **_: Any) -> Answer:
        return answer(json.loads(params["body"]))

    return handle
