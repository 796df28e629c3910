"""Claims: how workers take items, keep them and give them back, without a lost or doubled one.

    queued --claim--> processing --conclude--> completed | failed | queued (to be tried again)
                        |    ^
                        +----+ the lease ran out: another worker claims it

A claim, and its end, change the item, the job's counters and the log in one transaction. The
condition of every end is the lease token, so of two workers that hold an item by turns only one
can end it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from brightrun.domain.batch import BatchItem, Lease, job_key
from brightrun.domain.batch_log import LogLine
from brightrun.domain.transitions import ItemStatus
from brightrun.errors import ClaimsClosedError, LeaseLostError
from brightrun.ports import Outcome
from brightrun.repositories import claim_writes
from brightrun.repositories.batch_rows import BatchTables, item_of, job_of, line_put
from brightrun.repositories.dynamodb import from_wire, to_wire, translated
from brightrun.repositories.transactions import (
    MAX_OPERATIONS,
    past_transactions,
    transact,
    update,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_ENDED_COUNTERS = {
    ItemStatus.COMPLETED: {"successful_items": 1},
    ItemStatus.FAILED: {"failed_items": 1},
    ItemStatus.QUEUED: {},
}
_TRIED_AGAIN_COUNTERS = {
    ItemStatus.FAILED: "failed_items",
    ItemStatus.CANCELLED: "cancelled_items",
}


class DynamoClaims:
    """ports.ClaimRepository on the batch tables, and the tables an outcome is written to."""

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
        """Give the next items that no worker was ever given; none when all were given once.

        One atomic ADD on the job's cursor hands each worker positions of its own, so workers never
        meet on the same items and nobody searches for work. Raises ClaimsClosedError.
        """
        request = update(
            self._tables.jobs,
            {"owner_id": owner_id, "job_id": job_id},
            add={"claim_cursor": count},
            condition=f"{claim_writes.OPEN_TO_CLAIMS} AND #claim_cursor < #total_items",
            values={"processing": "processing"},
        )
        try:
            with translated("UpdateItem"):
                answer = past_transactions(
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
        """Lease those of the items that nobody else holds, each with its log line.

        Raises ClaimsClosedError when the job takes no claims.
        """
        pairs = list(zip(items, lines, strict=True))
        while pairs:
            free = sum(item.status is ItemStatus.QUEUED for item, _ in pairs)
            operations = [
                claim_writes.counted(
                    self._tables.jobs,
                    pairs[0][0],
                    {"processing_items": free},
                    now,
                    only_while=claim_writes.OPEN_TO_CLAIMS,
                ),
                *(claim_writes.taken(self._tables.items, item, lease, now) for item, _ in pairs),
            ]
            operations += [line_put(self._tables.logs, item.job_key, line) for item, line in pairs]
            failed = transact(self._client, operations)
            if not failed:
                return [claim_writes.leased(item, lease) for item, _ in pairs]
            if 0 in failed:
                raise ClaimsClosedError("The job takes no claims now.")
            pairs = [pair for index, pair in enumerate(pairs, start=1) if index not in failed]
        return []

    def renew(self, item: BatchItem, lease: Lease) -> None:
        """Make a held lease last longer; raises LeaseLostError."""
        request = update(
            self._tables.items,
            claim_writes.item_key(item),
            set_to={"lease_expires_at": lease.expires_at},
            condition="#status = :processing AND #lease_token = :token",
            values={"processing": "processing", "token": lease.token},
        )
        try:
            with translated("UpdateItem"):
                self._client.update_item(**request)
        except ClientError as error:
            raise LeaseLostError(f"Item {item.position} is no longer ours.") from error

    def conclude(self, item: BatchItem, outcome: Outcome, now: datetime) -> None:
        """End the hold on an item; raises LeaseLostError when it is another's by now.

        The item, the counters, the log, and the conversation or the failure are one transaction:
        a conversation is listed exactly when its item is completed.
        """
        counters = {
            "processing_items": -1,
            "input_tokens": outcome.input_tokens,
            "output_tokens": outcome.output_tokens,
            "cost_micro_usd": outcome.cost_micro_usd,
            **_ENDED_COUNTERS[outcome.status],
        }
        operations = [
            claim_writes.ended(self._tables.items, item, outcome, now),
            claim_writes.counted(self._tables.jobs, item, counters, now, outcome=outcome),
            *(line_put(self._tables.logs, item.job_key, line) for line in outcome.lines),
        ]
        if outcome.conversation is not None:
            operations.append(claim_writes.stored(self._conversations, outcome.conversation))
        if outcome.failure is not None:
            operations.append(claim_writes.stored(self._failures, outcome.failure))
        if transact(self._client, operations):
            raise LeaseLostError(f"Item {item.position} is no longer ours.")

    def cancel_items(self, items: Sequence[BatchItem], now: datetime) -> int:
        """Cancel those of the items that nobody holds; gives their number."""

        def counters(held: Sequence[BatchItem]) -> dict[str, int]:
            orphans = sum(item.status is ItemStatus.PROCESSING for item in held)
            return {"cancelled_items": len(held), "processing_items": -orphans}

        return self._move_all(items, now, ItemStatus.CANCELLED, counters, None)

    def put_back(self, items: Sequence[BatchItem], now: datetime) -> int:
        """Queue failed or cancelled items again, as a new generation; gives their number.

        Raises ClaimsClosedError when the job is neither processing nor paused.
        """

        def counters(ended: Sequence[BatchItem]) -> dict[str, int]:
            return {
                name: -sum(item.status is status for item in ended)
                for status, name in _TRIED_AGAIN_COUNTERS.items()
            }

        return self._move_all(items, now, ItemStatus.QUEUED, counters, claim_writes.NOT_ENDED)

    def write_line(self, owner_id: str, job_id: str, line: LogLine) -> None:
        """Append a line to the job's log."""
        with translated("PutItem"):
            self._client.put_item(
                **line_put(self._tables.logs, job_key(owner_id, job_id), line)["Put"]
            )

    def _move_all(
        self,
        items: Sequence[BatchItem],
        now: datetime,
        status: ItemStatus,
        counters: Callable[[Sequence[BatchItem]], Mapping[str, int]],
        only_while: str | None,
    ) -> int:
        """Move items in transactions of as many as fit, leaving out those that have changed."""
        moved = 0
        for start in range(0, len(items), MAX_OPERATIONS - 1):
            chunk = list(items[start : start + MAX_OPERATIONS - 1])
            while chunk:
                job = claim_writes.counted(
                    self._tables.jobs, chunk[0], counters(chunk), now, only_while=only_while
                )
                changes = [
                    claim_writes.moved(self._tables.items, item, status, now) for item in chunk
                ]
                failed = transact(self._client, [job, *changes])
                if not failed:
                    moved += len(chunk)
                    break
                if 0 in failed:
                    raise ClaimsClosedError("The job has ended meanwhile.")
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
        if "Item" not in answer or not job_of(from_wire(answer["Item"])).takes_claims:
            raise ClaimsClosedError("The job takes no claims now.")
