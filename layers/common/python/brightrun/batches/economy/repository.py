"""Open submissions, each an attribute of its own on its job's row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import from_wire, row_of, to_wire, translated
from brightrun.aws.transactions import retry_on_conflict, update
from brightrun.batches.economy.model import Submission
from brightrun.batches.model import BatchJob
from brightrun.core.errors import LeaseLostError, NotFoundError
from brightrun.core.rows import from_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_SUBMISSION = "message_batch_"
"""How the attributes of a job's row begin that are its open submissions."""


class SubmissionRepository(Protocol):
    """The open submissions of jobs. Every method may raise StorageError."""

    def submissions(self, owner_id: str, job_id: str) -> list[Submission]:
        """Read a job's open submissions, oldest first; raises NotFoundError."""

    def change_submission(
        self, job: BatchJob, seen: Submission | None, becomes: Submission | None
    ) -> None:
        """Replace a submission if it is still as `seen`; None: there is none.

        Raises LeaseLostError if another worker has changed it.
        """


class DynamoSubmissions(SubmissionRepository):
    """Submissions in the table of jobs."""

    def __init__(self, client: DynamoDBClient, jobs_table: str) -> None:
        self._client = client
        self._jobs_table = jobs_table

    def submissions(self, owner_id: str, job_id: str) -> list[Submission]:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._jobs_table,
                Key=to_wire({"owner_id": owner_id, "job_id": job_id}),
                ConsistentRead=True,
            )
        if "Item" not in answer:
            raise NotFoundError("batch job", job_id)
        found = _submissions_of(from_wire(answer["Item"]))
        return sorted(found, key=lambda one: (one.created_at, one.submission_id))

    def change_submission(
        self, job: BatchJob, seen: Submission | None, becomes: Submission | None
    ) -> None:
        either = becomes or seen
        if either is None or seen == becomes:
            return
        name = f"{_SUBMISSION}{either.submission_id}"
        request = update(
            self._jobs_table,
            {"owner_id": job.owner_id, "job_id": job.job_id},
            set_to={name: row_of(becomes)} if becomes else None,
            remove=() if becomes else (name,),
            condition=f"#{name} = :seen"
            if seen
            else f"attribute_exists(job_id) AND attribute_not_exists(#{name})",
            values={"seen": row_of(seen)} if seen else None,
        )
        try:
            with translated("UpdateItem"):
                retry_on_conflict(lambda: self._client.update_item(**request))
        except ClientError as error:
            # The client repeats a write whose answer was lost, and is then told that it is done.
            stored = self.submissions(job.owner_id, job.job_id)
            here = [one for one in stored if one.submission_id == either.submission_id]
            if here != ([becomes] if becomes else []):
                raise LeaseLostError("Another worker has the Message Batch.") from error


def _submissions_of(row: Mapping[str, Any]) -> Iterator[Submission]:
    for name, value in row.items():
        if name.startswith(_SUBMISSION):
            yield from_row(Submission, value)
