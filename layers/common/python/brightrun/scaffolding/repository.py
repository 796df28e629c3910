"""An owner's scaffolding records in DynamoDB: one partition for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, to_wire, translated
from brightrun.aws.transactions import transact
from brightrun.core.errors import DuplicateKeyError, VersionConflictError
from brightrun.scaffolding.model import R, Record, read_record

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class ScaffoldingRepository(Protocol):
    """The records that owners have created or edited; the built-in ones are package data.

    Every method raises StorageError when DynamoDB fails.
    """

    def owned(self, owner_id: str, record_type: type[R]) -> tuple[R, ...]:
        """Read all of an owner's records of one kind, strongly consistent, ordered by id."""

    def add(self, owner_id: str, record: Record) -> None:
        """Store a new record, and reserve its key; raises DuplicateKeyError if the key is taken."""

    def replace(self, owner_id: str, seen: Record, record: Record) -> None:
        """Replace `seen` by `record`; the first edit of a built-in record creates the owner's row.

        Raises VersionConflictError with the stored record if it changed since `seen` was read.
        """


_ABSENT = "attribute_not_exists(id)"


class DynamoScaffolding(ScaffoldingRepository):
    """Scaffolding in DynamoDB: a partition for each owner and kind, and one of reserved keys."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def owned(self, owner_id: str, record_type: type[R]) -> tuple[R, ...]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="owner_kind = :partition",
            ExpressionAttributeValues=to_wire({":partition": _partition(owner_id, record_type)}),
        )
        with translated("Query"):
            rows = [from_wire(row) for page in pages for row in page["Items"]]
        return tuple(_record_of(record_type, row) for row in rows)

    def add(self, owner_id: str, record: Record) -> None:
        partition = _partition(owner_id, type(record))
        reserved_key = {"owner_kind": f"{partition}#key", "id": record.key, "record_id": record.id}
        failed = transact(
            self._client,
            [
                {"Put": self._put(_row_of(partition, record))},
                {"Put": self._put(reserved_key)},
            ],
        )
        if failed:
            raise DuplicateKeyError(
                f"There is a {record.kind} with the {record.key_field} '{record.key}' already.",
                details={record.key_field: record.key},
            )

    def replace(self, owner_id: str, seen: Record, record: Record) -> None:
        partition = _partition(owner_id, type(record))
        request = self._put(_row_of(partition, record))
        if seen.origin != "built_in":
            request["ConditionExpression"] = "version = :seen"
            request["ExpressionAttributeValues"] = to_wire({":seen": seen.version})
        try:
            with translated("PutItem"):
                self._client.put_item(**request)
        except ClientError as error:
            current = self._read(partition, type(record), record.id)
            raise VersionConflictError(
                f"The {record.kind} '{record.key}' changed since it was read; it is now at version "
                f"{current.version}. Read it again and repeat the change.",
                details=current.model_dump(mode="json"),
            ) from error

    def _read(self, partition: str, record_type: type[R], record_id: str) -> R:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire({"owner_kind": partition, "id": record_id}),
                ConsistentRead=True,
            )
        return _record_of(record_type, from_wire(answer["Item"]))

    def _put(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"TableName": self._table, "Item": to_wire(row), "ConditionExpression": _ABSENT}


def _partition(owner_id: str, record_type: type[Record]) -> str:
    return f"{owner_id}#{record_type.kind.replace(' ', '_')}"


def _row_of(partition: str, record: Record) -> dict[str, Any]:
    return {"owner_kind": partition, **record.model_dump()}


def _record_of(record_type: type[R], row: dict[str, Any]) -> R:
    return read_record(record_type, {k: v for k, v in row.items() if k != "owner_kind"})
