"""Conversation rows in DynamoDB, newest first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, query_page, row_of, to_wire, translated
from brightrun.conversations.enrichment.model import TO_BE_RUN
from brightrun.conversations.model import (
    ConversationDigest,
    ConversationFilter,
    ConversationRecord,
    version_conflict,
)
from brightrun.core.errors import DuplicateKeyError, NotFoundError
from brightrun.core.pages import Page
from brightrun.core.rows import from_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class ConversationRepository(Protocol):
    """Conversation rows; every method raises StorageError when DynamoDB fails."""

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read one row, strongly consistent; raises NotFoundError."""

    def conversations(
        self,
        owner_id: str,
        where: ConversationFilter,
        *,
        limit: int,
        cursor: str | None,
        newest_first: bool = True,
    ) -> Page[ConversationRecord]:
        """List one page in order of creation; the index may lag behind writes by about a second.

        Raises InvalidCursorError.
        """

    def digests(self, owner_id: str, where: ConversationFilter) -> Iterable[ConversationDigest]:
        """Read all that match, newest first; the index may lag."""

    def unenriched(self, owner_id: str, job_id: str, since: str) -> list[ConversationRecord]:
        """Read the job's conversations stored at or after `since` that are to be enriched.

        The index may lag.
        """

    def add(self, record: ConversationRecord) -> None:
        """Store a new row; raises DuplicateKeyError."""

    def replace(self, record: ConversationRecord, seen_version: int) -> ConversationRecord:
        """Replace the row if it is still at `seen_version`; returns it with its new version.

        Raises VersionConflictError with the stored state if the row changed since it was read, and
        NotFoundError if it was deleted.
        """


BY_CREATED_AT = "by_created_at"
_DIGEST = tuple(field.name for field in dataclasses.fields(ConversationDigest))


class DynamoConversations(ConversationRepository):
    """Conversation rows in DynamoDB. Generated rows are written with their batch item, in the
    transaction of `batches/claim_repository.py`; `add` is for imported ones."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire({"owner_id": owner_id, "conversation_id": conversation_id}),
                ConsistentRead=True,
            )
        if "Item" not in answer:
            raise NotFoundError("conversation", conversation_id)
        return from_row(ConversationRecord, from_wire(answer["Item"]))

    def add(self, record: ConversationRecord) -> None:
        try:
            self._put(record, "attribute_not_exists(conversation_id)")
        except ClientError as error:
            raise DuplicateKeyError(
                f"There is a conversation with the id '{record.conversation_id}' already.",
                details={"conversation_id": record.conversation_id},
            ) from error

    def replace(self, record: ConversationRecord, seen_version: int) -> ConversationRecord:
        stored = dataclasses.replace(record, version=seen_version + 1)
        try:
            self._put(stored, "version = :seen", {":seen": seen_version})
        except ClientError as error:
            if "Item" not in error.response:
                raise NotFoundError("conversation", record.conversation_id) from error
            row = from_wire(error.response["Item"])  # type: ignore[typeddict-item]
            raise version_conflict(from_row(ConversationRecord, row)) from error
        return stored

    def conversations(
        self,
        owner_id: str,
        where: ConversationFilter,
        *,
        limit: int,
        cursor: str | None,
        newest_first: bool = True,
    ) -> Page[ConversationRecord]:
        request = self._query(owner_id, where)
        rows, following = query_page(
            self._client,
            limit=limit,
            cursor=cursor,
            partition=("owner_id", owner_id),
            key_attributes=("owner_id", "conversation_id", "created_at"),
            keep=_name_filter(where),
            ScanIndexForward=not newest_first,
            **request,
        )
        return Page(tuple(from_row(ConversationRecord, row) for row in rows), following)

    def digests(self, owner_id: str, where: ConversationFilter) -> Iterator[ConversationDigest]:
        request = self._query(owner_id, where)
        request["ExpressionAttributeNames"] |= {f"#{name}": name for name in _DIGEST}
        pages = self._client.get_paginator("query").paginate(
            **request,
            ScanIndexForward=False,
            ProjectionExpression=", ".join(f"#{name}" for name in _DIGEST),
        )
        with translated("Query"):
            for page in pages:
                for row in filter(_name_filter(where), page["Items"]):
                    yield from_row(ConversationDigest, from_wire(row))

    def _query(self, owner_id: str, where: ConversationFilter) -> dict[str, Any]:
        """Query an owner's rows, with the part of the filter that DynamoDB can apply."""
        conditions = [f"#{name} = :{name}" for name in where.equal]
        names = ["owner_id", *where.equal]
        values: dict[str, Any] = {":owner_id": owner_id}
        values |= {f":{name}": value for name, value in where.equal.items()}
        bounds = {
            "quality_min": (">=", where.quality_min),
            "quality_max": ("<=", where.quality_max),
        }
        for bound, (sign, value) in bounds.items():
            if value is not None:
                conditions.append(f"#quality_score {sign} :{bound}")
                names.append("quality_score")
                values[f":{bound}"] = value
        filtered = {"FilterExpression": " AND ".join(conditions)} if conditions else {}
        return {
            "TableName": self._table,
            "IndexName": BY_CREATED_AT,
            "KeyConditionExpression": "#owner_id = :owner_id",
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": to_wire(values),
            **filtered,
        }

    def unenriched(self, owner_id: str, job_id: str, since: str) -> list[ConversationRecord]:
        statuses = {f":status_{index}": status for index, status in enumerate(TO_BE_RUN)}
        values = {":owner": owner_id, ":since": since, ":job": job_id, **statuses}
        with translated("Query"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=BY_CREATED_AT,
                KeyConditionExpression="owner_id = :owner AND created_at >= :since",
                FilterExpression="batch_job_id = :job"
                f" AND enrichment_status IN ({', '.join(statuses)})",
                ExpressionAttributeValues=to_wire(values),
            )
            rows = [from_wire(row) for page in pages for row in page["Items"]]
        return [from_row(ConversationRecord, row) for row in rows]

    def _put(
        self,
        record: ConversationRecord,
        condition: str,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": to_wire(row_of(record)),
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if values:
            request["ExpressionAttributeValues"] = to_wire(values)
        with translated("PutItem"):
            self._client.put_item(**request)


def _name_filter(where: ConversationFilter) -> Callable[[Mapping[str, Any]], bool] | None:
    """Search names here: DynamoDB's `contains` is case-sensitive."""
    if where.search is None:
        return None
    return lambda row: where.admits_name(row["conversation_name"]["S"])
