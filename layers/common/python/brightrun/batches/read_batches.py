"""Reads batch jobs, their items and their logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from brightrun.batches.log import LogLine
    from brightrun.batches.model import BatchItem, BatchJob, ItemStatus, JobStatus
    from brightrun.batches.repository import BatchRepository
    from brightrun.core.pages import Page
    from brightrun.core.timestamps import Clock


@dataclass(frozen=True, slots=True)
class BatchReader:
    """Reads jobs for the API; `items` and `log` raise NotFoundError for an unknown job."""

    batches: BatchRepository
    clock: Clock

    def page(
        self, owner_id: str, *, status: JobStatus | None, limit: int, cursor: str | None
    ) -> Page[BatchJob]:
        """List an owner's jobs, newest first."""
        return self.batches.jobs(owner_id, status=status, limit=limit, cursor=cursor)

    def one(self, owner_id: str, job_id: str) -> BatchJob:
        """Read a job; raises NotFoundError."""
        return self.batches.job(owner_id, job_id)

    def items(
        self,
        owner_id: str,
        job_id: str,
        *,
        status: ItemStatus | None,
        limit: int,
        cursor: str | None,
    ) -> Page[BatchItem]:
        """List a job's items by position."""
        self.one(owner_id, job_id)
        return self.batches.items(owner_id, job_id, status=status, limit=limit, cursor=cursor)

    def log(self, owner_id: str, job_id: str, *, limit: int, cursor: str | None) -> Page[LogLine]:
        """Read a job's log, oldest line first."""
        self.one(owner_id, job_id)
        return self.batches.log(owner_id, job_id, limit=limit, cursor=cursor)
