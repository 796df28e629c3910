"""Starts the validation of a dataset, in AWS Step Functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from brightrun.aws.step_functions import start_once
from brightrun.datasets.model import Dataset

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient


class ValidationWorkflow(Protocol):
    """Starts the state machine that validates a dataset."""

    def ensure_validating(self, dataset: Dataset) -> None:
        """Start the dataset's current validation run; starting it again changes nothing.

        Raises StorageError.
        """


class StepFunctionsValidation(ValidationWorkflow):
    """One execution for each validation run, named after the run."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._state_machine_arn = state_machine_arn

    def ensure_validating(self, dataset: Dataset) -> None:
        request = {
            "ownerId": dataset.owner_id,
            "datasetId": dataset.dataset_id,
            "run": dataset.validation_run,
        }
        start_once(self._client, self._state_machine_arn, dataset.execution_name, request)
