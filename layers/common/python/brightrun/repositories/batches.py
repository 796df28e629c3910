"""Batch jobs in DynamoDB: creating, reading and moving them from status to status."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from brightrun.domain.batch import BatchItem, BatchJob, job_key
from brightrun.domain.batch_log import LogLine
from brightrun.domain.moments import iso
from brightrun.domain.transitions import (
    CLOSING_ACTIONS,
    ENDED_JOBS,
    JOB_TRANSITIONS,
    JobAction,
    JobStatus,
)
from brightrun.errors import ActionNotAllowedError, ConflictError, NotFoundError, StorageError
from brightrun.repositories.batch_rows import BatchTables, item_row, job_of, job_row, line_put
from brightrun.repositories.dynamodb import from_wire, to_wire, translated
from brightrun.repositories.transactions import transact, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_PER_BATCH_WRITE = 25
_PARALLEL_WRITES = 8
_WRITE_ROUNDS = 8
_TRIES = 5
_ENDED_COUNTERS = ("successful_items", "failed_items", "cancelled_items")


class DynamoBatches:
    """ports.BatchRepository; every write states its precondition."""

    def __init__(self, client: DynamoDBClient, tables: BatchTables) -> None:
        self._client = client
        self._tables = tables

    def create(self, job: BatchJob, items: Sequence[BatchItem]) -> None:
        """Store the items, then the job: a job that can be read has all its items.

        Storing the same job again changes nothing: once the job is there, its items are left
        alone. Raises StorageError.
        """
        if self._read(job.owner_id, job.job_id) is not None:
            return
        rows = [item_row(item) for item in items]
        chunks = [rows[i : i + _PER_BATCH_WRITE] for i in range(0, len(rows), _PER_BATCH_WRITE)]
        with ThreadPoolExecutor(_PARALLEL_WRITES) as pool:
            list(pool.map(self._write_chunk, chunks))
        try:
            with translated("PutItem"):
                self._client.put_item(
                    TableName=self._tables.jobs,
                    Item=job_row(job),
                    ConditionExpression="attribute_not_exists(job_id)",
                )
        except ClientError:
            return  # The same request came twice at once; the other one stored the same job.

    def job(self, owner_id: str, job_id: str) -> BatchJob:
        """Read one job, strongly consistent; raises NotFoundError."""
        job = self._read(owner_id, job_id)
        if job is None:
            raise NotFoundError("batch job", job_id)
        return job

    def apply(
        self, owner_id: str, job_id: str, action: JobAction, now: datetime, line: LogLine
    ) -> BatchJob:
        """Move the job as domain.transitions allows, with its log line, and give it as it is then.

        Raises ActionNotAllowedError with the current state, NotFoundError, and ConflictError when
        others keep changing it.
        """
        for _ in range(_TRIES):
            job = self.job(owner_id, job_id)
            target = job.after(action)
            if target is None:
                raise not_allowed(job, action)
            operations = [
                {"Update": self._move(job, action, target, now)},
                line_put(self._tables.logs, job_key(owner_id, job_id), line),
            ]
            if not transact(self._client, operations):
                return self.job(owner_id, job_id)
        raise ConflictError("The job is being changed by others; try again.")

    def _move(
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
            # A retry that puts items back at this moment must not find the job closed over them.
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


def not_allowed(job: BatchJob, action: JobAction) -> ActionNotAllowedError:
    """Say why an action is refused, with the job's state and where the action is possible."""
    allowed = ", ".join(JOB_TRANSITIONS[action])
    verb = action.value.replace("_", " ")
    return ActionNotAllowedError(
        f"The job is {job.status}; {verb} is possible while it is: {allowed}.",
        details={"status": job.status.value, "allowed_in": list(JOB_TRANSITIONS[action])},
    )
