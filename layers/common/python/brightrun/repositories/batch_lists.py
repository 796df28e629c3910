"""Pages of jobs, items and log lines in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from brightrun.domain.batch import BatchItem, BatchJob, job_key
from brightrun.domain.batch_log import LogLine
from brightrun.domain.pages import Page
from brightrun.repositories.batch_rows import BatchTables, item_of, job_of, line_of
from brightrun.repositories.dynamodb import (
    decode_cursor,
    from_wire,
    query_page,
    to_wire,
    translated,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class DynamoBatchLists:
    """ports.BatchLists."""

    def __init__(self, client: DynamoDBClient, tables: BatchTables) -> None:
        self._client = client
        self._tables = tables

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchJob]:
        """List an owner's jobs, newest first: job ids sort by the time they were made."""
        newest_first = {"TableName": self._tables.jobs, "ScanIndexForward": False}
        key = ("owner_id", owner_id)
        rows, following = self._page(newest_first, key, "job_id", status, limit, cursor)
        return Page(tuple(job_of(row) for row in rows), following)

    def items(
        self, owner_id: str, job_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchItem]:
        """List a job's items by position."""
        request = {"TableName": self._tables.items, "ConsistentRead": True}
        key = ("job_key", job_key(owner_id, job_id))
        rows, following = self._page(request, key, "position", status, limit, cursor)
        return Page(tuple(item_of(row) for row in rows), following)

    def log(self, owner_id: str, job_id: str, *, limit: int, cursor: str | None) -> Page[LogLine]:
        """List the log's lines in order."""
        request = {"TableName": self._tables.logs, "ConsistentRead": True}
        key = ("job_key", job_key(owner_id, job_id))
        rows, following = self._page(request, key, "entry_id", None, limit, cursor)
        return Page(tuple(line_of(row) for row in rows), following)

    def open_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        """All queued and processing items, strongly consistent, by position."""
        return self._items_in(owner_id, job_id, ("queued", "processing"))

    def retryable_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        """All failed and cancelled items, strongly consistent, by position."""
        return self._items_in(owner_id, job_id, ("failed", "cancelled"))

    def _page(
        self,
        request: dict[str, Any],
        key: tuple[str, str],
        sort: str,
        status: str | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[dict[str, Any]], str | None]:
        partition, value = key
        names, values = {"#partition": partition}, {":partition": value}
        if status is not None:
            request["FilterExpression"] = "#status = :status"
            names["#status"], values[":status"] = "status", status
        if start := decode_cursor(cursor, **{partition: value}):
            request["ExclusiveStartKey"] = start
        return query_page(
            self._client,
            limit=limit,
            key_attributes=(partition, sort),
            KeyConditionExpression="#partition = :partition",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=to_wire(values),
            **request,
        )

    def _items_in(
        self, owner_id: str, job_id: str, statuses: tuple[str, str]
    ) -> Iterator[BatchItem]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._tables.items,
            ConsistentRead=True,
            KeyConditionExpression="job_key = :key",
            FilterExpression="#status IN (:one, :other)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=to_wire(
                {":key": job_key(owner_id, job_id), ":one": statuses[0], ":other": statuses[1]}
            ),
        )
        with translated("Query"):
            for page in pages:
                for row in page["Items"]:
                    yield item_of(from_wire(row))
