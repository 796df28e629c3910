"""Composition of the finish_training function."""

from __future__ import annotations

from pydantic import Field

from brightrun.core.settings import Settings
from brightrun.datasets.repository import DatasetTables, DynamoDatasets
from brightrun.training.adapters.deliver_adapter import AdapterDelivery
from brightrun.training.adapters.repository import S3ArtifactFiles
from brightrun.training.repository import (
    DynamoTrainingJobs,
    DynamoTrainingRecords,
    TrainingTables,
)
from brightrun.training.sagemaker.gateway import SageMakerTraining
from brightrun.training.workflow.finish import TrainingFinisher
from brightrun.wiring import clients


class FinishTrainingSettings(Settings):
    """The environment of the finish_training function."""

    training_jobs_table: str
    training_events_table: str
    datasets_table: str
    models_table: str
    cost_records_table: str
    notifications_table: str
    models_bucket: str
    watch_seconds: int = Field(ge=1, le=600)


def training_finisher() -> TrainingFinisher:
    """Compose the service that finishes training jobs."""
    settings = FinishTrainingSettings.from_environment()
    database = clients.dynamodb()
    tables = TrainingTables(
        settings.training_jobs_table,
        datasets=settings.datasets_table,
        notifications=settings.notifications_table,
        cost_records=settings.cost_records_table,
        models=settings.models_table,
    )
    return TrainingFinisher(
        jobs=DynamoTrainingJobs(database, tables),
        records=DynamoTrainingRecords(database, "", settings.training_events_table),
        datasets=DynamoDatasets(database, DatasetTables(settings.datasets_table)),
        training=SageMakerTraining(clients.sagemaker()),
        delivery=AdapterDelivery(S3ArtifactFiles(clients.s3(), settings.models_bucket)),
        clock=clients.clock,
        watch_s=settings.watch_seconds,
    )
