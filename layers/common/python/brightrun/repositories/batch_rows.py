"""Jobs, items and log lines as DynamoDB rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brightrun.domain.batch import BatchItem, BatchJob
from brightrun.domain.batch_log import LogLine
from brightrun.domain.transitions import ItemStatus, JobStatus
from brightrun.repositories.dynamodb import row_of, to_wire


@dataclass(frozen=True, slots=True)
class BatchTables:
    """The names of the batch aggregate's tables; only making a job needs no log."""

    jobs: str
    items: str
    logs: str = ""


def job_of(row: Mapping[str, Any]) -> BatchJob:
    """Read a job's row."""
    fields = _known(BatchJob, row)
    return BatchJob(**{**fields, "status": JobStatus(fields["status"])})


def item_of(row: Mapping[str, Any]) -> BatchItem:
    """Read an item's row."""
    fields = _known(BatchItem, row)
    return BatchItem(**{**fields, "status": ItemStatus(fields["status"])})


def line_of(row: Mapping[str, Any]) -> LogLine:
    """Read a log line's row."""
    return LogLine(**_known(LogLine, row))


def job_row(job: BatchJob) -> dict[str, Any]:
    """Write a job's row."""
    return to_wire({**row_of(job), "status": job.status.value})


def item_row(item: BatchItem) -> dict[str, Any]:
    """Write an item's row."""
    return to_wire({**row_of(item), "status": item.status.value})


def line_put(table: str, job_key: str, line: LogLine) -> dict[str, Any]:
    """Append a log line; an entry is never written over."""
    return {
        "Put": {
            "TableName": table,
            "Item": to_wire({"job_key": job_key, **row_of(line)}),
            "ConditionExpression": "attribute_not_exists(entry_id)",
        }
    }


def job_key_parts(job_key: str) -> dict[str, str]:
    """The key of the job that an item's `job_key` names."""
    owner_id, _, job_id = job_key.rpartition("#")
    return {"owner_id": owner_id, "job_id": job_id}


def _known(record: type[Any], row: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(record)}
    return {name: value for name, value in row.items() if name in names}
