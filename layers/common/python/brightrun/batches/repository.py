"""Batch jobs, their items and their log lines in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, query_page, row_of, to_wire, translated
from brightrun.aws.transactions import transact, update
from brightrun.batches.log import LogLine
from brightrun.batches.model import (
    CLOSING_ACTIONS,
    ENDED_JOBS,
    JOB_TRANSITIONS,
    BatchItem,
    BatchJob,
    ItemStatus,
    JobAction,
    JobStatus,
    job_key,
)
from brightrun.core.errors import ActionNotAllowedError, ConflictError, NotFoundError, StorageError
from brightrun.core.pages import Page
from brightrun.core.rows import from_row
from brightrun.core.timestamps import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class BatchRepository(Protocol):
    """Batch jobs with their items and log lines. Every method may raise StorageError."""

    def create(self, job: BatchJob, items: Sequence[BatchItem]) -> None:
        """Store the items, then the job: a job that can be read has all its items.

        A job that exists already is left as it is, with its items.
        """

    def job(self, owner_id: str, job_id: str) -> BatchJob:
        """Read one job, strongly consistent; raises NotFoundError."""

    def apply(
        self, owner_id: str, job_id: str, action: JobAction, now: datetime, line: LogLine
    ) -> BatchJob:
        """Change the job's status as JOB_TRANSITIONS allows, and write the log line with it.

        Returns the job after the change. Raises NotFoundError, ActionNotAllowedError if the job's
        status does not allow the action, ConflictError if concurrent changes keep interfering.
        """

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchJob]:
        """List an owner's jobs, newest first."""

    def items(
        self, owner_id: str, job_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchItem]:
        """List a job's items by position."""

    def log(self, owner_id: str, job_id: str, *, limit: int, cursor: str | None) -> Page[LogLine]:
        """List a job's log lines, oldest first."""

    def open_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        """Read all queued and processing items by position, strongly consistent."""

    def retryable_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        """Read all failed and cancelled items by position, strongly consistent."""


@dataclass(frozen=True, slots=True)
class BatchTables:
    """The names of the three tables; `logs` is not needed to create jobs."""

    jobs: str
    items: str
    logs: str = ""


def job_of(row: Mapping[str, Any]) -> BatchJob:
    """Read a job's row."""
    return from_row(BatchJob, {**row, "status": JobStatus(row["status"])})


def item_of(row: Mapping[str, Any]) -> BatchItem:
    """Read an item's row."""
    return from_row(BatchItem, {**row, "status": ItemStatus(row["status"])})


def _line_of(row: Mapping[str, Any]) -> LogLine:
    """Read a log line's row."""
    return from_row(LogLine, row)


def _job_row(job: BatchJob) -> dict[str, Any]:
    """Write a job's row."""
    return to_wire({**row_of(job), "status": job.status.value})


def _item_row(item: BatchItem) -> dict[str, Any]:
    """Write an item's row."""
    return to_wire({**row_of(item), "status": item.status.value})


def line_put(table: str, job_key: str, line: LogLine) -> dict[str, Any]:
    """The operation that appends a log line; an entry is never overwritten."""
    return {
        "Put": {
            "TableName": table,
            "Item": to_wire({"job_key": job_key, **row_of(line)}),
            "ConditionExpression": "attribute_not_exists(entry_id)",
        }
    }


def job_key_parts(job_key: str) -> dict[str, str]:
    """Split a `job_key` into the primary key of its job."""
    owner_id, _, job_id = job_key.rpartition("#")
    return {"owner_id": owner_id, "job_id": job_id}


def not_allowed(job: BatchJob, action: JobAction) -> ActionNotAllowedError:
    """The error for an action that the job's status does not allow, naming those that do."""
    allowed = ", ".join(JOB_TRANSITIONS[action])
    verb = action.value.replace("_", " ")
    return ActionNotAllowedError(
        f"The job is {job.status}; {verb} is possible while it is: {allowed}.",
        details={"status": job.status.value, "allowed_in": list(JOB_TRANSITIONS[action])},
    )


_PER_BATCH_WRITE = 25
_PARALLEL_WRITES = 8
_WRITE_ROUNDS = 8
_TRIES = 5
_ENDED_COUNTERS = ("successful_items", "failed_items", "cancelled_items")


class DynamoBatches(BatchRepository):
    """Three tables; every write is conditional on the state that was read."""

    def __init__(self, client: DynamoDBClient, tables: BatchTables) -> None:
        self._client = client
        self._tables = tables

    def create(self, job: BatchJob, items: Sequence[BatchItem]) -> None:
        if self._read(job.owner_id, job.job_id) is not None:
            return
        rows = [_item_row(item) for item in items]
        chunks = [rows[i : i + _PER_BATCH_WRITE] for i in range(0, len(rows), _PER_BATCH_WRITE)]
        with ThreadPoolExecutor(_PARALLEL_WRITES) as pool:
            list(pool.map(self._write_chunk, chunks))
        try:
            with translated("PutItem"):
                self._client.put_item(
                    TableName=self._tables.jobs,
                    Item=_job_row(job),
                    ConditionExpression="attribute_not_exists(job_id)",
                )
        except ClientError:
            return  # A concurrent repetition of the request has stored the same job.

    def job(self, owner_id: str, job_id: str) -> BatchJob:
        job = self._read(owner_id, job_id)
        if job is None:
            raise NotFoundError("batch job", job_id)
        return job

    def apply(
        self, owner_id: str, job_id: str, action: JobAction, now: datetime, line: LogLine
    ) -> BatchJob:
        for _ in range(_TRIES):
            job = self.job(owner_id, job_id)
            target = job.after(action)
            if target is None:
                raise not_allowed(job, action)
            operations = [
                {"Update": self._transition(job, action, target, now)},
                line_put(self._tables.logs, job_key(owner_id, job_id), line),
            ]
            if not transact(self._client, operations):
                return self.job(owner_id, job_id)
        raise ConflictError("The job keeps changing; try again.")

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchJob]:
        newest_first = {"TableName": self._tables.jobs, "ScanIndexForward": False}
        key = ("owner_id", owner_id)
        rows, following = self._page(newest_first, key, "job_id", status, limit, cursor)
        return Page(tuple(job_of(row) for row in rows), following)

    def items(
        self, owner_id: str, job_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchItem]:
        request = {"TableName": self._tables.items, "ConsistentRead": True}
        key = ("job_key", job_key(owner_id, job_id))
        rows, following = self._page(request, key, "position", status, limit, cursor)
        return Page(tuple(item_of(row) for row in rows), following)

    def log(self, owner_id: str, job_id: str, *, limit: int, cursor: str | None) -> Page[LogLine]:
        request = {"TableName": self._tables.logs, "ConsistentRead": True}
        key = ("job_key", job_key(owner_id, job_id))
        rows, following = self._page(request, key, "entry_id", None, limit, cursor)
        return Page(tuple(_line_of(row) for row in rows), following)

    def open_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        return self._items_in(owner_id, job_id, ("queued", "processing"))

    def retryable_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        return self._items_in(owner_id, job_id, ("failed", "cancelled"))

    def _transition(
        self, job: BatchJob, action: JobAction, target: JobStatus, now: datetime
    ) -> dict[str, Any]:
        set_to: dict[str, Any] = {"status": target.value, "updated_at": iso(now)}
        remove: list[str] = []
        if target is JobStatus.PROCESSING and job.started_at is None:
            set_to["started_at"] = iso(now)
        if action in {JobAction.RESUME, JobAction.RETRY_FAILED, JobAction.CANCEL}:
            set_to["run"] = job.run + 1
        if action is JobAction.RETRY_FAILED:
            remove = ["completed_at", "stop_reason"]
        if target in ENDED_JOBS:
            set_to["completed_at"] = iso(now)
        seen: dict[str, Any] = {"status": job.status.value, "run": job.run}
        if action in CLOSING_ACTIONS:
            # A concurrent retry that requeues items must not end up with a closed job.
            seen |= {name: getattr(job, name) for name in _ENDED_COUNTERS}
        return update(
            self._tables.jobs,
            {"owner_id": job.owner_id, "job_id": job.job_id},
            set_to=set_to,
            remove=remove,
            condition=" AND ".join(f"#{name} = :seen_{name}" for name in seen),
            values={f"seen_{name}": value for name, value in seen.items()},
        )

    def _read(self, owner_id: str, job_id: str) -> BatchJob | None:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._tables.jobs,
                Key=to_wire({"owner_id": owner_id, "job_id": job_id}),
                ConsistentRead=True,
            )
        return job_of(from_wire(answer["Item"])) if "Item" in answer else None

    def _write_chunk(self, rows: list[dict[str, Any]]) -> None:
        table = self._tables.items
        pending: Any = {table: [{"PutRequest": {"Item": row}} for row in rows]}
        for _ in range(_WRITE_ROUNDS):
            with translated("BatchWriteItem"):
                pending = self._client.batch_write_item(RequestItems=pending)["UnprocessedItems"]
            if not pending:
                return
        raise StorageError("BatchWriteItem", "the table keeps refusing rows for lack of capacity")

    def _page(
        self,
        request: dict[str, Any],
        key: tuple[str, str],
        sort: str,
        status: str | None,
        limit: int,
        cursor: str | None,
    ) -> tuple[list[dict[str, Any]], str | None]:
        partition, value = key
        names, values = {"#partition": partition}, {":partition": value}
        if status is not None:
            request["FilterExpression"] = "#status = :status"
            names["#status"], values[":status"] = "status", status
        return query_page(
            self._client,
            limit=limit,
            cursor=cursor,
            partition=(partition, value),
            key_attributes=(partition, sort),
            KeyConditionExpression="#partition = :partition",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=to_wire(values),
            **request,
        )

    def _items_in(
        self, owner_id: str, job_id: str, statuses: tuple[str, str]
    ) -> Iterator[BatchItem]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._tables.items,
            ConsistentRead=True,
            KeyConditionExpression="job_key = :key",
            FilterExpression="#status IN (:one, :other)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=to_wire(
                {":key": job_key(owner_id, job_id), ":one": statuses[0], ":other": statuses[1]}
            ),
        )
        with translated("Query"):
            for page in pages:
                for row in page["Items"]:
                    yield item_of(from_wire(row))
