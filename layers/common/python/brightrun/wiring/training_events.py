"""Composition of the training_events function: SageMaker's events, and the regular sweep."""

from __future__ import annotations

from brightrun.core.settings import Settings
from brightrun.training.workflow.reconcile import TrainingReconciler
from brightrun.wiring import clients, training


class TrainingEventsSettings(Settings):
    """The environment of the training_events function."""

    training_jobs_table: str
    training_events_table: str
    train_adapter_state_machine_arn: str


def training_reconciler() -> TrainingReconciler:
    """Compose the service that reconciles SageMaker, training jobs and their executions."""
    settings = TrainingEventsSettings.from_environment()
    return TrainingReconciler(
        jobs=training.jobs(settings.training_jobs_table),
        records=training.records(settings.training_events_table),
        training=training.sagemaker(),
        workflow=training.workflow(settings.train_adapter_state_machine_arn),
        clock=clients.clock,
    )
