"""The metrics and events of training jobs in DynamoDB, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from brightrun.domain.pages import Page
from brightrun.domain.rows import from_row
from brightrun.domain.training_job import TrainingJob, job_key
from brightrun.domain.training_records import MetricsPoint, TrainingEvent
from brightrun.errors import StorageError
from brightrun.repositories.dynamodb import (
    decode_cursor,
    from_wire,
    query_page,
    row_of,
    to_wire,
    translated,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_PER_BATCH_WRITE = 25
_WRITE_ROUNDS = 8
_DIGITS = 10
"""Digits of a point's key: ten thousand million points sort as text as they do as numbers."""


class DynamoTrainingRecords:
    """ports.training.TrainingRecords."""

    def __init__(self, client: DynamoDBClient, metrics_table: str, events_table: str) -> None:
        self._client = client
        self._metrics_table = metrics_table
        self._events_table = events_table

    def add_points(self, job: TrainingJob, points: Sequence[MetricsPoint]) -> None:
        """Keep points; writing the same ones again changes nothing. Raises StorageError."""
        key = job_key(job.owner_id, job.job_id)
        rows = [
            to_wire({"job_key": key, "point_id": f"{one.sequence:0{_DIGITS}}", **row_of(one)})
            for one in points
        ]
        for start in range(0, len(rows), _PER_BATCH_WRITE):
            self._write(rows[start : start + _PER_BATCH_WRITE])

    def points(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[MetricsPoint]:
        """List a job's points in their order."""
        rows, following = self._page(
            self._metrics_table, "point_id", job_key(owner_id, job_id), limit, cursor
        )
        return Page(tuple(from_row(MetricsPoint, row) for row in rows), following)

    def latest_points(self, owner_id: str, job_id: str, limit: int) -> list[MetricsPoint]:
        """The last points of a job, in their order."""
        with translated("Query"):
            answer = self._client.query(
                TableName=self._metrics_table,
                KeyConditionExpression="job_key = :job",
                ExpressionAttributeValues=to_wire({":job": job_key(owner_id, job_id)}),
                ScanIndexForward=False,
                Limit=limit,
            )
        return [from_row(MetricsPoint, from_wire(row)) for row in reversed(answer["Items"])]

    def add_event(self, job: TrainingJob, event: TrainingEvent) -> None:
        """Keep an event; writing the same one again changes nothing. Raises StorageError."""
        row = {"job_key": job_key(job.owner_id, job.job_id), **row_of(event)}
        with translated("PutItem"):
            self._client.put_item(TableName=self._events_table, Item=to_wire(row))

    def events(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingEvent]:
        """List a job's events in their order."""
        rows, following = self._page(
            self._events_table, "event_id", job_key(owner_id, job_id), limit, cursor
        )
        return Page(tuple(from_row(TrainingEvent, row) for row in rows), following)

    def _page(
        self, table: str, sort_key: str, key: str, limit: int, cursor: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        request: dict[str, Any] = {}
        if start := decode_cursor(cursor, job_key=key):
            request["ExclusiveStartKey"] = start
        return query_page(
            self._client,
            limit=limit,
            key_attributes=("job_key", sort_key),
            TableName=table,
            KeyConditionExpression="job_key = :job",
            ExpressionAttributeValues=to_wire({":job": key}),
            **request,
        )

    def _write(self, rows: list[dict[str, Any]]) -> None:
        pending: Any = {self._metrics_table: [{"PutRequest": {"Item": row}} for row in rows]}
        for _ in range(_WRITE_ROUNDS):
            with translated("BatchWriteItem"):
                pending = self._client.batch_write_item(RequestItems=pending)["UnprocessedItems"]
            if not pending:
                return
        raise StorageError("BatchWriteItem", "the table keeps refusing points for lack of capacity")
