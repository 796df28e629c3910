"""Shared by all DynamoDB repositories: client, wire format, errors, cursors and paging."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.core.errors import (
    ContentionError,
    InvalidCursorError,
    RecordTooLargeError,
    StorageError,
)
from brightrun.core.rows import SMALLEST

if TYPE_CHECKING:
    from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
    from mypy_boto3_dynamodb.client import DynamoDBClient


_FILTERED_READ = 1000
"""Rows of one filtered read: about 300 KB of batch items, well under the 1 MB of a page."""
_NUMBERS = {"position"}
"""Key attributes that are numbers; all others are strings."""
_OTHER_LIST = "The cursor belongs to another list; start without one."
_UNKNOWN_CURSOR = "The cursor is not one that this list returned; start without one."
CONDITION_FAILED = "ConditionalCheckFailedException"
TRANSACTION_CANCELLED = "TransactionCanceledException"
TRANSACTION_IN_PROGRESS = "TransactionConflictException"
ROW_TOO_LARGE = "Item size"
"""How the message of a ValidationException begins for a row over 400 KB, new or updated."""


def dynamodb_client() -> DynamoDBClient:
    """Create a client whose timeouts end well inside the 29 seconds of an API call."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "dynamodb",
        config=Config(
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 4},
            max_pool_connections=32,
            parameter_validation=False,  # DynamoDB checks them, and our types do
        ),
    )
    read_rows_directly(client)
    return client


def read_rows_directly(client: DynamoDBClient) -> None:
    """Let a client take rows from the JSON of a response, which is their wire format already.

    botocore's parser walks every attribute: 130 ms for a page of 1,400 digests of conversations,
    where this takes 8.
    """
    for operation in ("BatchGetItem", "GetItem", "Query"):
        client.meta.events.register(f"before-parse.dynamodb.{operation}", _take_rows)


def _take_rows(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    body = response_dict["body"]
    # Binary values are in base64; the parser decodes them.
    if response_dict["status_code"] != 200 or b'"B"' in body:
        return
    document = json.loads(body)
    for name in ("Item", "Items", "Responses"):
        if name in document:
            customized_response_dict[name] = document.pop(name)
    response_dict["body"] = json.dumps(document).encode()


def to_wire(record: Mapping[str, Any]) -> dict[str, Any]:
    """Convert plain values to DynamoDB's typed form; None values are left out."""
    serializer, _, _ = _wire_types()
    return {
        key: serializer.serialize(_exact(value))
        for key, value in record.items()
        if value is not None
    }


def from_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    """Convert DynamoDB's typed form to plain values, whole numbers as int."""
    _, deserializer, _ = _wire_types()
    return {key: _plain(deserializer.deserialize(value)) for key, value in item.items()}


def row_of(record: Any) -> dict[str, Any]:
    """Convert a dataclass to a row of plain values."""
    return dataclasses.asdict(record)


def error_code(error: ClientError) -> str:
    """The error's code in the response of the AWS service."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Convert boto3's errors to StorageError, except failed conditions, which callers handle.

    A row over DynamoDB's limit raises RecordTooLargeError, since trying again cannot help, and a
    write to a record that a transaction holds ContentionError.
    """
    try:
        yield
    except ClientError as error:
        if error_code(error) in {CONDITION_FAILED, TRANSACTION_CANCELLED}:
            raise
        if ROW_TOO_LARGE in str(error):
            raise RecordTooLargeError from error
        if error_code(error) == TRANSACTION_IN_PROGRESS:
            raise ContentionError(operation, error_code(error)) from error
        raise StorageError(operation, error_code(error)) from error
    except BotoCoreError as error:
        raise StorageError(operation, type(error).__name__) from error


MAX_BATCH_WRITE = 25
"""DynamoDB's limit for one BatchWriteItem."""
_WRITE_ROUNDS = 8


def put_rows(client: DynamoDBClient, table: str, rows: Sequence[dict[str, Any]]) -> None:
    """Store up to MAX_BATCH_WRITE rows in wire format, each in place of one with its key.

    Raises StorageError, when some of them may have been stored.
    """
    write_rows(client, table, [{"PutRequest": {"Item": row}} for row in rows])


def write_rows(client: DynamoDBClient, table: str, requests: Sequence[dict[str, Any]]) -> None:
    """Store and delete up to MAX_BATCH_WRITE rows, as BatchWriteItem words it.

    Raises StorageError, when some of it may have been done.
    """
    pending: Any = {table: requests}
    for _ in range(_WRITE_ROUNDS):
        with translated("BatchWriteItem"):
            pending = client.batch_write_item(RequestItems=pending)["UnprocessedItems"]
        if not pending:
            return
    raise StorageError("BatchWriteItem", "the table keeps refusing rows for lack of capacity")


def encode_cursor(key: Mapping[str, Any] | None) -> str | None:
    """Encode a last evaluated key as a page cursor.

    A cursor is not secret: `decode_cursor` checks it against the caller's own partition, so that
    another owner's cursor gives no access.
    """
    if not key:
        return None
    text = json.dumps(from_wire(key), separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, **partition: str) -> dict[str, Any] | None:
    """Decode a page cursor of the given partition; raises InvalidCursorError."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = json.loads(base64.urlsafe_b64decode(padded.encode()))
        if not all(key[name] == value for name, value in partition.items()):
            raise InvalidCursorError(_OTHER_LIST)
        return to_wire(key)
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError) as error:
        raise InvalidCursorError(_UNKNOWN_CURSOR) from error


def query_page(
    client: DynamoDBClient,
    *,
    limit: int,
    cursor: str | None,
    partition: tuple[str, str],
    key_attributes: Sequence[str],
    keep: Callable[[Mapping[str, Any]], bool] | None = None,
    most_reads: int | None = None,
    sort_range: tuple[str, str] | None = None,
    **request: Any,
) -> tuple[list[dict[str, Any]], str | None]:
    """Read one page of up to `limit` rows that pass the request's filter, and the next cursor.

    `cursor` must belong to `partition`, the partition key's name and value, and lie in `sort_range`
    where the request's key condition has one: the least and the greatest sort key. `keep` is a
    filter that DynamoDB cannot express; it gets a row in wire format. DynamoDB applies its limit
    before the filter, so this reads until `limit` rows have passed, or `most_reads` reads of up to
    1 MB are done: then the page is short, but still has a cursor. Raises InvalidCursorError for the
    cursor of another list and for one that is no key of the table, and StorageError.
    """
    name, value = partition
    if start := decode_cursor(cursor, **{name: value}):
        _require_key(start, key_attributes)
        if sort_range and not sort_range[0] <= start[key_attributes[-1]]["S"] <= sort_range[1]:
            raise InvalidCursorError(_OTHER_LIST)
        request["ExclusiveStartKey"] = start
    rows: list[dict[str, Any]] = []
    request["Limit"] = _FILTERED_READ if keep or "FilterExpression" in request else limit
    for read in count(1):
        with translated("Query"):
            answer = client.query(**request)
        rows.extend(filter(keep, answer["Items"]))
        last = answer.get("LastEvaluatedKey")
        if len(rows) > limit or (len(rows) == limit and last):
            rows = rows[:limit]
            last = {name: rows[-1][name] for name in key_attributes}
        if last is None or len(rows) == limit or read == most_reads:
            break
        request["ExclusiveStartKey"] = last
    return [from_wire(row) for row in rows], encode_cursor(last)


def newest_first(
    client: DynamoDBClient,
    table: str,
    partition: tuple[str, str],
    sort_key: str,
    *,
    limit: int,
    cursor: str | None,
) -> tuple[list[dict[str, Any]], str | None]:
    """Read a page of a whole partition, the highest sort key first, and its cursor.

    `partition` is the partition key's name and value. Raises InvalidCursorError, StorageError.
    """
    name, value = partition
    return query_page(
        client,
        limit=limit,
        cursor=cursor,
        partition=partition,
        key_attributes=(name, sort_key),
        TableName=table,
        ScanIndexForward=False,
        KeyConditionExpression=f"{name} = :partition",
        ExpressionAttributeValues=to_wire({":partition": value}),
    )


def _require_key(start: Mapping[str, Any], attributes: Sequence[str]) -> None:
    kinds = {name: "N" if name in _NUMBERS else "S" for name in attributes}
    if {name: "".join(value) for name, value in start.items()} != kinds or not all(
        start[name][kind] for name, kind in kinds.items()
    ):
        raise InvalidCursorError(_UNKNOWN_CURSOR)


@cache
def _wire_types() -> tuple[TypeSerializer, TypeDeserializer, type[Binary]]:
    """Import boto3's types with the first row: they bring all of boto3, as the clients do."""
    from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

    return TypeSerializer(), TypeDeserializer(), Binary


def _exact(value: Any) -> Any:
    """Convert floats to decimals, which boto3 requires, also inside containers.

    A float below SMALLEST, which a caller may send as a bound or a value, is 0.
    """
    if isinstance(value, float):
        return Decimal(repr(value if abs(value) >= SMALLEST else 0.0))
    if isinstance(value, Mapping):
        return {key: _exact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(inner) for inner in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    _, _, binary = _wire_types()
    return bytes(value.value) if isinstance(value, binary) else value  # type: ignore[attr-defined]
