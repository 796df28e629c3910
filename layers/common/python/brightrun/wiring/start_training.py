"""Composition of the start_training function."""

from __future__ import annotations

from pydantic import Field

from brightrun.core.settings import Settings
from brightrun.training.sagemaker.request import TrainingResources
from brightrun.training.workflow.start import TrainingStarter
from brightrun.wiring import clients, dataset_table, training


class StartTrainingSettings(Settings):
    """The environment of the start_training function."""

    training_jobs_table: str
    training_events_table: str
    datasets_table: str
    datasets_bucket: str
    base_models_bucket: str
    models_bucket: str
    training_image: str
    training_role_arn: str
    train_adapter_state_machine_arn: str
    capacity_retry_seconds: int = Field(ge=1, le=3600)


def training_starter() -> TrainingStarter:
    """Compose the service that starts training jobs in SageMaker."""
    settings = StartTrainingSettings.from_environment()
    return TrainingStarter(
        jobs=training.jobs(settings.training_jobs_table),
        records=training.records(settings.training_events_table),
        datasets=dataset_table.datasets(settings.datasets_table),
        checker=training.dataset_checker(),
        base_models=training.artifacts(settings.base_models_bucket),
        training=training.sagemaker(),
        workflow=training.workflow(settings.train_adapter_state_machine_arn),
        resources=TrainingResources(
            image=settings.training_image,
            role_arn=settings.training_role_arn,
            base_models_bucket=settings.base_models_bucket,
            models_bucket=settings.models_bucket,
        ),
        clock=clients.clock,
        capacity_retry_s=settings.capacity_retry_seconds,
    )
