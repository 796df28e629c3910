"""Calls to Claude and failed generations in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.dynamodb import from_wire, put_rows, query_page, row_of, to_wire, translated
from brightrun.conversations.generation_log.model import (
    FailedGeneration,
    GenerationLogEntry,
    LoggedCall,
)
from brightrun.core.errors import NotFoundError
from brightrun.core.ids import GREATEST_UUID, NIL_UUID, first_id_at, last_id_at
from brightrun.core.pages import Page
from brightrun.core.rows import from_row
from brightrun.core.timestamps import DateRange, from_iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


_READS = 5
"""Reads of up to 1,000 rows or 1 MB each for one page of a filtered list."""


class GenerationLog(Protocol):
    """What batch workers write of every call to Claude."""

    def add_log_entries(self, entries: Sequence[GenerationLogEntry]) -> None:
        """Store the entries of up to MAX_BATCH_WRITE calls; writing them again changes nothing.

        Raises StorageError.
        """


class DynamoGenerationLog(GenerationLog):
    """The generation log and the failed generations in DynamoDB, newest first; ids sort by time.

    Failed generations are written with their batch item, in the transaction of
    `batches/claim_repository.py`. Every method raises StorageError when DynamoDB fails.
    """

    def __init__(self, client: DynamoDBClient, log_table: str, failures_table: str) -> None:
        self._client = client
        self._log_table = log_table
        self._failures_table = failures_table

    def add_log_entries(self, entries: Sequence[GenerationLogEntry]) -> None:
        put_rows(self._client, self._log_table, [to_wire(row_of(entry)) for entry in entries])

    def log_entries(
        self,
        owner_id: str,
        filters: Mapping[str, str],
        days: DateRange,
        *,
        limit: int,
        cursor: str | None,
    ) -> Page[GenerationLogEntry]:
        """List one page of the calls of `days` whose attributes equal the filters.

        It may be short, as in `failures`. Raises InvalidCursorError.
        """
        rows, following = self._page(
            self._log_table, "log_id", owner_id, filters, days, limit, cursor
        )
        return Page(tuple(from_row(GenerationLogEntry, row) for row in rows), following)

    def all_calls(self, owner_id: str) -> Iterator[LoggedCall]:
        """Read what totals need of every call of an owner, without the requests."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._log_table,
            KeyConditionExpression="owner_id = :owner",
            ProjectionExpression=", ".join(f"#{name}" for name in LoggedCall._fields),
            ExpressionAttributeNames={f"#{name}": name for name in LoggedCall._fields},
            ExpressionAttributeValues=to_wire({":owner": owner_id}),
        )
        with translated("Query"):
            for page in pages:
                yield from (LoggedCall(**from_wire(row)) for row in page["Items"])

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

        It may be short where few of very many match, and still have a cursor. Raises
        InvalidCursorError.
        """
        rows, following = self._page(
            self._failures_table, "failure_id", owner_id, filters, days, limit, cursor
        )
        return Page(tuple(from_row(FailedGeneration, row) for row in rows), following)

    def _page(  # noqa: PLR0917 - one list, and which part of it
        self,
        table: str,
        sort: str,
        owner_id: str,
        filters: Mapping[str, str],
        days: DateRange,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[dict[str, Any]], str | None]:
        first, last = _ids_of(days)
        request: dict[str, Any] = {"TableName": table, "ScanIndexForward": False}
        if filters:
            request["FilterExpression"] = " AND ".join(
                _condition(name, value) for name, value in filters.items()
            )
        names = ("owner_id", sort, *filters)
        values = {":owner_id": owner_id, ":first": first, ":last": last}
        return query_page(
            self._client,
            limit=limit,
            cursor=cursor,
            partition=("owner_id", owner_id),
            key_attributes=("owner_id", sort),
            most_reads=_READS,
            sort_range=(first, last),
            KeyConditionExpression=f"#owner_id = :owner_id AND #{sort} BETWEEN :first AND :last",
            ExpressionAttributeNames={f"#{name}": name for name in names},
            ExpressionAttributeValues=to_wire(
                values | {f":{name}": value for name, value in filters.items()}
            ),
            **request,
        )


def _condition(name: str, value: str) -> str:
    equal = f"#{name} = :{name}"
    # Calls that were logged before there were judgements have no kind.
    is_default = (name, value) == ("kind", "conversation")
    return f"({equal} OR attribute_not_exists(#kind))" if is_default else equal


def _ids_of(days: DateRange) -> tuple[str, str]:
    """The least and the greatest id of the records that were created on some days."""
    since, until = days.since(), days.until()
    return (
        first_id_at(from_iso(since)) if since else NIL_UUID,
        last_id_at(from_iso(until)) if until else GREATEST_UUID,
    )
