"""Starts the state machine of a batch, in AWS Step Functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from brightrun.aws.step_functions import start_once
from brightrun.batches.model import BatchJob

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient


class Workflow(Protocol):
    """Starts the state machine of a batch."""

    def ensure_running(self, job: BatchJob) -> None:
        """Start the job's current run; starting it again changes nothing. Raises StorageError."""


class StepFunctionsWorkflow(Workflow):
    """One execution for each run of a job, named after both.

    Step Functions refuses a second execution of the same name; a job that is resumed, retried or
    cancelled has a new run.
    """

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def ensure_running(self, job: BatchJob) -> None:
        request = {
            "ownerId": job.owner_id,
            "jobId": job.job_id,
            "run": job.run,
            "workers": list(range(job.concurrent_processing)) if job.has_work else [],
            "round": 0,
        }
        start_once(self._client, self._state_machine_arn, job.execution_name, request)
