"""Starts the state machine TrainAdapter, in AWS Step Functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.aws.step_functions import start_once
from brightrun.core.errors import StorageError
from brightrun.training.model import TrainingJob
from brightrun.training.workflow.model import execution_name

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient


class TrainingWorkflow(Protocol):
    """The executions of a job's state machine, one after another; methods raise StorageError."""

    def ensure_training(self, job: TrainingJob, run: int = 1) -> None:
        """Start the job's execution number `run`; starting it again changes nothing."""

    def restart(self, job: TrainingJob) -> int | None:
        """Start the next execution unless one is running; returns its number if it was started."""


_MOST_RUNS = 100
"""Executions of one job that `restart` checks; each lasts for hours."""


class StepFunctionsTraining(TrainingWorkflow):
    """One execution at a time, named after the job."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def ensure_training(self, job: TrainingJob, run: int = 1) -> None:
        request = {"ownerId": job.owner_id, "jobId": job.job_id, "run": run}
        name = execution_name(job.job_id, run)
        start_once(self._client, self._state_machine_arn, name, request)

    def restart(self, job: TrainingJob) -> int | None:
        for run in range(1, _MOST_RUNS + 1):
            status = self._status(job, run)
            if status == "RUNNING":
                return None
            if status is None:
                self.ensure_training(job, run)
                return run
        return None

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
