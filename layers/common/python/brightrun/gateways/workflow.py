"""Starting state machines, in AWS Step Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.domain.batch import BatchJob
from brightrun.domain.dataset import Dataset
from brightrun.domain.transitions import JobStatus
from brightrun.errors import StorageError

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient


class StepFunctionsWorkflow:
    """ports.Workflow: one execution per run of a job, named after both."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def ensure_running(self, job: BatchJob) -> None:
        """Start the job's current run; starting it again changes nothing.

        The execution's name is the job and its run, so Step Functions refuses a second one; a
        resumed, retried or cancelled job has a new run. A job that takes no claims needs no
        workers, only the end of a round. Raises StorageError.
        """
        request = {
            "ownerId": job.owner_id,
            "jobId": job.job_id,
            "run": job.run,
            "workers": list(range(job.concurrent_processing)) if _needs_workers(job) else [],
            "round": 0,
        }
        start_once(self._client, self._state_machine_arn, job.execution_name, request)


class StepFunctionsValidation:
    """ports.datasets.ValidationWorkflow: one execution per validation, named after its run."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def ensure_validating(self, dataset: Dataset) -> None:
        """Start the dataset's current validation run; starting it again changes nothing.

        Raises StorageError.
        """
        request = {
            "ownerId": dataset.owner_id,
            "datasetId": dataset.dataset_id,
            "run": dataset.validation_run,
        }
        start_once(self._client, self._state_machine_arn, dataset.execution_name, request)


def start_once(
    client: SFNClient, state_machine_arn: str, name: str, request: Mapping[str, Any]
) -> None:
    """Start an execution under a name that it alone may have; a second one changes nothing.

    Raises StorageError.
    """
    try:
        client.start_execution(
            stateMachineArn=state_machine_arn, name=name, input=json.dumps(request)
        )
    except client.exceptions.ExecutionAlreadyExists:
        return
    except (ClientError, BotoCoreError) as error:
        raise StorageError("StartExecution", type(error).__name__) from error


def _needs_workers(job: BatchJob) -> bool:
    return job.status is JobStatus.QUEUED or job.takes_claims


def workflow_client() -> SFNClient:
    """Make a client whose waits end well inside an API call's 29 seconds."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "stepfunctions",
        config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard"}),
    )
