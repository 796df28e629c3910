"""GenerateBatch as it is deployed, with the real handlers behind it, on moto's tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from brightrun.batches.create_batch import BatchRequest
from brightrun.batches.model import BatchItem, BatchJob
from brightrun.batches.planner import ParameterSet
from brightrun.wiring import clients, generate
from tests.aws import Aws, environment, forget_what_was_built, moto_aws
from tests.builders import OWNER
from tests.workflows.definition import GENERATE_BATCH
from tests.workflows.running_machine import RunningMachine

PLENTY_S = 890.0


class BatchSystem(RunningMachine):
    """A running machine: start a job, wait for its executions, look at its items."""

    def __init__(self, aws: Aws) -> None:
        super().__init__(GENERATE_BATCH, environment()["GENERATE_BATCH_STATE_MACHINE_ARN"])
        self.aws = aws
        self.seconds_left: Callable[[str, int], float] = lambda *_: PLENTY_S

    def context(self, name: str, number: int) -> Any:
        """How much of its time the function has left."""
        left_ms = round(self.seconds_left(name, number) * 1000)
        return SimpleNamespace(get_remaining_time_in_millis=lambda: left_ms)

    def create(self, items: int, **order: Any) -> BatchJob:
        """Make a job, which starts the machine."""
        one = ParameterSet("overwhelmed_avoider", "confusion_to_clarity", "roth_ira_conversion")
        request = BatchRequest(name="A batch", sets=[one] * items, **order)
        return generate.batch_creator().create(OWNER, request, None).job

    def job(self, job: BatchJob) -> BatchJob:
        return self.aws.batches.job(OWNER, job.job_id)

    def items(self, job: BatchJob) -> tuple[BatchItem, ...]:
        page = self.aws.batches.items(OWNER, job.job_id, status=None, limit=1000, cursor=None)
        return page.records


@contextmanager
def running_system(claude: Any = None, **variables: str) -> Iterator[BatchSystem]:
    """Run the machine with functions that find moto's tables and this Claude.

    Without `claude` the functions use the provider that the variables name.
    """
    with ExitStack() as opened:
        system = BatchSystem(opened.enter_context(moto_aws()))
        variables = {**environment(), "RETRY_BASE_SECONDS": "8", **variables}
        opened.enter_context(patch.dict(os.environ, variables))
        opened.enter_context(
            patch.multiple(
                clients,
                dynamodb=lambda: system.aws.dynamodb,
                s3=lambda: system.aws.s3,
                step_functions=lambda: system.stepfunctions,
                clock=system.clock,
            )
        )
        if claude is not None:
            path = "brightrun.claude.client.anthropic_claude"
            opened.enter_context(patch(path, lambda *_, **__: claude))
        forget_what_was_built()
        opened.callback(forget_what_was_built)
        yield system
