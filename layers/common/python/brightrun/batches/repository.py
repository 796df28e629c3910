"""Batch jobs, their items and their log lines in DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.budgets import DynamoBudgets
from brightrun.aws.dynamodb import (
    MAX_BATCH_WRITE,
    from_wire,
    query_page,
    row_of,
    to_wire,
    translated,
    write_rows,
)
from brightrun.aws.transactions import transact, update
from brightrun.batches.economy.repository import DynamoSubmissions, SubmissionRepository
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
    Quote,
    TokensUsed,
    job_key,
)
from brightrun.core.budgets import Reservation
from brightrun.core.errors import ActionNotAllowedError, ConflictError, NotFoundError
from brightrun.core.pages import Page
from brightrun.core.rows import from_row
from brightrun.core.timestamps import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class BatchRepository(SubmissionRepository, Protocol):
    """Batch jobs, their items, submissions and log. Every method may raise StorageError."""

    def create(self, job: BatchJob, items: Sequence[BatchItem]) -> None:
        """Store the items, then the job: a job that can be read has all its items.

        A job that exists already is left as it is, with its items. What the job reserves of the
        budgets is reserved with it; raises BudgetExceededError, and leaves nothing behind.
        """

    def job(self, owner_id: str, job_id: str) -> BatchJob:
        """Read one job, strongly consistent; raises NotFoundError."""

    def apply(
        self,
        owner_id: str,
        job_id: str,
        action: JobAction,
        now: datetime,
        line: LogLine,
        used: Sequence[TokensUsed] = (),
        reopen: Callable[[BatchJob], BatchJob] | None = None,
    ) -> BatchJob:
        """Change the job's status as JOB_TRANSITIONS allows, and write the log line with it.

        `used` is for completing a job. A job that closes gives back what it did not spend of its
        budgets; one that had done so reserves anew as `reopen` says. Returns the job after the
        change. Raises NotFoundError, ActionNotAllowedError if the job's status does not allow the
        action, BudgetExceededError, ConflictError if concurrent changes keep interfering.
        """

    def raise_cap(self, job: BatchJob, micro_usd: int, now: datetime, line: LogLine) -> None:
        """Set a job's cap, and write the log line with it; one that is higher already stays.

        A job that holds a part of the budgets reserves as much more. Raises ActionNotAllowedError
        if the job has no cap, BudgetExceededError, ConflictError if the job keeps changing.
        """

    def close_budgets(self, job: BatchJob) -> None:
        """Replace what an ended job holds of the budgets by what it has spent; safe to repeat.

        For a cancelled job, whose calls in flight end after it; others have closed with it.
        Nothing changes if the job has been reopened since it was read.
        """

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchJob]:
        """List an owner's jobs, newest first; a page of one status may be short and go on."""

    def items(
        self, owner_id: str, job_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchItem]:
        """List a job's items by position; a page of one status may be short and go on."""

    def log(self, owner_id: str, job_id: str, *, limit: int, cursor: str | None) -> Page[LogLine]:
        """List a job's log lines, oldest first within a page.

        Lines of items that were claimed or ended together are one entry of the page's `limit`.
        """

    def ended_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        """Read all completed and failed items by position, strongly consistent."""

    def open_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        """Read all queued and processing items by position, strongly consistent."""

    def retryable_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        """Read all failed and cancelled items by position, strongly consistent."""


_READS = 8
"""Most pages of 1,000 rows or 1 MB that one filtered request reads."""


@dataclass(frozen=True, slots=True)
class BatchTables:
    """The names of the three tables; `logs` is not needed to create jobs."""

    jobs: str
    items: str
    logs: str = ""


def job_of(row: Mapping[str, Any]) -> BatchJob:
    """Read a job's row."""
    nested: dict[str, Any] = {
        "used": tuple(from_row(TokensUsed, one) for one in row.get("used", ()))
    }
    if "quote" in row:
        nested["quote"] = from_row(Quote, row["quote"])
    return from_row(BatchJob, {**row, **nested, "status": JobStatus(row["status"])})


def item_of(row: Mapping[str, Any]) -> BatchItem:
    """Read an item's row."""
    return from_row(BatchItem, {**row, "status": ItemStatus(row["status"])})


def _lines_of(row: Mapping[str, Any]) -> list[LogLine]:
    """Read the lines of a row; one of an earlier version is a line itself."""
    return [from_row(LogLine, line) for line in row.get("lines", [row])]


def _job_row(job: BatchJob) -> dict[str, Any]:
    """Write a job's row, without what is counted only in some jobs and was not yet."""
    row = {**row_of(job), "status": job.status.value}
    return to_wire({n: v for n, v in row.items() if v or not n.startswith(("used", "cache_"))})


def _item_row(item: BatchItem) -> dict[str, Any]:
    """Write an item's row."""
    return to_wire({**row_of(item), "status": item.status.value})


def lines_put(table: str, job_key: str, lines: Sequence[LogLine]) -> dict[str, Any]:
    """The operation that appends log lines as one row; a row is never overwritten."""
    row = {
        "job_key": job_key,
        "entry_id": lines[0].entry_id,
        "lines": [row_of(line) for line in lines],
    }
    return {
        "Put": {
            "TableName": table,
            "Item": to_wire(row),
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


REOPENED = (
    "budget_month",
    "budget_reserved_micro_usd",
    "budget_spent_micro_usd",
    "item_bound_micro_usd",
    "max_cost_micro_usd",
    "committed_micro_usd",
)
"""What changes with a job that reserves anew."""


def reserves_anew(job: BatchJob, action: JobAction) -> bool:
    """Whether an action opens a job again that has given back what it held of the budgets."""
    return action is JobAction.RETRY_FAILED and job.status in ENDED_JOBS and not job.budget_month


def more_to_reserve(job: BatchJob, micro_usd: int) -> Reservation | None:
    """What a job with a higher cap reserves besides; None if its cap is as high already.

    Raises ActionNotAllowedError if the job has no cap.
    """
    if job.cap is None:
        raise no_cap()
    more = micro_usd - job.cap.micro_usd
    return Reservation(job.owner_id, job.budget_month or "", "writing", more) if more > 0 else None


def keeps_changing() -> ConflictError:
    """The error for a job that concurrent requests change each time."""
    return ConflictError("The job keeps changing; try again.")


def no_cap() -> ActionNotAllowedError:
    """The error for raising what a job does not have."""
    return ActionNotAllowedError("The job was created without max_cost_usd: it has no cap.")


_JOB = 0
"""Index of the job's own write in the transactions below; budgets follow the others."""
_PARALLEL_WRITES = 8
_TRIES = 5
_ENDED_COUNTERS = ("successful_items", "failed_items", "cancelled_items")


class DynamoBatches(DynamoSubmissions, BatchRepository):
    """Three tables; every write is conditional on the state that was read."""

    def __init__(
        self, client: DynamoDBClient, tables: BatchTables, budgets: DynamoBudgets | None = None
    ) -> None:
        super().__init__(client, tables.jobs)
        self._tables = tables
        self._budgets = budgets or DynamoBudgets(client)

    def create(self, job: BatchJob, items: Sequence[BatchItem]) -> None:
        if self._read(job.owner_id, job.job_id) is not None:
            return
        self._write_items([{"PutRequest": {"Item": _item_row(item)}} for item in items])
        operations = [
            {
                "Put": {
                    "TableName": self._tables.jobs,
                    "Item": _job_row(job),
                    "ConditionExpression": "attribute_not_exists(job_id)",
                }
            },
            *self._budgets.reserving(job.reservation),
        ]
        failed = transact(self._client, operations)
        if failed and _JOB not in failed and (wanted := job.reservation):
            keys = [{"job_key": item.job_key, "position": item.position} for item in items]
            self._write_items([{"DeleteRequest": {"Key": to_wire(key)}} for key in keys])
            raise self._budgets.refused(wanted)
        # With _JOB, a concurrent repetition of the request has stored the same job.

    def job(self, owner_id: str, job_id: str) -> BatchJob:
        job = self._read(owner_id, job_id)
        if job is None:
            raise NotFoundError("batch job", job_id)
        return job

    def apply(
        self,
        owner_id: str,
        job_id: str,
        action: JobAction,
        now: datetime,
        line: LogLine,
        used: Sequence[TokensUsed] = (),
        reopen: Callable[[BatchJob], BatchJob] | None = None,
    ) -> BatchJob:
        for _ in range(_TRIES):
            job = self.job(owner_id, job_id)
            target = job.after(action)
            if target is None:
                raise not_allowed(job, action)
            again = reopen(job) if reopen and reserves_anew(job, action) else None
            wanted = again.reservation if again else None
            operations = [
                {"Update": self._transition(job, action, target, now, used, again)},
                lines_put(self._tables.logs, job_key(owner_id, job_id), [line]),
            ]
            if action in CLOSING_ACTIONS:
                operations += self._budgets.settling(job.reservation, job.unsettled_micro_usd)
            failed = transact(self._client, [*operations, *self._budgets.reserving(wanted)])
            if not failed:
                return self.job(owner_id, job_id)
            if _JOB not in failed and wanted:
                raise self._budgets.refused(wanted)
        raise keeps_changing()

    def raise_cap(self, job: BatchJob, micro_usd: int, now: datetime, line: LogLine) -> None:
        for _ in range(_TRIES):
            more = more_to_reserve(job, micro_usd)
            if more is None:
                return
            raised = self._unchanged_budget(
                job,
                set_to={"max_cost_micro_usd": micro_usd, "updated_at": iso(now)},
                add={"budget_reserved_micro_usd": more.micro_usd} if job.budget_month else {},
            )
            key = job_key(job.owner_id, job.job_id)
            operations = [{"Update": raised}, lines_put(self._tables.logs, key, [line])]
            wanted = more if job.budget_month else None
            failed = transact(self._client, [*operations, *self._budgets.reserving(wanted)])
            if not failed:
                return
            if _JOB not in failed and wanted:
                raise self._budgets.refused(wanted)
            job = self.job(job.owner_id, job.job_id)
        raise keeps_changing()

    def close_budgets(self, job: BatchJob) -> None:
        if (held := job.reservation) is None:
            return
        paid = {"budget_spent_micro_usd": job.paid_micro_usd}
        closed = self._unchanged_budget(job, set_to=paid, remove=("budget_month",))
        settled = self._budgets.settling(held, job.unsettled_micro_usd)
        transact(self._client, [{"Update": closed}, *settled])

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
        # Entries of two workers may overlap in time.
        lines = sorted(
            (line for row in rows for line in _lines_of(row)), key=attrgetter("entry_id")
        )
        return Page(tuple(lines), following)

    def ended_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        return self._items_in(owner_id, job_id, ("completed", "failed"))

    def open_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        return self._items_in(owner_id, job_id, ("queued", "processing"))

    def retryable_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        return self._items_in(owner_id, job_id, ("failed", "cancelled"))

    def _write_items(self, requests: Sequence[dict[str, Any]]) -> None:
        chunks = [
            requests[start : start + MAX_BATCH_WRITE]
            for start in range(0, len(requests), MAX_BATCH_WRITE)
        ]
        with ThreadPoolExecutor(_PARALLEL_WRITES) as pool:
            list(pool.map(partial(write_rows, self._client, self._tables.items), chunks))

    def _unchanged_budget(self, job: BatchJob, **changes: Any) -> dict[str, Any]:
        """An update of a job whose run, cap and month are as they were read."""
        seen = {
            "run": job.run,
            "status": job.status.value,
            "max_cost_micro_usd": job.max_cost_micro_usd,
            "budget_month": job.budget_month,
        }
        known = {name: value for name, value in seen.items() if value is not None}
        return update(
            self._tables.jobs,
            {"owner_id": job.owner_id, "job_id": job.job_id},
            condition=" AND ".join(
                f"#{name} = :seen_{name}" if name in known else f"attribute_not_exists(#{name})"
                for name in seen
            ),
            values={f"seen_{name}": value for name, value in known.items()},
            **changes,
        )

    def _transition(
        self,
        job: BatchJob,
        action: JobAction,
        target: JobStatus,
        now: datetime,
        used: Sequence[TokensUsed],
        reopened: BatchJob | None = None,
    ) -> dict[str, Any]:
        set_to: dict[str, Any] = {"status": target.value, "updated_at": iso(now)}
        if reopened is not None:
            set_to |= {name: getattr(reopened, name) for name in REOPENED}
        remove: list[str] = []
        if target is JobStatus.PROCESSING and job.started_at is None:
            set_to["started_at"] = iso(now)
        if action in {JobAction.RESUME, JobAction.RETRY_FAILED, JobAction.CANCEL}:
            set_to["run"] = job.run + 1
        if action is JobAction.RETRY_FAILED:
            remove = ["completed_at", "stop_reason", "used"]
        if target in ENDED_JOBS:
            set_to["completed_at"] = iso(now)
        if used:
            set_to["used"] = [row_of(one) for one in used]
        seen: dict[str, Any] = {"status": job.status.value, "run": job.run}
        if action in CLOSING_ACTIONS:
            seen |= _seen_at_its_end(job)
            set_to["budget_spent_micro_usd"] = job.paid_micro_usd
            remove.append("budget_month")
        return update(
            self._tables.jobs,
            {"owner_id": job.owner_id, "job_id": job.job_id},
            set_to={name: value for name, value in set_to.items() if value is not None},
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
            most_reads=_READS,
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


def _seen_at_its_end(job: BatchJob) -> dict[str, int]:
    """What must be unchanged when a job is closed, beside its status and run.

    A concurrent retry that requeues items must not end up with a closed job, nor a concurrent raise
    of the cap, which reserves more.
    """
    seen: dict[str, int] = {name: getattr(job, name) for name in _ENDED_COUNTERS}
    if job.max_cost_micro_usd is not None:
        seen["max_cost_micro_usd"] = job.max_cost_micro_usd
    return seen
