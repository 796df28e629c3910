"""The table and the bucket of training files, for every function that uses them."""

from __future__ import annotations

from brightrun.training_files.repository import DynamoTrainingFiles, S3TrainingFileObjects
from brightrun.wiring import clients


def rows(table: str) -> DynamoTrainingFiles:
    """Open the rows of training files."""
    return DynamoTrainingFiles(clients.dynamodb(), table)


def objects(bucket: str) -> S3TrainingFileObjects:
    """Open the objects of training files."""
    return S3TrainingFileObjects(clients.s3(), bucket)
