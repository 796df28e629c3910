"""Composition of the training_events function: SageMaker's events, and the regular sweep."""

from __future__ import annotations

from brightrun.core.settings import Settings
from brightrun.training.gateway import StepFunctionsTraining
from brightrun.training.repository import (
    DynamoTrainingJobs,
    DynamoTrainingRecords,
    TrainingTables,
)
from brightrun.training.sagemaker.gateway import SageMakerTraining
from brightrun.training.workflow.reconcile import TrainingReconciler
from brightrun.wiring import clients


class TrainingEventsSettings(Settings):
    """The environment of the training_events function."""

    training_jobs_table: str
    training_events_table: str
    train_adapter_state_machine_arn: str


def training_reconciler() -> TrainingReconciler:
    """Compose the service that reconciles SageMaker, training jobs and their executions."""
    settings = TrainingEventsSettings.from_environment()
    database = clients.dynamodb()
    return TrainingReconciler(
        jobs=DynamoTrainingJobs(database, TrainingTables(settings.training_jobs_table)),
        records=DynamoTrainingRecords(database, "", settings.training_events_table),
        training=SageMakerTraining(clients.sagemaker()),
        workflow=StepFunctionsTraining(
            clients.step_functions(), settings.train_adapter_state_machine_arn
        ),
        clock=clients.clock,
    )
