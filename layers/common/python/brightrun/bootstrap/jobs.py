"""The composition root of training jobs, delivered models and costs, as the API sees them.

The clients are those that bootstrap keeps; what is built around them costs nothing to build anew.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from brightrun import bootstrap
from brightrun.gateways.sagemaker import sagemaker_client
from brightrun.settings.training import CostsSettings, Endpoint, JobsSettings, ModelsSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from brightrun.repositories.training_jobs import DynamoTrainingJobs
    from brightrun.repositories.training_records import DynamoTrainingRecords
    from brightrun.services.cancel_training_job import TrainingCanceller
    from brightrun.services.create_training_job import TrainingJobCreator
    from brightrun.services.read_models import ModelReader
    from brightrun.services.read_training_jobs import TrainingJobReader
    from brightrun.services.sum_costs import CostSummer

sagemaker: Callable[[], Any] = cache(sagemaker_client)


def training_job_creator() -> TrainingJobCreator:
    """Build what takes on training jobs."""
    from brightrun.bootstrap.estimate import training_estimator
    from brightrun.gateways.training_workflow import StepFunctionsTraining
    from brightrun.repositories.datasets import DatasetTables, DynamoDatasets
    from brightrun.repositories.request_keys import DynamoRequestKeys
    from brightrun.services.create_training_job import TrainingJobCreator

    environment = JobsSettings.from_environment()
    database = bootstrap.dynamodb()
    return TrainingJobCreator(
        datasets=DynamoDatasets(database, DatasetTables(environment.datasets_table)),
        jobs=_jobs(environment),
        records=_records(environment),
        estimator=training_estimator(),
        keys=DynamoRequestKeys(database, environment.idempotency_table),
        workflow=StepFunctionsTraining(
            bootstrap.workflows(), environment.train_adapter_state_machine_arn
        ),
        clock=bootstrap.clock,
        any_instance=Endpoint.from_environment().is_local,
    )


def training_job_reader() -> TrainingJobReader:
    """Build what shows training jobs."""
    from brightrun.repositories.cost_records import DynamoCostRecords
    from brightrun.services.read_training_jobs import TrainingJobReader

    environment = JobsSettings.from_environment()
    return TrainingJobReader(
        jobs=_jobs(environment),
        records=_records(environment),
        costs=DynamoCostRecords(bootstrap.dynamodb(), environment.cost_records_table),
        clock=bootstrap.clock,
    )


def training_canceller() -> TrainingCanceller:
    """Build what cancels training jobs."""
    from brightrun.gateways.sagemaker import SageMakerTraining
    from brightrun.services.cancel_training_job import TrainingCanceller

    environment = JobsSettings.from_environment()
    return TrainingCanceller(
        jobs=_jobs(environment),
        records=_records(environment),
        training=SageMakerTraining(sagemaker()),
        clock=bootstrap.clock,
    )


def model_reader() -> ModelReader:
    """Build what shows delivered models and signs links to their files."""
    from brightrun.repositories.models import DynamoModels
    from brightrun.repositories.objects import S3Objects
    from brightrun.services.read_models import ModelReader

    environment = ModelsSettings.from_environment()
    return ModelReader(
        models=DynamoModels(bootstrap.dynamodb(), environment.models_table),
        links=S3Objects(bootstrap.s3(), environment.models_bucket),
        clock=bootstrap.clock,
    )


def cost_summer() -> CostSummer:
    """Build what adds up costs."""
    from brightrun.repositories.cost_records import DynamoCostRecords
    from brightrun.services.sum_costs import CostSummer

    environment = CostsSettings.from_environment()
    return CostSummer(
        costs=DynamoCostRecords(bootstrap.dynamodb(), environment.cost_records_table),
        clock=bootstrap.clock,
    )


def _jobs(environment: JobsSettings) -> DynamoTrainingJobs:
    from brightrun.repositories.training_jobs import DynamoTrainingJobs, TrainingTables

    tables = TrainingTables(
        jobs=environment.training_jobs_table,
        datasets=environment.datasets_table,
        notifications=environment.notifications_table,
        cost_records=environment.cost_records_table,
    )
    return DynamoTrainingJobs(bootstrap.dynamodb(), tables)


def _records(environment: JobsSettings) -> DynamoTrainingRecords:
    from brightrun.repositories.training_records import DynamoTrainingRecords

    return DynamoTrainingRecords(
        bootstrap.dynamodb(), environment.training_metrics_table, environment.training_events_table
    )
