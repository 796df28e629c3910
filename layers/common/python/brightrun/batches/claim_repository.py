"""Claims: how workers lease items, renew the leases and complete the items, exactly once.

queued --claim--> processing --complete--> completed | failed | queued (for another attempt)
                        |    ^
                        +----+ the lease expired: another worker claims the item

A claim and a completion each change the item, the job's counters and the log in one transaction.
Completing requires the lease token, so of two workers that held an item one after the other, only
one can complete it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, row_of, to_wire, translated
from brightrun.aws.transactions import MAX_OPERATIONS, retry_on_conflict, transact, update
from brightrun.batches.log import LogLine
from brightrun.batches.model import BatchItem, ItemStatus, Lease, job_key
from brightrun.batches.repository import BatchTables, item_of, job_key_parts, job_of, line_put
from brightrun.core.errors import ClaimsClosedError, LeaseLostError
from brightrun.core.timestamps import epoch_ms, iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

    from brightrun.conversations.generation_log.model import FailedGeneration
    from brightrun.conversations.model import ConversationRecord


@dataclass(frozen=True, slots=True)
class Outcome:
    """How work on an item ended, with everything that is stored in the same transaction."""

    status: ItemStatus
    lines: Sequence[LogLine]
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    simulated: bool = False
    conversation: ConversationRecord | None = None
    failure: FailedGeneration | None = None
    retry_at: int | None = None
    stop_reason: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class ClaimRepository(Protocol):
    """Leases on items; item, counters and log change together. Methods may raise StorageError."""

    def next_items(self, owner_id: str, job_id: str, count: int) -> list[BatchItem]:
        """Advance the job's cursor and read up to `count` items that no worker was given before.

        Returns an empty list when the cursor has passed the last item. Raises ClaimsClosedError
        if the job accepts no claims.
        """

    def claim(
        self, items: Sequence[BatchItem], lease: Lease, lines: Sequence[LogLine], now: datetime
    ) -> list[BatchItem]:
        """Lease the items that no other worker holds, and write one log line for each of them.

        Returns the leased items. Raises ClaimsClosedError if the job accepts no claims.
        """

    def renew(self, item: BatchItem, lease: Lease) -> None:
        """Extend a lease; raises LeaseLostError if the item is not leased under its token."""

    def complete(self, item: BatchItem, outcome: Outcome, now: datetime) -> None:
        """Release an item with its outcome; raises LeaseLostError if the lease is not held.

        The conversation or failure is stored in the same transaction: a conversation is listed
        exactly when its item is completed.
        """

    def cancel_items(self, items: Sequence[BatchItem], now: datetime) -> int:
        """Cancel the items that no worker holds; returns how many were cancelled."""

    def requeue(self, items: Sequence[BatchItem], now: datetime) -> int:
        """Queue failed or cancelled items again as a new generation; returns how many were queued.

        Raises ClaimsClosedError if the job is neither processing nor paused.
        """

    def write_line(self, owner_id: str, job_id: str, line: LogLine) -> None:
        """Append a line to the job's log."""


_OPEN_TO_CLAIMS = "#status = :processing AND attribute_not_exists(stop_reason)"
_NOT_ENDED = "#status IN (:processing, :paused)"
_JOB_STATUSES = {"processing": "processing", "paused": "paused"}
_LEASE_FIELDS = ("lease_token", "lease_expires_at", "retry_at")
_OUTCOME_COUNTERS = {
    ItemStatus.COMPLETED: {"successful_items": 1},
    ItemStatus.FAILED: {"failed_items": 1},
    ItemStatus.QUEUED: {},
}
_RETRIED_COUNTERS = {
    ItemStatus.FAILED: "failed_items",
    ItemStatus.CANCELLED: "cancelled_items",
}


class DynamoClaims(ClaimRepository):
    """Claims on the batch tables; an outcome's records go to the two other tables."""

    def __init__(
        self,
        client: DynamoDBClient,
        tables: BatchTables,
        *,
        conversations_table: str = "",
        failed_generations_table: str = "",
    ) -> None:
        self._client = client
        self._tables = tables
        self._conversations = conversations_table
        self._failures = failed_generations_table

    def next_items(self, owner_id: str, job_id: str, count: int) -> list[BatchItem]:
        request = update(
            self._tables.jobs,
            {"owner_id": owner_id, "job_id": job_id},
            add={"claim_cursor": count},
            condition=f"{_OPEN_TO_CLAIMS} AND #claim_cursor < #total_items",
            values={"processing": "processing"},
        )
        # One atomic ADD on the cursor gives each worker positions of its own: workers never compete
        # for the same items, and no worker searches for work.
        try:
            with translated("UpdateItem"):
                answer = retry_on_conflict(
                    lambda: self._client.update_item(**request, ReturnValues="ALL_NEW")
                )
        except ClientError:
            self._require_open(owner_id, job_id)
            return []
        job = job_of(from_wire(answer["Attributes"]))
        first = job.claim_cursor - count + 1
        return self._between(
            job_key(owner_id, job_id), first, min(job.claim_cursor, job.total_items)
        )

    def claim(
        self, items: Sequence[BatchItem], lease: Lease, lines: Sequence[LogLine], now: datetime
    ) -> list[BatchItem]:
        pairs = list(zip(items, lines, strict=True))
        while pairs:
            free = sum(item.status is ItemStatus.QUEUED for item, _ in pairs)
            operations = [
                _count_operation(
                    self._tables.jobs,
                    pairs[0][0],
                    {"processing_items": free},
                    now,
                    condition=_OPEN_TO_CLAIMS,
                ),
                *(_claim_operation(self._tables.items, item, lease, now) for item, _ in pairs),
            ]
            operations += [line_put(self._tables.logs, item.job_key, line) for item, line in pairs]
            failed = transact(self._client, operations)
            if not failed:
                return [_with_lease(item, lease) for item, _ in pairs]
            if 0 in failed:
                raise ClaimsClosedError("The job accepts no claims.")
            pairs = [pair for index, pair in enumerate(pairs, start=1) if index not in failed]
        return []

    def renew(self, item: BatchItem, lease: Lease) -> None:
        request = update(
            self._tables.items,
            _item_key(item),
            set_to={"lease_expires_at": lease.expires_at},
            condition="#status = :processing AND #lease_token = :token",
            values={"processing": "processing", "token": lease.token},
        )
        try:
            with translated("UpdateItem"):
                self._client.update_item(**request)
        except ClientError as error:
            raise LeaseLostError(
                f"Item {item.position} is not leased by this worker any more."
            ) from error

    def complete(self, item: BatchItem, outcome: Outcome, now: datetime) -> None:
        counters = {
            "processing_items": -1,
            "input_tokens": outcome.input_tokens,
            "output_tokens": outcome.output_tokens,
            "cost_micro_usd": outcome.cost_micro_usd,
            **_OUTCOME_COUNTERS[outcome.status],
        }
        operations = [
            _complete_operation(self._tables.items, item, outcome, now),
            _count_operation(self._tables.jobs, item, counters, now, outcome=outcome),
            *(line_put(self._tables.logs, item.job_key, line) for line in outcome.lines),
        ]
        if outcome.conversation is not None:
            operations.append(_put_operation(self._conversations, outcome.conversation))
        if outcome.failure is not None:
            operations.append(_put_operation(self._failures, outcome.failure))
        if transact(self._client, operations):
            raise LeaseLostError(f"Item {item.position} is not leased by this worker any more.")

    def cancel_items(self, items: Sequence[BatchItem], now: datetime) -> int:

        def counters(cancelled: Sequence[BatchItem]) -> dict[str, int]:
            expired = sum(item.status is ItemStatus.PROCESSING for item in cancelled)
            return {"cancelled_items": len(cancelled), "processing_items": -expired}

        return self._transition_all(items, now, ItemStatus.CANCELLED, counters, None)

    def requeue(self, items: Sequence[BatchItem], now: datetime) -> int:

        def counters(ended: Sequence[BatchItem]) -> dict[str, int]:
            return {
                name: -sum(item.status is status for item in ended)
                for status, name in _RETRIED_COUNTERS.items()
            }

        return self._transition_all(items, now, ItemStatus.QUEUED, counters, _NOT_ENDED)

    def write_line(self, owner_id: str, job_id: str, line: LogLine) -> None:
        with translated("PutItem"):
            self._client.put_item(
                **line_put(self._tables.logs, job_key(owner_id, job_id), line)["Put"]
            )

    def _transition_all(
        self,
        items: Sequence[BatchItem],
        now: datetime,
        status: ItemStatus,
        counters: Callable[[Sequence[BatchItem]], Mapping[str, int]],
        condition: str | None,
    ) -> int:
        """Change items in transactions of the maximal size, skipping items that have changed."""
        moved = 0
        for start in range(0, len(items), MAX_OPERATIONS - 1):
            chunk = list(items[start : start + MAX_OPERATIONS - 1])
            while chunk:
                job = _count_operation(
                    self._tables.jobs, chunk[0], counters(chunk), now, condition=condition
                )
                changes = [
                    _transition_operation(self._tables.items, item, status, now) for item in chunk
                ]
                failed = transact(self._client, [job, *changes])
                if not failed:
                    moved += len(chunk)
                    break
                if 0 in failed:
                    raise ClaimsClosedError("The job has ended.")
                chunk = [item for index, item in enumerate(chunk, start=1) if index not in failed]
        return moved

    def _between(self, key: str, first: int, last: int) -> list[BatchItem]:
        with translated("Query"):
            answer = self._client.query(
                TableName=self._tables.items,
                ConsistentRead=True,
                KeyConditionExpression="job_key = :key AND #position BETWEEN :first AND :last",
                ExpressionAttributeNames={"#position": "position"},
                ExpressionAttributeValues=to_wire({":key": key, ":first": first, ":last": last}),
            )
        return [item_of(from_wire(row)) for row in answer["Items"]]

    def _require_open(self, owner_id: str, job_id: str) -> None:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._tables.jobs,
                Key=to_wire({"owner_id": owner_id, "job_id": job_id}),
                ConsistentRead=True,
            )
        if "Item" not in answer or not job_of(from_wire(answer["Item"])).accepts_claims:
            raise ClaimsClosedError("The job accepts no claims.")


def _item_key(item: BatchItem) -> dict[str, Any]:
    """The primary key of an item."""
    return {"job_key": item.job_key, "position": item.position}


def _with_lease(item: BatchItem, lease: Lease) -> BatchItem:
    """The item after `_claim_operation`."""
    return dataclasses.replace(
        item,
        status=ItemStatus.PROCESSING,
        attempts=item.attempts + 1,
        lease_token=lease.token,
        lease_expires_at=lease.expires_at,
    )


def _claim_operation(table: str, item: BatchItem, lease: Lease, now: datetime) -> dict[str, Any]:
    """Lease an item that is queued or whose lease has expired, if it is still as it was read."""
    return {
        "Update": update(
            table,
            _item_key(item),
            set_to={
                "status": ItemStatus.PROCESSING.value,
                "attempts": item.attempts + 1,
                "lease_token": lease.token,
                "lease_expires_at": lease.expires_at,
                "updated_at": iso(now),
            },
            remove=("retry_at",),
            **_claimable(item, now),
        )
    }


def _transition_operation(
    table: str, item: BatchItem, status: ItemStatus, now: datetime
) -> dict[str, Any]:
    """Cancel an item that no worker holds, or queue an ended item as a new generation."""
    requeued = status is ItemStatus.QUEUED
    condition = _unchanged(item) if requeued else _claimable(item, now)
    reset = {"generation": item.generation + 1, "attempts": 0} if requeued else {}
    remove = (*_LEASE_FIELDS, "error_code", "error_message") if requeued else _LEASE_FIELDS
    return {
        "Update": update(
            table,
            _item_key(item),
            set_to={"status": status.value, "updated_at": iso(now), **reset},
            remove=remove,
            **condition,
        )
    }


def _complete_operation(
    table: str, item: BatchItem, outcome: Outcome, now: datetime
) -> dict[str, Any]:
    """Release an item with its outcome, if it is still leased under its token."""
    fields = {
        "conversation_id": outcome.conversation.conversation_id
        if outcome.conversation
        else item.conversation_id,
        "error_code": outcome.error_code,
        "error_message": outcome.error_message,
        "retry_at": outcome.retry_at,
    }
    return {
        "Update": update(
            table,
            _item_key(item),
            set_to={
                "status": outcome.status.value,
                "updated_at": iso(now),
                **{name: value for name, value in fields.items() if value is not None},
            },
            remove=[
                name
                for name in dict.fromkeys((*_LEASE_FIELDS, *fields))
                if fields.get(name) is None
            ],
            condition="#status = :processing AND #lease_token = :token",
            values={"processing": ItemStatus.PROCESSING.value, "token": item.lease_token},
        )
    }


def _count_operation(
    table: str,
    item: BatchItem,
    counters: Mapping[str, int],
    now: datetime,
    *,
    condition: str | None = None,
    outcome: Outcome | None = None,
) -> dict[str, Any]:
    """Add to the counters of an item's job; `condition` is _OPEN_TO_CLAIMS or _NOT_ENDED."""
    set_to: dict[str, Any] = {"updated_at": iso(now)}
    if outcome is not None and outcome.simulated:
        set_to["simulated"] = True
    if outcome is not None and outcome.stop_reason is not None:
        set_to["stop_reason"] = outcome.stop_reason
    return {
        "Update": update(
            table,
            job_key_parts(item.job_key),
            set_to=set_to,
            add={name: amount for name, amount in counters.items() if amount},
            condition=condition or "attribute_exists(job_id)",
            values={
                name: value
                for name, value in _JOB_STATUSES.items()
                if condition and f":{name}" in condition
            },
        )
    }


def _put_operation(table: str, record: Any) -> dict[str, Any]:
    """Store a record whose id is derived from the item."""
    return {"Put": {"TableName": table, "Item": to_wire(row_of(record))}}


def _claimable(item: BatchItem, now: datetime) -> dict[str, Any]:
    """Condition: unchanged since it was read, and claimable at `now`."""
    if item.status is ItemStatus.QUEUED:
        return _unchanged(item)
    return {
        "condition": "#status = :status AND #lease_token = :token AND #lease_expires_at <= :now",
        "values": {
            "status": item.status.value,
            "token": item.lease_token,
            "now": epoch_ms(now),
        },
    }


def _unchanged(item: BatchItem) -> dict[str, Any]:
    return {
        "condition": "#status = :status AND #generation = :generation AND #attempts = :attempts",
        "values": {
            "status": item.status.value,
            "generation": item.generation,
            "attempts": item.attempts,
        },
    }
