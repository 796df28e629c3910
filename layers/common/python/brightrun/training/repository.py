"""Training jobs, their metrics and their events in DynamoDB."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.budgets import DynamoBudgets
from brightrun.aws.dynamodb import from_wire, query_page, row_of, to_wire, translated
from brightrun.aws.transactions import transact, update
from brightrun.core.errors import (
    DatasetNotReadyError,
    DuplicateKeyError,
    NotFoundError,
    StorageError,
)
from brightrun.core.pages import Page
from brightrun.core.rows import from_row
from brightrun.notifications.model import Notification
from brightrun.notifications.repository import notification_put
from brightrun.training.adapters.model import ModelArtifact
from brightrun.training.costs.model import CostRecord
from brightrun.training.model import (
    MetricsPoint,
    TrainingEvent,
    TrainingJob,
    job_key,
    read_training_job,
    version_conflict,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class TrainingJobRepository(Protocol):
    """Training jobs; each write changes all that must change with them in one transaction.

    Every method raises StorageError.
    """

    def create(self, job: TrainingJob, notification: Notification) -> None:
        """Store a new job and its notification, and add one to its dataset's `active_jobs`.

        What the job reserves of the budgets is reserved with it. Raises DuplicateKeyError when the
        id is in use, DatasetNotReadyError when the dataset was deleted or is no longer ready, and
        BudgetExceededError.
        """

    def job(self, owner_id: str, job_id: str) -> TrainingJob:
        """Read one job, strongly consistent; raises NotFoundError."""

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[TrainingJob]:
        """List an owner's jobs, newest first.

        A page filtered by status may be short, or empty, and still have a cursor: the rows that
        one request reads are limited.
        """

    def replace(
        self, job: TrainingJob, seen_version: int, notification: Notification | None = None
    ) -> None:
        """Replace a job whose stored version is `seen_version` and whose bill is open.

        The stored version is one higher. Raises VersionConflictError with the stored state in its
        details, NotFoundError.
        """

    def close_billing(
        self,
        job: TrainingJob,
        seen_version: int,
        *,
        cost: CostRecord,
        notifications: Sequence[Notification],
        model: ModelArtifact | None,
    ) -> None:
        """Store a job's end, cost record, notifications and model, and count it off its dataset.

        What it holds of the budgets is replaced by what it cost.
        The stored job is settled, names its cost record and its model, if it has one, and is one
        version higher. Raises VersionConflictError, NotFoundError.
        """

    def open_jobs(self) -> Iterator[TrainingJob]:
        """All owners' jobs whose bill is open, oldest first; for the sweep alone.

        One that was created within the last second may be missing.
        """


_JOB, _DATASET = 0, 1
"""Index of the job's own write, and of its dataset's, in the transactions below."""
BY_OPEN_BILL = "by_open_bill"
"""The index of the jobs whose bill is open: the others have no such attribute. It holds keys alone,
so that it is written when a job is created and when its bill is closed, and never between."""
_OPEN_BILL = {"open_bill": "open"}
_READS = 8
"""Most pages of 1 MB that one filtered request reads: some 1,000 jobs."""


@dataclass(frozen=True, slots=True)
class TrainingTables:
    """The tables that a job's writes reach; a function names those that it writes to."""

    jobs: str
    datasets: str = ""
    notifications: str = ""
    cost_records: str = ""
    models: str = ""


class DynamoTrainingJobs(TrainingJobRepository):
    """Training jobs in one table; ids are time-ordered, so that listing by id lists by age."""

    def __init__(
        self, client: DynamoDBClient, tables: TrainingTables, budgets: DynamoBudgets | None = None
    ) -> None:
        self._client = client
        self._tables = tables
        self._budgets = budgets or DynamoBudgets(client)

    def create(self, job: TrainingJob, notification: Notification) -> None:
        failed = transact(
            self._client,
            [
                self._put_job(job, "attribute_not_exists(job_id)"),
                self._count(job, 1, "#status = :ready", {"ready": "ready"}),
                notification_put(self._tables.notifications, notification),
                *self._budgets.reserving(job.reservation),
            ],
        )
        if _JOB in failed:
            raise DuplicateKeyError(
                f"A training job with the id '{job.job_id}' exists.",
                details={"job_id": job.job_id},
            )
        if _DATASET in failed:
            raise DatasetNotReadyError(
                f"The dataset '{job.dataset_name}' was deleted or is being validated again; "
                "try again when its status is ready.",
                details={"dataset_id": job.dataset_id},
            )
        if failed and job.reservation:
            raise self._budgets.refused(job.reservation)

    def job(self, owner_id: str, job_id: str) -> TrainingJob:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._tables.jobs,
                Key=to_wire({"owner_id": owner_id, "job_id": job_id}),
                ConsistentRead=True,
            )
        if "Item" not in answer:
            raise NotFoundError("training job", job_id)
        return read_training_job(from_wire(answer["Item"]))

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[TrainingJob]:
        request: dict[str, Any] = {}
        values = {":owner": owner_id}
        if status is not None:
            values[":status"] = status
            request["FilterExpression"] = "#status = :status"
            request["ExpressionAttributeNames"] = {"#status": "status"}
        rows, following = query_page(
            self._client,
            limit=limit,
            cursor=cursor,
            partition=("owner_id", owner_id),
            key_attributes=("owner_id", "job_id"),
            most_reads=_READS,
            TableName=self._tables.jobs,
            ScanIndexForward=False,
            KeyConditionExpression="owner_id = :owner",
            ExpressionAttributeValues=to_wire(values),
            **request,
        )
        return Page(tuple(read_training_job(row) for row in rows), following)

    def replace(
        self, job: TrainingJob, seen_version: int, notification: Notification | None = None
    ) -> None:
        stored = dataclasses.replace(job, version=seen_version + 1)
        steps = [self._overwrite(stored, seen_version)]
        if notification is not None:
            steps.append(notification_put(self._tables.notifications, notification))
        if transact(self._client, steps):
            raise version_conflict(self.job(job.owner_id, job.job_id))

    def close_billing(
        self,
        job: TrainingJob,
        seen_version: int,
        *,
        cost: CostRecord,
        notifications: Sequence[Notification],
        model: ModelArtifact | None,
    ) -> None:
        stored = closed(job, seen_version, cost, model)
        models = [] if model is None else [_put(self._tables.models, model)]
        failed = transact(
            self._client,
            [
                self._overwrite(stored, seen_version),
                self._count(job, -1, "attribute_exists(dataset_id)"),
                _put(self._tables.cost_records, cost),
                *(notification_put(self._tables.notifications, one) for one in notifications),
                *models,
                *self._budgets.settling(job.reservation, cost.micro_usd),
            ],
        )
        if _JOB in failed:
            raise version_conflict(self.job(job.owner_id, job.job_id))
        if failed:
            raise StorageError("TransactWriteItems", "the job's dataset is gone")

    def open_jobs(self) -> Iterator[TrainingJob]:
        """All owners' jobs whose bill is open: their keys by the index, then each one's row.

        What it reads grows with the open jobs, not with those that have ended.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._tables.jobs,
            IndexName=BY_OPEN_BILL,
            KeyConditionExpression="open_bill = :open_bill",
            ExpressionAttributeValues={":open_bill": {"S": _OPEN_BILL["open_bill"]}},
        )
        with translated("Query"):
            keys = [from_wire(row) for page in pages for row in page["Items"]]
        jobs = (self.job(key["owner_id"], key["job_id"]) for key in keys)
        yield from (job for job in jobs if not job.settled)

    def _overwrite(self, job: TrainingJob, seen_version: int) -> dict[str, Any]:
        return self._put_job(
            job,
            "#version = :seen AND #settled = :open",
            ExpressionAttributeNames={"#version": "version", "#settled": "settled"},
            ExpressionAttributeValues=to_wire({":seen": seen_version, ":open": False}),
        )

    def _put_job(self, job: TrainingJob, condition: str, **expressions: Any) -> dict[str, Any]:
        """Store a job's row, which is in the index as long as its bill is open."""
        row = row_of(job) if job.settled else {**row_of(job), **_OPEN_BILL}
        request = {
            "TableName": self._tables.jobs,
            "Item": to_wire(row),
            "ConditionExpression": condition,
            **expressions,
        }
        return {"Put": request}

    def _count(
        self,
        job: TrainingJob,
        change: int,
        condition: str,
        values: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Change the number of the dataset's jobs that have not ended."""
        key = {"owner_id": job.owner_id, "dataset_id": job.dataset_id}
        return {
            "Update": update(
                self._tables.datasets,
                key,
                add={"active_jobs": change},
                condition=condition,
                values=values,
            )
        }


def closed(
    job: TrainingJob, seen_version: int, cost: CostRecord, model: ModelArtifact | None
) -> TrainingJob:
    """A job whose bill is closed, as it is stored."""
    return dataclasses.replace(
        job,
        version=seen_version + 1,
        settled=True,
        cost_record_id=cost.record_id,
        model_id=None if model is None else model.model_id,
    )


def _put(table: str, record: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": to_wire(row_of(record))}}


class TrainingRecords(Protocol):
    """A job's metrics and events; every method raises StorageError."""

    def add_points(self, job: TrainingJob, points: Sequence[MetricsPoint]) -> None:
        """Store points; writing the same ones again changes nothing."""

    def points(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[MetricsPoint]:
        """List a job's points in the order of the run."""

    def latest_points(self, owner_id: str, job_id: str, limit: int) -> list[MetricsPoint]:
        """The last points of a job, in the order of the run."""

    def add_event(self, job: TrainingJob, event: TrainingEvent) -> None:
        """Store an event; writing the same one again changes nothing."""

    def events(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingEvent]:
        """List a job's events, oldest first."""


_PER_BATCH_WRITE = 25
_WRITE_ROUNDS = 8
_DIGITS = 10
"""Digits of a point's key, padded so that keys sort as text like numbers."""


class DynamoTrainingRecords(TrainingRecords):
    """Metrics and events in a table each, partitioned by job."""

    def __init__(self, client: DynamoDBClient, metrics_table: str, events_table: str) -> None:
        self._client = client
        self._metrics_table = metrics_table
        self._events_table = events_table

    def add_points(self, job: TrainingJob, points: Sequence[MetricsPoint]) -> None:
        key = job_key(job.owner_id, job.job_id)
        rows = [
            to_wire({"job_key": key, "point_id": f"{one.sequence:0{_DIGITS}}", **row_of(one)})
            for one in points
        ]
        for start in range(0, len(rows), _PER_BATCH_WRITE):
            self._write(rows[start : start + _PER_BATCH_WRITE])

    def points(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[MetricsPoint]:
        rows, following = self._page(
            self._metrics_table, "point_id", job_key(owner_id, job_id), limit, cursor
        )
        return Page(tuple(from_row(MetricsPoint, row) for row in rows), following)

    def latest_points(self, owner_id: str, job_id: str, limit: int) -> list[MetricsPoint]:
        with translated("Query"):
            answer = self._client.query(
                TableName=self._metrics_table,
                KeyConditionExpression="job_key = :job",
                ExpressionAttributeValues=to_wire({":job": job_key(owner_id, job_id)}),
                ScanIndexForward=False,
                Limit=limit,
            )
        return [from_row(MetricsPoint, from_wire(row)) for row in reversed(answer["Items"])]

    def add_event(self, job: TrainingJob, event: TrainingEvent) -> None:
        row = {"job_key": job_key(job.owner_id, job.job_id), **row_of(event)}
        with translated("PutItem"):
            self._client.put_item(TableName=self._events_table, Item=to_wire(row))

    def events(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingEvent]:
        rows, following = self._page(
            self._events_table, "event_id", job_key(owner_id, job_id), limit, cursor
        )
        return Page(tuple(from_row(TrainingEvent, row) for row in rows), following)

    def _page(
        self, table: str, sort_key: str, key: str, limit: int, cursor: str | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        return query_page(
            self._client,
            limit=limit,
            cursor=cursor,
            partition=("job_key", key),
            key_attributes=("job_key", sort_key),
            TableName=table,
            KeyConditionExpression="job_key = :job",
            ExpressionAttributeValues=to_wire({":job": key}),
        )

    def _write(self, rows: list[dict[str, Any]]) -> None:
        pending: Any = {self._metrics_table: [{"PutRequest": {"Item": row}} for row in rows]}
        for _ in range(_WRITE_ROUNDS):
            with translated("BatchWriteItem"):
                pending = self._client.batch_write_item(RequestItems=pending)["UnprocessedItems"]
            if not pending:
                return
        raise StorageError("BatchWriteItem", "the table has no capacity for the points")
