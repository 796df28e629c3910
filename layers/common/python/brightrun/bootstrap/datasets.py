"""The composition root of datasets and notifications: where their services meet AWS.

The clients are those that bootstrap keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightrun import bootstrap
from brightrun.settings import datasets as settings_datasets

if TYPE_CHECKING:
    from brightrun.repositories.dataset_files import S3DatasetFiles
    from brightrun.repositories.datasets import DynamoDatasets
    from brightrun.repositories.training_files import DynamoTrainingFiles
    from brightrun.services.confirm_dataset import DatasetConfirmer
    from brightrun.services.create_dataset import DatasetCreator
    from brightrun.services.delete_dataset import DatasetDeleter
    from brightrun.services.import_dataset import DatasetImporter
    from brightrun.services.plan_upload import UploadPlanner
    from brightrun.services.read_datasets import DatasetReader
    from brightrun.services.read_notifications import NotificationReader
    from brightrun.services.validate_dataset import DatasetValidator


def dataset_creator() -> DatasetCreator:
    """Build what takes in new datasets."""
    from brightrun.services.create_dataset import DatasetCreator

    environment = settings_datasets.DatasetsSettings.from_environment()
    return DatasetCreator(
        datasets=_datasets(environment),
        uploads=upload_planner(),
        clock=bootstrap.clock,
        bucket=environment.datasets_bucket,
    )


def upload_planner() -> UploadPlanner:
    """Build what signs the links of uploads."""
    from brightrun.services.plan_upload import UploadPlanner

    environment = settings_datasets.DatasetsSettings.from_environment()
    return UploadPlanner(_datasets(environment), _files(environment.datasets_bucket))


def dataset_confirmer() -> DatasetConfirmer:
    """Build what has datasets validated."""
    from brightrun.gateways.workflow import StepFunctionsValidation
    from brightrun.services.confirm_dataset import DatasetConfirmer

    environment = settings_datasets.DatasetsSettings.from_environment()
    return DatasetConfirmer(
        datasets=_datasets(environment),
        files=_files(environment.datasets_bucket),
        training_files=_training_files(environment),
        training_files_bucket=environment.training_files_bucket,
        workflow=StepFunctionsValidation(
            bootstrap.workflows(), environment.validate_dataset_state_machine_arn
        ),
        clock=bootstrap.clock,
    )


def dataset_importer() -> DatasetImporter:
    """Build what makes datasets of training files."""
    from brightrun.services.import_dataset import DatasetImporter

    environment = settings_datasets.DatasetsSettings.from_environment()
    return DatasetImporter(
        datasets=_datasets(environment),
        training_files=_training_files(environment),
        confirmer=dataset_confirmer(),
        clock=bootstrap.clock,
        bucket=environment.datasets_bucket,
    )


def dataset_reader() -> DatasetReader:
    """Build what shows datasets."""
    from brightrun.repositories.objects import S3Objects
    from brightrun.services.read_datasets import DatasetReader

    environment = settings_datasets.DatasetsSettings.from_environment()
    return DatasetReader(
        datasets=_datasets(environment),
        links=S3Objects(bootstrap.s3(), environment.datasets_bucket),
        clock=bootstrap.clock,
    )


def dataset_deleter() -> DatasetDeleter:
    """Build what deletes datasets."""
    from brightrun.services.delete_dataset import DatasetDeleter

    environment = settings_datasets.DatasetsSettings.from_environment()
    return DatasetDeleter(
        datasets=_datasets(environment),
        files=_files(environment.datasets_bucket),
        clock=bootstrap.clock,
    )


def dataset_validator() -> DatasetValidator:
    """Build what the validate_dataset function does."""
    from brightrun.repositories.datasets import DatasetTables, DynamoDatasets
    from brightrun.repositories.objects import S3Objects
    from brightrun.services.validate_dataset import DatasetValidator

    environment = settings_datasets.ValidateDatasetSettings.from_environment()
    tables = DatasetTables(
        environment.datasets_table, notifications=environment.notifications_table
    )
    return DatasetValidator(
        datasets=DynamoDatasets(bootstrap.dynamodb(), tables),
        files=_files(environment.datasets_bucket),
        reports=S3Objects(bootstrap.s3(), environment.datasets_bucket),
        clock=bootstrap.clock,
    )


def notification_reader() -> NotificationReader:
    """Build what the notifications function does."""
    from brightrun.repositories.notifications import DynamoNotifications
    from brightrun.services.read_notifications import NotificationReader

    environment = settings_datasets.NotificationsSettings.from_environment()
    return NotificationReader(
        DynamoNotifications(bootstrap.dynamodb(), environment.notifications_table)
    )


def _datasets(environment: settings_datasets.DatasetsSettings) -> DynamoDatasets:
    from brightrun.repositories.datasets import DatasetTables, DynamoDatasets

    tables = DatasetTables(
        environment.datasets_table, training_files=environment.training_files_table
    )
    return DynamoDatasets(bootstrap.dynamodb(), tables)


def _training_files(environment: settings_datasets.DatasetsSettings) -> DynamoTrainingFiles:
    from brightrun.repositories.training_files import DynamoTrainingFiles

    return DynamoTrainingFiles(bootstrap.dynamodb(), environment.training_files_table)


def _files(bucket: str) -> S3DatasetFiles:
    from brightrun.repositories.dataset_files import S3DatasetFiles

    return S3DatasetFiles(bootstrap.s3(), bucket)
