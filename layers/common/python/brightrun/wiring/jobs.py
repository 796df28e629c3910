"""Composition of the jobs function: training jobs as the API creates, shows and cancels them."""

from __future__ import annotations

from pydantic import Field

from brightrun.aws.request_keys import DynamoRequestKeys
from brightrun.aws.service_quotas import ServiceQuotas
from brightrun.http.app import Services
from brightrun.training.costs.repository import DynamoCostRecords
from brightrun.training.create_training_job import TrainingJobCreator
from brightrun.training.repository import TrainingJobRepository, TrainingRecords
from brightrun.training.service import TrainingCanceller, TrainingJobReader
from brightrun.wiring import clients, dataset_table, training
from brightrun.wiring.budgets import BudgetSettings, budgets


class JobsSettings(BudgetSettings):
    """The environment of the jobs function."""

    training_jobs_table: str
    training_metrics_table: str
    training_events_table: str
    datasets_table: str
    notifications_table: str
    cost_records_table: str
    idempotency_table: str
    datasets_bucket: str
    base_models_bucket: str
    train_adapter_state_machine_arn: str
    training_price_without_cap_usd: float = Field(ge=0)


def training_job_creator() -> TrainingJobCreator:
    """Compose the service that creates training jobs."""
    from brightrun.wiring.estimates import Endpoint, training_estimator

    settings = JobsSettings.from_environment()
    database = clients.dynamodb()
    return TrainingJobCreator(
        datasets=dataset_table.datasets(settings.datasets_table),
        jobs=_jobs(settings),
        records=_records(settings),
        estimator=training_estimator(),
        checker=training.dataset_checker(),
        keys=DynamoRequestKeys(database, settings.idempotency_table),
        quotas=ServiceQuotas(clients.service_quotas()),
        workflow=training.workflow(settings.train_adapter_state_machine_arn),
        clock=clients.clock,
        any_instance=Endpoint.from_environment().is_local,
        limits=settings.limits,
        most_usd_without_cap=settings.training_price_without_cap_usd,
    )


def training_job_reader() -> TrainingJobReader:
    """Compose the service that reads training jobs."""
    settings = JobsSettings.from_environment()
    return TrainingJobReader(
        jobs=_jobs(settings),
        records=_records(settings),
        costs=DynamoCostRecords(clients.dynamodb(), settings.cost_records_table),
        clock=clients.clock,
    )


def training_canceller() -> TrainingCanceller:
    """Compose the service that cancels training jobs."""
    settings = JobsSettings.from_environment()
    return TrainingCanceller(
        jobs=_jobs(settings),
        records=_records(settings),
        training=training.sagemaker(),
        clock=clients.clock,
    )


def _jobs(settings: JobsSettings) -> TrainingJobRepository:
    return training.jobs(
        settings.training_jobs_table,
        budgets(settings),
        datasets=settings.datasets_table,
        notifications=settings.notifications_table,
        cost_records=settings.cost_records_table,
    )


def _records(settings: JobsSettings) -> TrainingRecords:
    return training.records(settings.training_events_table, settings.training_metrics_table)


SERVICES: Services = {
    TrainingCanceller: training_canceller,
    TrainingJobCreator: training_job_creator,
    TrainingJobReader: training_job_reader,
}
