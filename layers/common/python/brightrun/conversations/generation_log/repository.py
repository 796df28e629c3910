"""Calls to Claude and failed generations in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.dynamodb import from_wire, query_page, row_of, to_wire, translated
from brightrun.conversations.generation_log.model import FailedGeneration, GenerationLogEntry
from brightrun.core.errors import NotFoundError
from brightrun.core.pages import Page
from brightrun.core.rows import from_row
from brightrun.core.timestamps import DateRange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class GenerationLog(Protocol):
    """What batch workers write of every call to Claude."""

    def add_log_entry(self, entry: GenerationLogEntry) -> None:
        """Store a call's log entry; writing it again changes nothing. Raises StorageError."""


class DynamoGenerationLog(GenerationLog):
    """The generation log and the failed generations in DynamoDB, newest first; ids sort by time.

    Failed generations are written with their batch item, in the transaction of
    `batches/claim_repository.py`. Every method raises StorageError when DynamoDB fails.
    """

    def __init__(self, client: DynamoDBClient, log_table: str, failures_table: str) -> None:
        self._client = client
        self._log_table = log_table
        self._failures_table = failures_table

    def add_log_entry(self, entry: GenerationLogEntry) -> None:
        with translated("PutItem"):
            self._client.put_item(TableName=self._log_table, Item=to_wire(row_of(entry)))

    def log_entries(
        self, owner_id: str, *, limit: int, cursor: str | None
    ) -> Page[GenerationLogEntry]:
        """List one page of the calls to Claude; raises InvalidCursorError."""
        rows, following = self._page(self._log_table, "log_id", owner_id, (), limit, cursor)
        return Page(tuple(from_row(GenerationLogEntry, row) for row in rows), following)

    def all_log_entries(self, owner_id: str) -> Iterator[GenerationLogEntry]:
        """Read every call of an owner, a page at a time."""
        cursor: str | None = None
        while True:
            page = self.log_entries(owner_id, limit=1000, cursor=cursor)
            yield from page.records
            cursor = page.next_cursor
            if cursor is None:
                return

    def failure(self, owner_id: str, failure_id: str) -> FailedGeneration:
        """Read one failed generation; raises NotFoundError."""
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._failures_table,
                Key=to_wire({"owner_id": owner_id, "failure_id": failure_id}),
            )
        if "Item" not in answer:
            raise NotFoundError("failed generation", failure_id)
        return from_row(FailedGeneration, from_wire(answer["Item"]))

    def failures(
        self,
        owner_id: str,
        filters: Mapping[str, str],
        days: DateRange,
        *,
        limit: int,
        cursor: str | None,
    ) -> Page[FailedGeneration]:
        """List one page of the failed generations of `days` whose attributes equal the filters.

        Raises InvalidCursorError.
        """
        conditions = [("=", name, value) for name, value in filters.items()]
        if since := days.since():
            conditions.append((">=", "created_at", since))
        if until := days.until():
            conditions.append(("<=", "created_at", until))
        rows, following = self._page(
            self._failures_table, "failure_id", owner_id, conditions, limit, cursor
        )
        return Page(tuple(from_row(FailedGeneration, row) for row in rows), following)

    def _page(
        self,
        table: str,
        sort: str,
        owner_id: str,
        conditions: Sequence[tuple[str, str, str]],
        limit: int,
        cursor: str | None,
    ) -> tuple[list[dict[str, Any]], str | None]:
        request: dict[str, Any] = {"TableName": table, "ScanIndexForward": False}
        names = ["owner_id", *(name for _, name, _ in conditions)]
        values = {f":{index}": value for index, (_, _, value) in enumerate(conditions)}
        if conditions:
            request["FilterExpression"] = " AND ".join(
                f"#{name} {sign} :{index}" for index, (sign, name, _) in enumerate(conditions)
            )
        return query_page(
            self._client,
            limit=limit,
            cursor=cursor,
            partition=("owner_id", owner_id),
            key_attributes=("owner_id", sort),
            KeyConditionExpression="#owner_id = :owner_id",
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues=to_wire({":owner_id": owner_id, **values}),
            **request,
        )
