"""Training jobs in DynamoDB, each written together with what must change in the same moment."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brightrun.domain.model_artifact import ModelArtifact
from brightrun.domain.notification import Notification
from brightrun.domain.pages import Page
from brightrun.domain.training_job import TrainingJob, overtaken, read_training_job
from brightrun.domain.training_records import CostRecord
from brightrun.errors import DuplicateKeyError, NotFoundError, StorageError
from brightrun.errors.training import DatasetNotReadyError
from brightrun.repositories.dynamodb import (
    decode_cursor,
    from_wire,
    query_page,
    row_of,
    to_wire,
    translated,
)
from brightrun.repositories.notifications import telling
from brightrun.repositories.transactions import transact, update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_JOB = 0
"""The place of the job's own write in the transactions below; any other is the dataset's."""

_READS = 8
"""Pages of 1 MB that one filtered request reads at most: some 1,000 jobs."""


@dataclass(frozen=True, slots=True)
class TrainingTables:
    """The tables that a job's writes reach; a function names those that it writes to."""

    jobs: str
    datasets: str = ""
    notifications: str = ""
    cost_records: str = ""
    models: str = ""


class DynamoTrainingJobs:
    """ports.training.TrainingJobRepository; ids are time-ordered, so listing by id lists by age."""

    def __init__(self, client: DynamoDBClient, tables: TrainingTables) -> None:
        self._client = client
        self._tables = tables

    def create(self, job: TrainingJob, notification: Notification) -> None:
        """Store a new job, count it on its dataset and tell its owner, in one transaction.

        Raises DuplicateKeyError, DatasetNotReadyError, StorageError.
        """
        failed = transact(
            self._client,
            [
                _put(self._tables.jobs, job, "attribute_not_exists(job_id)"),
                self._count(job, 1, "#status = :ready", {"ready": "ready"}),
                telling(self._tables.notifications, notification),
            ],
        )
        if _JOB in failed:
            raise DuplicateKeyError(
                f"There is a training job with the id '{job.job_id}' already.",
                details={"job_id": job.job_id},
            )
        if failed:
            raise DatasetNotReadyError(
                f"The dataset '{job.dataset_name}' was deleted or validated anew in the meantime; "
                "look at its status and try again when it is ready.",
                details={"dataset_id": job.dataset_id},
            )

    def job(self, owner_id: str, job_id: str) -> TrainingJob:
        """Read one row, strongly consistent; raises NotFoundError."""
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
        """List an owner's jobs, newest first.

        A filtered page may be short, or empty, and still have a cursor: see query_page.
        """
        request: dict[str, Any] = {}
        values = {":owner": owner_id}
        if status is not None:
            values[":status"] = status
            request["FilterExpression"] = "#status = :status"
            request["ExpressionAttributeNames"] = {"#status": "status"}
        if start := decode_cursor(cursor, owner_id=owner_id):
            request["ExclusiveStartKey"] = start
        rows, following = query_page(
            self._client,
            limit=limit,
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
        """Store a row in the place of the version that was seen, not one that is settled.

        Raises VersionConflictError, NotFoundError, StorageError.
        """
        told = [] if notification is None else [telling(self._tables.notifications, notification)]
        stored = dataclasses.replace(job, version=seen_version + 1)
        if transact(self._client, [self._overwrite(stored, seen_version), *told]):
            raise overtaken(self.job(job.owner_id, job.job_id))

    def settle(
        self,
        job: TrainingJob,
        seen_version: int,
        *,
        cost: CostRecord,
        notifications: Sequence[Notification],
        model: ModelArtifact | None,
    ) -> None:
        """Close a job for good: its row, its cost record, its dataset's count, its model, in one.

        Raises VersionConflictError, NotFoundError, StorageError.
        """
        stored = closed(job, seen_version, cost, model)
        made = [] if model is None else [_put(self._tables.models, model)]
        failed = transact(
            self._client,
            [
                self._overwrite(stored, seen_version),
                self._count(job, -1, "attribute_exists(dataset_id)"),
                _put(self._tables.cost_records, cost),
                *(telling(self._tables.notifications, one) for one in notifications),
                *made,
            ],
        )
        if _JOB in failed:
            raise overtaken(self.job(job.owner_id, job.job_id))
        if failed:
            raise StorageError("TransactWriteItems", "the job's dataset is gone")

    def _overwrite(self, job: TrainingJob, seen_version: int) -> dict[str, Any]:
        return _put(
            self._tables.jobs,
            job,
            "#version = :seen AND #settled = :open",
            names={"#version": "version", "#settled": "settled"},
            values={":seen": seen_version, ":open": False},
        )

    def _count(
        self,
        job: TrainingJob,
        change: int,
        condition: str,
        values: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Count the job among those of its dataset that have not ended."""
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
    """The row of a job whose bill is closed, as it is stored."""
    return dataclasses.replace(
        job,
        version=seen_version + 1,
        settled=True,
        cost_record_id=cost.record_id,
        model_id=None if model is None else model.model_id,
    )


def _put(
    table: str,
    record: Any,
    condition: str | None = None,
    *,
    names: dict[str, str] | None = None,
    values: dict[str, Any] | None = None,
) -> dict[str, Any]:
    request: dict[str, Any] = {"TableName": table, "Item": to_wire(row_of(record))}
    if condition is not None:
        request["ConditionExpression"] = condition
    if names and values:
        request["ExpressionAttributeNames"] = names
        request["ExpressionAttributeValues"] = to_wire(values)
    return {"Put": request}
