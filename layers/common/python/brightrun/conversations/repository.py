"""Conversation rows in DynamoDB, and what changed among them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, row_of, to_wire, translated
from brightrun.conversations.digests import Change, ConversationDigest, Tombstone
from brightrun.conversations.enrichment.model import TO_BE_RUN
from brightrun.conversations.model import ConversationRecord, version_conflict
from brightrun.core.errors import DuplicateKeyError, NotFoundError, StorageError
from brightrun.core.rows import from_row
from brightrun.core.timestamps import epoch_ms, iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class ConversationRepository(Protocol):
    """Conversation rows; every method raises StorageError when DynamoDB fails."""

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read one row, strongly consistent; raises NotFoundError."""

    def records(self, owner_id: str, conversation_ids: Sequence[str]) -> list[ConversationRecord]:
        """Read rows by their ids, which must differ, in that order, strongly consistent.

        Those that do not exist are left out.
        """

    def changes(self, owner_id: str, since: str | None) -> Iterator[Sequence[Change]]:
        """Read what was written or deleted at `since` or later, or ever, oldest first, by pages.

        Of a conversation that was written several times only its last state is among them. The
        index may lag behind writes by about a second.
        """

    def unenriched(self, owner_id: str, job_id: str, since: str) -> list[ConversationRecord]:
        """Read the job's conversations written at or after `since` that are to be enriched.

        The index may lag.
        """

    def add(self, record: ConversationRecord) -> None:
        """Store a new row; raises DuplicateKeyError."""

    def replace(self, record: ConversationRecord, seen_version: int) -> ConversationRecord:
        """Replace the row if it is still at `seen_version`; returns it with its new version.

        Raises VersionConflictError with the stored state if the row changed since it was read, and
        NotFoundError if it was deleted.
        """


def keys_in_use(
    conversations: ConversationRepository, owner_id: str, conversation_id: str
) -> frozenset[str]:
    """The object keys that a row points to, read anew; none without a row. Raises StorageError."""
    try:
        return conversations.conversation(owner_id, conversation_id).object_keys()
    except NotFoundError:
        return frozenset()


BY_UPDATED_AT = "by_updated_at"
"""The index of changes; it projects the fields of a digest and nothing else."""
TOMBSTONES_KEPT = timedelta(days=30)
_DELETED = "deleted#"
"""How the sort key of a tombstone begins; no conversation has such an id."""
_MOST_ROWS = 100  # of one BatchGetItem
_TRIES = 5
"""Requests for rows that DynamoDB leaves out: of more than 16 MB, or when it throttles."""


def tombstone_row(record: ConversationRecord, now: datetime) -> dict[str, Any]:
    """The row that tells readers of changes of a deletion, for TOMBSTONES_KEPT."""
    return {
        "owner_id": record.owner_id,
        "conversation_id": _DELETED + record.conversation_id,
        "created_at": record.created_at,
        "updated_at": iso(now),
        "version": record.version + 1,
        "expires_at": epoch_ms(now + TOMBSTONES_KEPT) // 1000,
    }


class DynamoConversations(ConversationRepository):
    """Conversation rows in DynamoDB. Generated rows are written with their batch item, in the
    transaction of `batches/claim_repository.py`; `add` is for imported ones. Every write that
    changes a field of the digest sets `updated_at`."""

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
        if "Item" not in answer or conversation_id.startswith(_DELETED):
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

    def records(self, owner_id: str, conversation_ids: Sequence[str]) -> list[ConversationRecord]:
        found: dict[str, ConversationRecord] = {}
        wanted = [one for one in conversation_ids if not one.startswith(_DELETED)]
        for start in range(0, len(wanted), _MOST_ROWS):
            for item in self._items(owner_id, wanted[start : start + _MOST_ROWS]):
                record = from_row(ConversationRecord, from_wire(item))
                found[record.conversation_id] = record
        return [found[one] for one in conversation_ids if one in found]

    def _items(self, owner_id: str, conversation_ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        keys = [to_wire({"owner_id": owner_id, "conversation_id": one}) for one in conversation_ids]
        for _ in range(_TRIES):
            with translated("BatchGetItem"):
                answer = self._client.batch_get_item(
                    RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
                )
            yield from answer["Responses"].get(self._table, [])
            left = answer.get("UnprocessedKeys", {}).get(self._table)
            if not left:
                return
            keys = list(left["Keys"])
        raise StorageError("BatchGetItem", "keys are left unprocessed")

    def changes(self, owner_id: str, since: str | None) -> Iterator[Sequence[Change]]:
        condition = "owner_id = :owner" + (" AND updated_at >= :since" if since else "")
        values = {":owner": owner_id, ":since": since}
        for page in self._by_updated_at(condition, values):
            yield [_change(item) for item in page]

    def unenriched(self, owner_id: str, job_id: str, since: str) -> list[ConversationRecord]:
        statuses = {f":status_{index}": status for index, status in enumerate(TO_BE_RUN)}
        pages = self._by_updated_at(
            "owner_id = :owner AND updated_at >= :since",
            {":owner": owner_id, ":since": since, ":job": job_id, **statuses},
            FilterExpression="batch_job_id = :job"
            f" AND enrichment_status IN ({', '.join(statuses)})",
        )
        ids = [item["conversation_id"]["S"] for page in pages for item in page]
        return self.records(owner_id, list(dict.fromkeys(ids)))

    def _by_updated_at(
        self, condition: str, values: Mapping[str, Any], **request: Any
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=BY_UPDATED_AT,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_wire(values),
            **request,
        )
        with translated("Query"):
            for page in pages:
                yield page["Items"]

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


def _change(item: Mapping[str, Any]) -> Change:
    """Read an entry of the index; by hand, since a new process may read all of an owner's."""
    values = {name: _value(name, item[name]) for name in ConversationDigest._fields if name in item}
    key: str = values["conversation_id"]
    if key.startswith(_DELETED):
        return Tombstone(key.removeprefix(_DELETED), values["created_at"], values["version"])
    return ConversationDigest(**values)


_OWN = {"conversation_id", "created_at", "updated_at"}
"""Attributes whose values seldom recur."""


def _value(name: str, attribute: Mapping[str, Any]) -> Any:
    """The plain value of an attribute; texts that recur are held once."""
    ((kind, value),) = attribute.items()
    if kind == "S":
        return value if name in _OWN else sys.intern(value)
    if kind == "N":
        return float(value) if name == "quality_score" else int(value)
    if kind == "L":
        return tuple(sys.intern(one["S"]) for one in value)
    return None if kind == "NULL" else value
