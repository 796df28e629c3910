"""The state machine TrainAdapter, in AWS Step Functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.core.errors import StorageError
from brightrun.training.model import TrainingJob
from brightrun.training.workflow.model import execution_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient


class TrainingWorkflow(Protocol):
    """Starts the state machine that trains an adapter."""

    def ensure_training(self, job: TrainingJob) -> None:
        """Start the job's execution; starting it again changes nothing."""


class TrainingExecutions(TrainingWorkflow, Protocol):
    """The executions of that state machine, one after another."""

    def start_run(self, job: TrainingJob, run: int) -> None:
        """Start a later execution of the job; starting it again changes nothing."""

    def restart(self, job: TrainingJob) -> int | None:
        """Start the next execution of a job that has none running; gives its number, else None."""


_MOST_RUNS = 100
"""Executions of one job that are looked through; each goes on for hours."""


class StepFunctionsTraining:
    """ports.training.TrainingExecutions: one execution at a time, named after the job."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def ensure_training(self, job: TrainingJob) -> None:
        """Start the job's first execution; starting it again changes nothing.

        Raises StorageError.
        """
        self._start(job, 1)

    def start_run(self, job: TrainingJob, run: int) -> None:
        """Start a later execution of the job; starting it again changes nothing.

        Raises StorageError.
        """
        self._start(job, run)

    def restart(self, job: TrainingJob) -> int | None:
        """Start the next execution of a job that has none running; gives its number, else None.

        Raises StorageError.
        """
        for run in range(1, _MOST_RUNS + 1):
            status = self._status(job, run)
            if status == "RUNNING":
                return None
            if status is None:
                self._start(job, run)
                return run
        return None

    def _start(self, job: TrainingJob, run: int) -> None:
        try:
            self._client.start_execution(
                stateMachineArn=self._state_machine_arn,
                name=execution_name(job.job_id, run),
                input=json.dumps({"ownerId": job.owner_id, "jobId": job.job_id, "run": run}),
            )
        except self._client.exceptions.ExecutionAlreadyExists:
            return
        except (ClientError, BotoCoreError) as error:
            raise StorageError("StartExecution", type(error).__name__) from error

    def _status(self, job: TrainingJob, run: int) -> str | None:
        arn = self._state_machine_arn.replace(":stateMachine:", ":execution:")
        try:
            answer = self._client.describe_execution(
                executionArn=f"{arn}:{execution_name(job.job_id, run)}"
            )
        except self._client.exceptions.ExecutionDoesNotExist:
            return None
        except (ClientError, BotoCoreError) as error:
            raise StorageError("DescribeExecution", type(error).__name__) from error
        return answer["status"]
