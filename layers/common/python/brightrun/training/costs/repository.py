"""Cost records in DynamoDB; a job's record is written when its bill is closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from brightrun.aws.dynamodb import from_wire, to_wire, translated
from brightrun.core.rows import from_row
from brightrun.training.costs.model import CostRecord
from brightrun.training.model import TrainingJob

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class CostRecords(Protocol):
    """What jobs cost, once their bills are closed; every method raises StorageError."""

    def between(self, owner_id: str, first_day: str, last_day: str) -> Iterator[CostRecord]:
        """All records from the first day to the last, both included, oldest first."""

    def of_job(self, job: TrainingJob) -> list[CostRecord]:
        """The records of one job: one when its bill is closed, else none."""


_AFTER_THE_HOURS = "U"
"""Sorts after the T between day and hour of a timestamp."""


class DynamoCostRecords(CostRecords):
    """Cost records in one table; ids begin with the record's timestamp."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def between(self, owner_id: str, first_day: str, last_day: str) -> Iterator[CostRecord]:
        bounds = {":owner": owner_id, ":first": first_day, ":last": last_day + _AFTER_THE_HOURS}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="owner_id = :owner AND record_id BETWEEN :first AND :last",
            ExpressionAttributeValues=to_wire(bounds),
        )
        with translated("Query"):
            for page in pages:
                for row in page["Items"]:
                    yield from_row(CostRecord, from_wire(row))

    def of_job(self, job: TrainingJob) -> list[CostRecord]:
        if job.cost_record_id is None:
            return []
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire({"owner_id": job.owner_id, "record_id": job.cost_record_id}),
                ConsistentRead=True,
            )
        return [from_row(CostRecord, from_wire(answer["Item"]))]
