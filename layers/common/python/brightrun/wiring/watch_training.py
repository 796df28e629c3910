"""Composition of the watch_training function."""

from __future__ import annotations

from pydantic import Field

from brightrun.core.settings import Settings
from brightrun.training.workflow.watch import ProgressReader, TrainingWatcher
from brightrun.wiring import clients, training


class WatchTrainingSettings(Settings):
    """The environment of the watch_training function."""

    training_jobs_table: str
    training_events_table: str
    training_metrics_table: str
    notifications_table: str
    models_bucket: str
    train_adapter_state_machine_arn: str
    watch_seconds: int = Field(ge=1, le=600)
    capacity_retry_seconds: int = Field(ge=1, le=3600)


def training_watcher() -> TrainingWatcher:
    """Compose the service that watches training jobs."""
    settings = WatchTrainingSettings.from_environment()
    records = training.records(settings.training_events_table, settings.training_metrics_table)
    return TrainingWatcher(
        jobs=training.jobs(
            settings.training_jobs_table, notifications=settings.notifications_table
        ),
        records=records,
        training=training.sagemaker(),
        workflow=training.workflow(settings.train_adapter_state_machine_arn),
        progress=ProgressReader(training.artifacts(settings.models_bucket), records),
        clock=clients.clock,
        watch_s=settings.watch_seconds,
        capacity_retry_s=settings.capacity_retry_seconds,
    )
