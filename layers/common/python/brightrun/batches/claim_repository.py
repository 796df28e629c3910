"""Claims: how workers lease items, renew the leases and complete the items, exactly once.

queued --claim--> processing --complete--> completed | failed | queued (for another attempt)
                        |    ^
                        +----+ the lease expired: another worker claims the item

Claims and completions change items, the job's counters and the log in one transaction, for all
items that are claimed or completed together. Completing requires the lease token, so of two workers
that held an item one after the other, only one can complete it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, row_of, to_wire, translated
from brightrun.aws.transactions import MAX_OPERATIONS, retry_on_conflict, transact, update
from brightrun.batches.claim_operations import (
    LEASE_FIELDS,
    affordable,
    claim_operation,
    item_key,
    to_reserve,
    transition_operation,
    with_lease,
)
from brightrun.batches.log import LogLine
from brightrun.batches.model import (
    BatchItem,
    BatchJob,
    Cap,
    ItemStatus,
    Lease,
    job_key,
)
from brightrun.batches.repository import BatchTables, item_of, job_key_parts, job_of, lines_put
from brightrun.batches.spending_repository import spending_attribute
from brightrun.core.errors import (
    BrightRunError,
    ClaimsClosedError,
    LeaseLostError,
    RecordTooLargeError,
)
from brightrun.core.timestamps import iso

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
    cache_calls: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_saved_micro_usd: int = 0
    simulated: bool = False
    reused: bool = False
    conversation: ConversationRecord | None = None
    failure: FailedGeneration | None = None
    retry_at: int | None = None
    stop_reason: str | None = None
    error_code: str | None = None
    error_message: str | None = None


SUMMED = (
    "input_tokens",
    "output_tokens",
    "cost_micro_usd",
    "cache_calls",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_saved_micro_usd",
)
"""Of an outcome, what its job adds up."""
Ended = tuple[BatchItem, Outcome]
"""An item as its worker leased it, and how the work on it ended."""


class ClaimRepository(Protocol):
    """Leases on items; item, counters and log change together. Methods may raise StorageError."""

    def next_items(self, owner_id: str, job_id: str, count: int) -> list[BatchItem]:
        """Advance the job's cursor and read up to `count` items that no worker was given before.

        Returns an empty list when the cursor has passed the last item. Raises ClaimsClosedError
        if the job accepts no claims.
        """

    def claim(
        self,
        items: Sequence[BatchItem],
        lease: Lease,
        lines: Sequence[LogLine],
        now: datetime,
        cap: Cap | None = None,
    ) -> list[BatchItem]:
        """Lease the items that no other worker holds, and write the log lines of those.

        With a `cap`, the most that each may cost is reserved with its lease, unless the worker that
        had it before has done so; where that exceeds the cap, fewer are leased. Returns the leased
        items. Raises ClaimsClosedError if the job accepts no claims, CapReachedError if its cap
        pays for none of the items.
        """

    def renew(self, item: BatchItem, lease: Lease) -> None:
        """Extend a lease; raises LeaseLostError if the item is not leased under its token."""

    def complete(self, ended: Sequence[Ended], now: datetime) -> dict[int, BrightRunError]:
        """Release items of one job with their outcomes, together.

        The conversation or failure is stored in the same transaction: a conversation is listed
        exactly when its item is completed. Returns, by position, what left items as they were:
        LeaseLostError if the lease is not held, RecordTooLargeError if no row can hold the record.
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
_OUTCOME_COUNTERS = {
    ItemStatus.COMPLETED: {"successful_items": 1},
    ItemStatus.FAILED: {"failed_items": 1},
    ItemStatus.QUEUED: {},
}
_MAX_TOGETHER = (MAX_OPERATIONS - 2) // 2
"""Items of one transaction: each is two operations, beside the counters and the log."""
_MAX_CHARACTERS = 800_000
"""Of the records of one transaction, at most 4 bytes each: DynamoDB's limit is 4 MB."""
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
            self._open_job(owner_id, job_id)
            return []
        job = job_of(from_wire(answer["Attributes"]))
        first = job.claim_cursor - count + 1
        return self._between(
            job_key(owner_id, job_id), first, min(job.claim_cursor, job.total_items)
        )

    def claim(
        self,
        items: Sequence[BatchItem],
        lease: Lease,
        lines: Sequence[LogLine],
        now: datetime,
        cap: Cap | None = None,
    ) -> list[BatchItem]:
        pairs = list(zip(items, lines, strict=True))
        while pairs:
            started = [line for _, line in pairs]
            operations = [
                self._claim_count([item for item, _ in pairs], now, cap),
                *(claim_operation(self._tables.items, item, lease, now, cap) for item, _ in pairs),
                lines_put(self._tables.logs, pairs[0][0].job_key, started),
            ]
            failed = transact(self._client, operations)
            if not failed:
                return [with_lease(item, lease, cap) for item, _ in pairs]
            if 0 not in failed:
                pairs = [pair for index, pair in enumerate(pairs, start=1) if index not in failed]
                continue
            job = self._open_job(**job_key_parts(pairs[0][0].job_key))
            if cap is None:
                raise ClaimsClosedError("The job accepts no claims.")
            cap, pairs = job.cap, affordable(pairs, job)
        return []

    def _claim_count(
        self, items: Sequence[BatchItem], now: datetime, cap: Cap | None
    ) -> dict[str, Any]:
        """Count items as processing, and reserve what they may cost, within the cap."""
        counters = {"processing_items": sum(item.status is ItemStatus.QUEUED for item in items)}
        condition, values = _OPEN_TO_CLAIMS, {}
        if cap is not None:
            reserve = sum(to_reserve(item, cap) for item in items)
            counters["committed_micro_usd"] = reserve
            condition += " AND #committed_micro_usd <= :ceiling"
            values["ceiling"] = cap.micro_usd - reserve
        return _count_operation(
            self._tables.jobs, items[0], counters, now, condition=condition, values=values
        )

    def renew(self, item: BatchItem, lease: Lease) -> None:
        request = update(
            self._tables.items,
            item_key(item),
            set_to={"lease_expires_at": lease.expires_at},
            condition="#status = :processing AND #lease_token = :token",
            values={"processing": "processing", "token": lease.token},
        )
        try:
            with translated("UpdateItem"):
                self._client.update_item(**request)
        except ClientError as error:
            raise _lease_lost(item) from error

    def complete(self, ended: Sequence[Ended], now: datetime) -> dict[int, BrightRunError]:
        errors: dict[int, BrightRunError] = {}
        for group in _transactions(ended):
            errors |= self._complete_together(group, now)
        return errors

    def _complete_together(self, group: list[Ended], now: datetime) -> dict[int, BrightRunError]:
        """Complete items in one transaction, without those whose lease is lost."""
        errors: dict[int, BrightRunError] = {}
        while group:
            try:
                failed = transact(self._client, self._end_operations(group, now))
            except RecordTooLargeError as error:
                if len(group) == 1:
                    return {**errors, group[0][0].position: error}
                # DynamoDB does not say whose record it is.
                for one in group:
                    errors |= self._complete_together([one], now)
                return errors
            if not failed:
                break
            items = [item for item, _ in group]
            lost = [item for index, item in enumerate(items, start=1) if index in failed] or items
            errors |= {item.position: _lease_lost(item) for item in lost}
            group = [one for one in group if one[0].position not in errors]
        return errors

    def _end_operations(self, group: Sequence[Ended], now: datetime) -> list[dict[str, Any]]:
        """The job's counters, an update for each item in their order, the log, the records."""
        first, outcomes = group[0][0], [outcome for _, outcome in group]
        counters: Counter[str] = Counter()
        operations = [
            _complete_operation(self._tables.items, item, outcome, now) for item, outcome in group
        ]
        lines = [line for outcome in outcomes for line in outcome.lines]
        operations.append(lines_put(self._tables.logs, first.job_key, lines))
        for item, outcome in group:
            counters.update(_counted(item, outcome, now))
            if outcome.conversation is not None:
                operations.append(_put_operation(self._conversations, outcome.conversation))
            if outcome.failure is not None:
                operations.append(_put_operation(self._failures, outcome.failure))
        job = _count_operation(self._tables.jobs, first, counters, now, outcomes=outcomes)
        return [job, *operations]

    def cancel_items(self, items: Sequence[BatchItem], now: datetime) -> int:

        def counters(cancelled: Sequence[BatchItem]) -> dict[str, int]:
            expired = sum(item.status is ItemStatus.PROCESSING for item in cancelled)
            return {
                "cancelled_items": len(cancelled),
                "processing_items": -expired,
                "committed_micro_usd": -sum(item.reserved_micro_usd for item in cancelled),
            }

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
                **lines_put(self._tables.logs, job_key(owner_id, job_id), [line])["Put"]
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
                    transition_operation(self._tables.items, item, status, now) for item in chunk
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

    def _open_job(self, owner_id: str, job_id: str) -> BatchJob:
        """Read the job; raises ClaimsClosedError if it accepts no claims."""
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._tables.jobs,
                Key=to_wire({"owner_id": owner_id, "job_id": job_id}),
                ConsistentRead=True,
            )
        job = job_of(from_wire(answer["Item"])) if "Item" in answer else None
        if job is None or not job.accepts_claims:
            raise ClaimsClosedError("The job accepts no claims.")
        return job


def _transactions(ended: Sequence[Ended]) -> Iterator[list[Ended]]:
    """Divide what ended into groups that a transaction can hold."""
    group: list[Ended] = []
    characters = 0
    for item, outcome in ended:
        size = len(repr(outcome.conversation)) if outcome.conversation else 0
        if len(group) == _MAX_TOGETHER or (group and characters + size > _MAX_CHARACTERS):
            yield group
            group, characters = [], 0
        group.append((item, outcome))
        characters += size
    if group:
        yield group


def _lease_lost(item: BatchItem) -> LeaseLostError:
    return LeaseLostError(f"Item {item.position} is not leased by this worker any more.")


def _counted(item: BatchItem, outcome: Outcome, now: datetime) -> dict[str, int]:
    """What an outcome adds to the counters of its job, and to what its job spent today."""
    reserved = item.reserved_micro_usd
    return {
        "committed_micro_usd": outcome.cost_micro_usd - reserved if reserved else 0,
        "processing_items": -1,
        **{name: getattr(outcome, name) for name in SUMMED},
        "reused_items": int(outcome.reused),
        spending_attribute(iso(now)[:10], outcome.simulated): outcome.cost_micro_usd,
        **_OUTCOME_COUNTERS[outcome.status],
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
            item_key(item),
            set_to={
                "status": outcome.status.value,
                "updated_at": iso(now),
                **({"reused": True} if outcome.reused else {}),
                **{name: value for name, value in fields.items() if value is not None},
            },
            add={
                name: amount
                for name in ("input_tokens", "output_tokens", "cost_micro_usd")
                if (amount := getattr(outcome, name))
            },
            remove=[
                name for name in dict.fromkeys((*LEASE_FIELDS, *fields)) if fields.get(name) is None
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
    values: Mapping[str, int] | None = None,
    outcomes: Sequence[Outcome] = (),
) -> dict[str, Any]:
    """Add to the counters of an item's job.

    `condition` begins with _OPEN_TO_CLAIMS or is _NOT_ENDED; `values` are what else it names.
    """
    set_to: dict[str, Any] = {"updated_at": iso(now)}
    if any(outcome.simulated for outcome in outcomes):
        set_to["simulated"] = True
    if stop_reasons := [one.stop_reason for one in outcomes if one.stop_reason is not None]:
        set_to["stop_reason"] = stop_reasons[0]
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
            }
            | dict(values or {}),
        )
    }


def _put_operation(table: str, record: Any) -> dict[str, Any]:
    """Store a record whose id is derived from the item."""
    return {"Put": {"TableName": table, "Item": to_wire(row_of(record))}}
