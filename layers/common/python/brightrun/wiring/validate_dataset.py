"""Composition of the validate_dataset function."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.core.settings import Settings
from brightrun.datasets.file_repository import S3DatasetFiles
from brightrun.datasets.repository import DatasetTables, DynamoDatasets
from brightrun.datasets.validate_dataset import DatasetValidator
from brightrun.wiring import clients


class ValidateDatasetSettings(Settings):
    """The environment of the validate_dataset function."""

    datasets_table: str
    notifications_table: str
    datasets_bucket: str


def dataset_validator() -> DatasetValidator:
    """Compose the service that validates datasets."""
    settings = ValidateDatasetSettings.from_environment()
    tables = DatasetTables(settings.datasets_table, notifications=settings.notifications_table)
    return DatasetValidator(
        datasets=DynamoDatasets(clients.dynamodb(), tables),
        files=S3DatasetFiles(clients.s3(), settings.datasets_bucket),
        reports=S3Objects(clients.s3(), settings.datasets_bucket),
        clock=clients.clock,
    )
