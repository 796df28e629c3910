"""Conversation rows in DynamoDB, newest first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import decode_cursor, from_wire, query_page, row_of, to_wire, translated
from brightrun.conversations.enrichment.model import TO_BE_RUN
from brightrun.conversations.model import (
    ConversationDigest,
    ConversationFilter,
    ConversationRecord,
    version_conflict,
)
from brightrun.core.errors import DuplicateKeyError, NotFoundError
from brightrun.core.pages import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class ConversationReads(Protocol):
    """Conversation rows."""

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read one conversation's row, strongly consistent; raises NotFoundError."""


class ConversationLists(ConversationReads, Protocol):
    """Lists of conversations."""

    def conversations(
        self,
        owner_id: str,
        wanted: ConversationFilter,
        *,
        limit: int,
        cursor: str | None,
        newest_first: bool = True,
    ) -> Page[ConversationRecord]:
        """List conversations by the moment of their creation."""

    def digests(self, owner_id: str, wanted: ConversationFilter) -> Iterable[ConversationDigest]:
        """Read all that match, newest first; the index may lag."""


class ConversationWrites(Protocol):
    """Changes to conversation rows; each states the version it was made from."""

    def add(self, record: ConversationRecord) -> None:
        """Store a new row; raises DuplicateKeyError."""

    def replace(self, record: ConversationRecord, seen_version: int) -> ConversationRecord:
        """Store a row in the place of the version that was seen; gives it with its new version.

        Raises VersionConflictError with the state stored now, or NotFoundError.
        """


class ConversationRepository(ConversationLists, ConversationWrites, Protocol):
    """Conversation rows, read and changed."""

    def unenriched(self, owner_id: str, job_id: str, since: str) -> list[ConversationRecord]:
        """The job's conversations, stored at or after a moment, that nobody has enriched yet."""


class ConversationChanges(ConversationReads, ConversationWrites, Protocol):
    """Conversation rows, read one at a time and changed."""


BY_CREATED_AT = "by_created_at"
_DIGEST = tuple(field.name for field in dataclasses.fields(ConversationDigest))


class DynamoConversations:
    """ports.ConversationRepository; generated rows are made with their items (batch_claims.py)."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read one conversation's row, strongly consistent; raises NotFoundError."""
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire({"owner_id": owner_id, "conversation_id": conversation_id}),
                ConsistentRead=True,
            )
        if "Item" not in answer:
            raise NotFoundError("conversation", conversation_id)
        return _record(from_wire(answer["Item"]))

    def add(self, record: ConversationRecord) -> None:
        """Store a new row; raises DuplicateKeyError when there is one of that id already."""
        try:
            self._put(record, "attribute_not_exists(conversation_id)")
        except ClientError as error:
            raise DuplicateKeyError(
                f"There is a conversation with the id '{record.conversation_id}' already.",
                details={"conversation_id": record.conversation_id},
            ) from error

    def replace(self, record: ConversationRecord, seen_version: int) -> ConversationRecord:
        """Store a row in the place of the version that was seen; gives it with its new version.

        Raises VersionConflictError whose details are the state stored now, or NotFoundError when
        the row is gone.
        """
        stored = dataclasses.replace(record, version=seen_version + 1)
        try:
            self._put(stored, "version = :seen", {":seen": seen_version})
        except ClientError as error:
            if "Item" not in error.response:
                raise NotFoundError("conversation", record.conversation_id) from error
            current = _record(from_wire(error.response["Item"]))  # type: ignore[typeddict-item]
            raise version_conflict(current) from error
        return stored

    def conversations(
        self,
        owner_id: str,
        wanted: ConversationFilter,
        *,
        limit: int,
        cursor: str | None,
        newest_first: bool = True,
    ) -> Page[ConversationRecord]:
        """List conversations by the moment of their creation."""
        request = self._query(owner_id, wanted)
        if start := decode_cursor(cursor, owner_id=owner_id):
            request["ExclusiveStartKey"] = start
        rows, following = query_page(
            self._client,
            limit=limit,
            key_attributes=("owner_id", "conversation_id", "created_at"),
            keep=_name_filter(wanted),
            ScanIndexForward=not newest_first,
            **request,
        )
        return Page(tuple(_record(row) for row in rows), following)

    def digests(self, owner_id: str, wanted: ConversationFilter) -> Iterator[ConversationDigest]:
        """Read all that match, newest first, as briefly as it goes; the index may lag."""
        request = self._query(owner_id, wanted)
        request["ExpressionAttributeNames"] |= {f"#{name}": name for name in _DIGEST}
        pages = self._client.get_paginator("query").paginate(
            **request,
            ScanIndexForward=False,
            ProjectionExpression=", ".join(f"#{name}" for name in _DIGEST),
        )
        with translated("Query"):
            for page in pages:
                for row in filter(_name_filter(wanted), page["Items"]):
                    yield ConversationDigest(**_with_score(from_wire(row)))

    def _query(self, owner_id: str, wanted: ConversationFilter) -> dict[str, Any]:
        """Ask the index for an owner's rows, and DynamoDB for what it can filter itself."""
        conditions = [f"#{name} = :{name}" for name in wanted.equal]
        names = ["owner_id", *wanted.equal]
        values: dict[str, Any] = {":owner_id": owner_id}
        values |= {f":{name}": value for name, value in wanted.equal.items()}
        bounds = {
            "quality_min": (">=", wanted.quality_min),
            "quality_max": ("<=", wanted.quality_max),
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
        """The job's conversations, stored at or after a moment, that nobody has enriched yet.

        One Query of the owner's rows from that moment on; the index may lag by a second or so.
        """
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
            return [_record(from_wire(row)) for page in pages for row in page["Items"]]

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


def _name_filter(wanted: ConversationFilter) -> Callable[[Mapping[str, Any]], bool] | None:
    """DynamoDB compares texts by their case, so a search is ours to make."""
    if wanted.search is None:
        return None
    return lambda row: wanted.admits_name(row["conversation_name"]["S"])


def _record(row: Mapping[str, Any]) -> ConversationRecord:
    names = {field.name for field in dataclasses.fields(ConversationRecord)}
    known = {name: value for name, value in row.items() if name in names}
    return ConversationRecord(**_with_score(known))


def _with_score(row: dict[str, Any]) -> dict[str, Any]:
    # DynamoDB knows one kind of number, so a whole score comes back as an int.
    score = row.get("quality_score")
    return row if score is None else {**row, "quality_score": float(score)}
