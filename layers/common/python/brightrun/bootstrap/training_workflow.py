"""The composition root of the state machine TrainAdapter and its sweep.

The clients are those that bootstrap keeps; what is built around them costs nothing to build anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightrun import bootstrap
from brightrun.bootstrap import jobs as bootstrap_jobs
from brightrun.gateways.sagemaker import SageMakerTraining
from brightrun.gateways.training_workflow import StepFunctionsTraining
from brightrun.repositories.artifact_files import S3ArtifactFiles
from brightrun.repositories.training_jobs import DynamoTrainingJobs, TrainingTables
from brightrun.repositories.training_records import DynamoTrainingRecords
from brightrun.settings import training_workflow as settings

if TYPE_CHECKING:
    from brightrun.repositories.datasets import DynamoDatasets
    from brightrun.services.finish_training import TrainingFinisher
    from brightrun.services.reconcile_training import TrainingReconciler
    from brightrun.services.start_training import TrainingStarter
    from brightrun.services.watch_training import TrainingWatcher


def training_starter() -> TrainingStarter:
    """Build what the start_training function does."""
    from brightrun.domain.training_request import TrainingPlaces
    from brightrun.services.start_training import TrainingStarter

    environment = settings.StartTrainingSettings.from_environment()
    return TrainingStarter(
        jobs=_jobs(TrainingTables(environment.training_jobs_table)),
        records=_records(environment),
        datasets=_datasets(environment.datasets_table),
        base_models=S3ArtifactFiles(bootstrap.s3(), environment.base_models_bucket),
        training=SageMakerTraining(bootstrap_jobs.sagemaker()),
        executions=_executions(environment.train_adapter_state_machine_arn),
        places=TrainingPlaces(
            image=environment.training_image,
            role_arn=environment.training_role_arn,
            base_models_bucket=environment.base_models_bucket,
            models_bucket=environment.models_bucket,
        ),
        clock=bootstrap.clock,
        capacity_retry_s=environment.capacity_retry_seconds,
    )


def training_watcher() -> TrainingWatcher:
    """Build what the watch_training function does."""
    from brightrun.services.read_training_progress import ProgressReader
    from brightrun.services.watch_training import TrainingWatcher

    environment = settings.WatchTrainingSettings.from_environment()
    records = _records(environment, environment.training_metrics_table)
    return TrainingWatcher(
        jobs=_jobs(
            TrainingTables(
                environment.training_jobs_table, notifications=environment.notifications_table
            )
        ),
        records=records,
        training=SageMakerTraining(bootstrap_jobs.sagemaker()),
        executions=_executions(environment.train_adapter_state_machine_arn),
        progress=ProgressReader(
            S3ArtifactFiles(bootstrap.s3(), environment.models_bucket), records
        ),
        clock=bootstrap.clock,
        watch_s=environment.watch_seconds,
        capacity_retry_s=environment.capacity_retry_seconds,
    )


def training_finisher() -> TrainingFinisher:
    """Build what the finish_training function does."""
    from brightrun.services.deliver_adapter import AdapterDelivery
    from brightrun.services.finish_training import TrainingFinisher

    environment = settings.FinishTrainingSettings.from_environment()
    return TrainingFinisher(
        jobs=_jobs(
            TrainingTables(
                environment.training_jobs_table,
                datasets=environment.datasets_table,
                notifications=environment.notifications_table,
                cost_records=environment.cost_records_table,
                models=environment.models_table,
            )
        ),
        records=_records(environment),
        datasets=_datasets(environment.datasets_table),
        training=SageMakerTraining(bootstrap_jobs.sagemaker()),
        delivery=AdapterDelivery(S3ArtifactFiles(bootstrap.s3(), environment.models_bucket)),
        clock=bootstrap.clock,
        watch_s=environment.watch_seconds,
    )


def training_reconciler() -> TrainingReconciler:
    """Build what the training_events function does."""
    from brightrun.repositories.open_training_jobs import DynamoOpenTrainingJobs
    from brightrun.services.reconcile_training import TrainingReconciler

    environment = settings.TrainingEventsSettings.from_environment()
    return TrainingReconciler(
        jobs=_jobs(TrainingTables(environment.training_jobs_table)),
        open_jobs=DynamoOpenTrainingJobs(bootstrap.dynamodb(), environment.training_jobs_table),
        records=_records(environment),
        training=SageMakerTraining(bootstrap_jobs.sagemaker()),
        executions=_executions(environment.train_adapter_state_machine_arn),
        clock=bootstrap.clock,
    )


def _jobs(tables: TrainingTables) -> DynamoTrainingJobs:
    return DynamoTrainingJobs(bootstrap.dynamodb(), tables)


def _records(
    environment: settings.TrainingWorkflowTables, metrics_table: str = ""
) -> DynamoTrainingRecords:
    return DynamoTrainingRecords(
        bootstrap.dynamodb(), metrics_table, environment.training_events_table
    )


def _datasets(table: str) -> DynamoDatasets:
    from brightrun.repositories.datasets import DatasetTables, DynamoDatasets

    return DynamoDatasets(bootstrap.dynamodb(), DatasetTables(table))


def _executions(state_machine_arn: str) -> StepFunctionsTraining:
    return StepFunctionsTraining(bootstrap.workflows(), state_machine_arn)
