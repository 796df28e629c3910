"""The training jobs of all owners whose bill is not closed, for the sweep alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from brightrun.domain.training_job import TrainingJob, read_training_job
from brightrun.repositories.dynamodb import from_wire, to_wire, translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class DynamoOpenTrainingJobs:
    """ports.training.OpenTrainingJobs.

    A scan: it reads every job that there ever was, some 3 kB each, four times an hour. At 10,000
    jobs that is about 10 dollars a month on demand, and the time for an index.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def open_jobs(self) -> Iterator[TrainingJob]:
        """Every such job, in no order. Raises StorageError."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="settled = :open",
            ExpressionAttributeValues=to_wire({":open": False}),
        )
        with translated("Scan"):
            for page in pages:
                yield from (read_training_job(from_wire(row)) for row in page["Items"])
