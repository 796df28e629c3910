"""What the functions of training share: tables, SageMaker, the state machine, artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightrun.aws.budgets import DynamoBudgets
from brightrun.training.gateway import StepFunctionsTraining
from brightrun.training.repository import (
    DynamoTrainingJobs,
    DynamoTrainingRecords,
    TrainingTables,
)
from brightrun.training.sagemaker.gateway import SageMakerTraining
from brightrun.wiring import clients

if TYPE_CHECKING:
    from brightrun.training.adapters.repository import S3ArtifactFiles
    from brightrun.training.check_dataset import DatasetChecker


def jobs(table: str, budgets: DynamoBudgets | None = None, **others: str) -> DynamoTrainingJobs:
    """Open the jobs, with what else is written in the same transactions: tables and budgets."""
    return DynamoTrainingJobs(clients.dynamodb(), TrainingTables(table, **others), budgets)


def records(events_table: str, metrics_table: str = "") -> DynamoTrainingRecords:
    """Open the events and, where a function reads or writes them, the metrics."""
    return DynamoTrainingRecords(clients.dynamodb(), metrics_table, events_table)


def sagemaker() -> SageMakerTraining:
    """Open SageMaker's training jobs."""
    return SageMakerTraining(clients.sagemaker())


def workflow(state_machine_arn: str) -> StepFunctionsTraining:
    """Open the state machine TrainAdapter."""
    return StepFunctionsTraining(clients.step_functions(), state_machine_arn)


def artifacts(bucket: str) -> S3ArtifactFiles:
    """Open a bucket of base models or of adapters."""
    from brightrun.training.adapters.repository import S3ArtifactFiles

    return S3ArtifactFiles(clients.s3(), bucket)


def dataset_checker() -> DatasetChecker:
    """Compose the service that renders a job's dataset; imported where a job is made or started."""
    from brightrun.training.check_dataset import DatasetChecker
    from brightrun.wiring.receipts import receipt_writer

    receipts = receipt_writer()
    return DatasetChecker(receipts.files, receipts)
