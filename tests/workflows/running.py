"""The deployed text on moto's Step Functions interpreter, with the real handlers as its functions.

Time is simulated: what the machine would wait for, the clock is moved on by.
"""

from __future__ import annotations

import importlib
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)

from brightrun.batches.create_batch import BatchRequest, ParameterSet
from brightrun.batches.model import BatchItem, BatchJob
from brightrun.wiring import clients, generate
from tests.aws import Aws, environment, forget_what_was_built, moto_aws
from tests.builders import OWNER, SteppedClock
from tests.workflows.definition import FUNCTIONS, definition

DEADLINE_S = 60.0
PLENTY_S = 890.0
Event = dict[str, Any]
Handler = Callable[[Event, Any], dict[str, Any]]
Disturbance = Callable[[str, Event, int], None]
"""Called before a function runs with its name, the event and the number of the call; may raise."""


class Killed(BaseException):
    """The function's process died; nothing in it may catch this."""


@dataclass
class System:
    """A running machine: start a job, wait for its executions, read their histories."""

    aws: Aws
    stepfunctions: Any
    clock: SteppedClock
    machine_arn: str
    disturb: Disturbance = lambda *_: None
    seconds_left: Callable[[str, int], float] = lambda *_: PLENTY_S
    waited: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, items: int, **order: Any) -> BatchJob:
        """Make a job, which starts the machine."""
        one = ParameterSet("overwhelmed_avoider", "confusion_to_clarity", "roth_ira_conversion")
        request = BatchRequest(name="A batch", sets=[one] * items, **order)
        return generate.batch_creator().create(OWNER, request, None).job

    def ended(self, name: str) -> dict[str, Any]:
        """Wait for an execution's end, and describe it."""
        arn = self._execution(name)
        deadline = time.monotonic() + DEADLINE_S
        while True:
            described: dict[str, Any] = self.stepfunctions.describe_execution(executionArn=arn)
            if described["status"] != "RUNNING":
                return described
            assert time.monotonic() < deadline, "the execution did not end"
            time.sleep(0.01)

    def history(self, name: str) -> list[dict[str, Any]]:
        """An execution's events, all of them, in order."""
        pages = self.stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=self._execution(name)
        )
        return [event for page in pages for event in page["events"]]

    def executions(self) -> list[str]:
        listed = self.stepfunctions.list_executions(stateMachineArn=self.machine_arn)
        return sorted(one["name"] for one in listed["executions"])

    def job(self, job: BatchJob) -> BatchJob:
        return self.aws.batches.job(OWNER, job.job_id)

    def items(self, job: BatchJob) -> tuple[BatchItem, ...]:
        page = self.aws.lists.items(OWNER, job.job_id, status=None, limit=1000, cursor=None)
        return page.records

    def wait(self, seconds: float) -> None:
        """Let simulated time pass."""
        with self._lock:
            self.waited.append(seconds)
            self.clock.advance(seconds)

    def invoke(self, name: str, event: Event) -> tuple[dict[str, Any], bool]:
        """Run a function as Lambda does; gives its answer and whether it failed."""
        with self._lock:
            self.calls[name] += 1
            number = self.calls[name]
        left_ms = round(self.seconds_left(name, number) * 1000)
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms)
        try:
            self.disturb(name, event, number)
            return _handler(name)(event, context), False
        except (Exception, Killed) as error:
            return {"errorType": type(error).__name__, "errorMessage": "it failed"}, True

    def _execution(self, name: str) -> str:
        return f"{self.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def _handler(name: str) -> Handler:
    module = importlib.import_module(f"functions.{name.replace('-', '_')}.handler")
    handler: Handler = module.lambda_handler
    return handler


@contextmanager
def running_system(claude: Any = None, **variables: str) -> Iterator[System]:
    """Deploy the text into moto, with functions that find moto's tables and this Claude.

    Without `claude` the functions use the provider that the variables name.
    """
    interpreting = {
        "stepfunctions": {"execute_state_machine": True},
        "lambda": {"use_docker": False},
    }
    with ExitStack() as opened:
        opened.enter_context(patch.dict(default_user_config, interpreting))
        aws = opened.enter_context(moto_aws())
        stepfunctions = boto3.client("stepfunctions", region_name="us-east-1")
        machine = stepfunctions.create_state_machine(
            name="generate-batch",
            definition=definition(),
            roleArn="arn:aws:iam::123456789012:role/generate-batch",
        )
        clock = SteppedClock()
        system = System(aws, stepfunctions, clock, machine["stateMachineArn"])
        told = {
            **environment(),
            "GENERATE_BATCH_STATE_MACHINE_ARN": system.machine_arn,
            "RETRY_BASE_SECONDS": "8",
            **variables,
        }
        opened.enter_context(patch.dict(os.environ, told))
        opened.enter_context(_wired(system))
        if claude is not None:
            path = "brightrun.claude.client.anthropic_claude"
            opened.enter_context(patch(path, lambda *_, **__: claude))
        yield system


@contextmanager
def _wired(system: System) -> Iterator[None]:
    """Point the composition root at moto's clients, Lambda at the handlers, waits at the clock."""

    def invoke(
        _: Any, function_name: str, __: Any, body: str, ___: Any, response_headers: dict[str, Any]
    ) -> bytes:
        name = function_name.rpartition(":")[2]
        assert name in FUNCTIONS.values()
        answer, failed = system.invoke(name, json.loads(body))
        if failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        return json.dumps(answer).encode()

    def wait(_: Any, env: Any, wait_seconds: float) -> None:
        system.wait(wait_seconds)

    with (
        patch.multiple(
            clients,
            dynamodb=lambda: system.aws.dynamodb,
            s3=lambda: system.aws.s3,
            step_functions=lambda: system.stepfunctions,
            clock=system.clock,
        ),
        patch.object(LambdaSimpleBackend, "invoke", invoke),
        patch.object(retrier_decl, "time", SimpleNamespace(sleep=system.wait)),
        patch.object(WaitFunction, "_wait_interval", wait),
    ):
        forget_what_was_built()
        yield
        forget_what_was_built()
