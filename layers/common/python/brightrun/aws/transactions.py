"""Transactional writes, retried on conflicts."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import (
    ROW_TOO_LARGE,
    TRANSACTION_CANCELLED,
    TRANSACTION_IN_PROGRESS,
    error_code,
    to_wire,
    translated,
)
from brightrun.core.errors import ContentionError, RecordTooLargeError, StorageError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


MAX_OPERATIONS = 100
"""DynamoDB's limit for one transaction."""
_TRIES = 10
_TRANSIENT = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
FAILED_CONDITION = "ConditionalCheckFailed"
T = TypeVar("T")


def transact(client: DynamoDBClient, operations: Sequence[Mapping[str, Any]]) -> list[int]:
    """Write all operations or none; return the positions of those whose condition failed.

    An empty list means that everything was written. Concurrent transactions on the same record,
    such as a job's counters, conflict; the SDK does not retry those, so this does, with full
    jitter. Raises ContentionError, StorageError, RecordTooLargeError.
    """
    for attempt in range(_TRIES):
        try:
            with translated("TransactWriteItems"):
                client.transact_write_items(TransactItems=operations)  # type: ignore[arg-type]
        except ClientError as error:
            failed = _failed_conditions(error)
            if failed:
                return failed
            _pause(attempt)
        else:
            return []
    raise ContentionError("TransactWriteItems", "too many conflicts on the same records")


def retry_on_conflict(write: Callable[[], T]) -> T:
    """Repeat a single write while a transaction in progress holds its record.

    DynamoDB rejects the write meanwhile, and the SDK does not retry that. Raises ContentionError.
    """
    for attempt in range(_TRIES):
        try:
            return write()
        except ClientError as error:
            if error_code(error) != TRANSACTION_IN_PROGRESS:
                raise
            _pause(attempt)
    raise ContentionError("UpdateItem", "too many conflicts on the same record")


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret


def _failed_conditions(error: ClientError) -> list[int]:
    """Positions of failed conditions; empty if there were only conflicts.

    Raises StorageError, RecordTooLargeError.
    """
    reasons = error.response.get("CancellationReasons", [])
    if any(ROW_TOO_LARGE in reason.get("Message", "") for reason in reasons):
        raise RecordTooLargeError from error
    codes = [str(reason.get("Code", "None")) for reason in reasons]
    failed = [index for index, code in enumerate(codes) if code == FAILED_CONDITION]
    unknown = set(codes) - _TRANSIENT - {FAILED_CONDITION, "None"}
    if unknown or error_code(error) != TRANSACTION_CANCELLED:
        raise StorageError("TransactWriteItems", ", ".join(sorted(unknown))) from error
    return failed


def update(
    table: str,
    key: Mapping[str, Any],
    *,
    set_to: Mapping[str, Any] | None = None,
    add: Mapping[str, int] | None = None,
    remove: Sequence[str] = (),
    condition: str,
    values: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Build an Update with placeholders for all attributes, since many names are reserved words.

    `condition` may use `#name` for any attribute and `:name` for any key of `values`; it is empty
    where counters are added to whatever they are.
    """
    set_to, add = set_to or {}, add or {}
    clauses = []
    if set_to:
        clauses.append("SET " + ", ".join(f"#{name} = :set_{name}" for name in set_to))
    if remove:
        clauses.append("REMOVE " + ", ".join(f"#{name}" for name in remove))
    if add:
        clauses.append("ADD " + ", ".join(f"#{name} :add_{name}" for name in add))
    wire = {
        **{f":set_{name}": value for name, value in set_to.items()},
        **{f":add_{name}": value for name, value in add.items()},
        **{f":{name}": value for name, value in (values or {}).items()},
    }
    return {
        "TableName": table,
        "Key": to_wire(key),
        "UpdateExpression": " ".join(clauses),
        **({"ConditionExpression": condition} if condition else {}),
        "ExpressionAttributeNames": _names(clauses, condition),
        "ExpressionAttributeValues": to_wire(wire),
    }


def _names(clauses: Sequence[str], condition: str) -> dict[str, str]:
    return {f"#{name}": name for name in re.findall(r"#(\w+)", " ".join([*clauses, condition]))}
