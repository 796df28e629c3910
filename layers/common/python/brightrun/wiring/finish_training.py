"""Composition of the finish_training function."""

from __future__ import annotations

from pydantic import Field

from brightrun.core.settings import Settings
from brightrun.training.adapters.deliver_adapter import AdapterDelivery
from brightrun.training.workflow.finish import TrainingFinisher
from brightrun.wiring import clients, dataset_table, training
from brightrun.wiring.budgets import budgets_without_limits


class FinishTrainingSettings(Settings):
    """The environment of the finish_training function."""

    training_jobs_table: str
    training_events_table: str
    datasets_table: str
    models_table: str
    cost_records_table: str
    notifications_table: str
    models_bucket: str
    budgets_table: str
    watch_seconds: int = Field(ge=1, le=600)


def training_finisher() -> TrainingFinisher:
    """Compose the service that finishes training jobs."""
    settings = FinishTrainingSettings.from_environment()
    return TrainingFinisher(
        jobs=training.jobs(
            settings.training_jobs_table,
            budgets_without_limits(settings.budgets_table),
            datasets=settings.datasets_table,
            notifications=settings.notifications_table,
            cost_records=settings.cost_records_table,
            models=settings.models_table,
        ),
        records=training.records(settings.training_events_table),
        datasets=dataset_table.datasets(settings.datasets_table),
        training=training.sagemaker(),
        delivery=AdapterDelivery(training.artifacts(settings.models_bucket)),
        clock=clients.clock,
        watch_s=settings.watch_seconds,
    )
