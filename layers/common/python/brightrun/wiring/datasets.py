"""Composition of the datasets function."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.core.settings import Settings
from brightrun.datasets.create_dataset import (
    DatasetConfirmer,
    DatasetCreator,
    DatasetImporter,
    UploadPlanner,
)
from brightrun.datasets.file_repository import S3DatasetFiles
from brightrun.datasets.gateway import StepFunctionsValidation
from brightrun.datasets.repository import DatasetTables, DynamoDatasets
from brightrun.datasets.service import DatasetDeleter, DatasetReader
from brightrun.http.app import Services
from brightrun.wiring import clients, training_file_stores


class DatasetsSettings(Settings):
    """The environment of the datasets function."""

    datasets_table: str
    training_files_table: str
    datasets_bucket: str
    training_files_bucket: str
    validate_dataset_state_machine_arn: str


def dataset_creator() -> DatasetCreator:
    """Compose the service that creates datasets."""
    settings = DatasetsSettings.from_environment()
    return DatasetCreator(
        datasets=_datasets(settings),
        uploads=upload_planner(),
        clock=clients.clock,
        bucket=settings.datasets_bucket,
    )


def upload_planner() -> UploadPlanner:
    """Compose the service that signs the links of uploads."""
    settings = DatasetsSettings.from_environment()
    return UploadPlanner(_datasets(settings), _files(settings))


def dataset_confirmer() -> DatasetConfirmer:
    """Compose the service that starts validations."""
    settings = DatasetsSettings.from_environment()
    return DatasetConfirmer(
        datasets=_datasets(settings),
        files=_files(settings),
        training_files=training_file_stores.rows(settings.training_files_table),
        training_files_bucket=settings.training_files_bucket,
        workflow=StepFunctionsValidation(
            clients.step_functions(), settings.validate_dataset_state_machine_arn
        ),
        clock=clients.clock,
    )


def dataset_importer() -> DatasetImporter:
    """Compose the service that creates datasets from training files."""
    settings = DatasetsSettings.from_environment()
    return DatasetImporter(
        datasets=_datasets(settings),
        training_files=training_file_stores.rows(settings.training_files_table),
        confirmer=dataset_confirmer(),
        clock=clients.clock,
        bucket=settings.datasets_bucket,
    )


def dataset_reader() -> DatasetReader:
    """Compose the service that reads datasets."""
    settings = DatasetsSettings.from_environment()
    return DatasetReader(
        datasets=_datasets(settings),
        links=S3Objects(clients.s3(), settings.datasets_bucket),
        clock=clients.clock,
    )


def dataset_deleter() -> DatasetDeleter:
    """Compose the service that deletes datasets."""
    settings = DatasetsSettings.from_environment()
    return DatasetDeleter(datasets=_datasets(settings), files=_files(settings), clock=clients.clock)


def _datasets(settings: DatasetsSettings) -> DynamoDatasets:
    tables = DatasetTables(settings.datasets_table, training_files=settings.training_files_table)
    return DynamoDatasets(clients.dynamodb(), tables)


def _files(settings: DatasetsSettings) -> S3DatasetFiles:
    return S3DatasetFiles(clients.s3(), settings.datasets_bucket)


SERVICES: Services = {
    DatasetConfirmer: dataset_confirmer,
    DatasetCreator: dataset_creator,
    DatasetDeleter: dataset_deleter,
    DatasetImporter: dataset_importer,
    DatasetReader: dataset_reader,
    UploadPlanner: upload_planner,
}
