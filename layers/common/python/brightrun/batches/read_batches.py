"""Reads batch jobs, their items and their logs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from brightrun.batches.model import ENDED_JOBS, MAX_ITEMS
from brightrun.batches.quotes import JOBS_READ, QuoteAccuracy, quote_accuracy

if TYPE_CHECKING:
    from brightrun.batches.log import LogLine
    from brightrun.batches.model import BatchItem, BatchJob, ItemStatus, JobStatus
    from brightrun.batches.repository import BatchRepository
    from brightrun.core.pages import Page
    from brightrun.core.timestamps import Clock


_NEWEST_JOBS = 1_000
"""Jobs that are looked at for open ones: one read of 1 MB."""


class Combination(NamedTuple):
    """A persona, an arc and a topic, by their keys."""

    persona_key: str
    emotional_arc_key: str
    training_topic_key: str


@dataclass(frozen=True, slots=True)
class PlannedItems:
    """How many items of each combination are not written yet.

    `is_complete` is false if not all open jobs were read.
    """

    counts: Mapping[Combination, int]
    is_complete: bool


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

    def quote_accuracy(self, owner_id: str) -> Sequence[QuoteAccuracy]:
        """Compare the quotes of an owner's newest batches with what they cost."""
        newest = self.batches.jobs(owner_id, status=None, limit=JOBS_READ, cursor=None)
        return quote_accuracy(newest.records)

    def planned(self, owner_id: str) -> PlannedItems:
        """Count what an owner's batches have not written yet, by combination.

        Reads the newest 1,000 jobs and, of those that are open, jobs of MAX_ITEMS items in all, so
        that its reads do not grow with what is stored.
        """
        newest = self.batches.jobs(owner_id, status=None, limit=_NEWEST_JOBS, cursor=None)
        counts: Counter[Combination] = Counter()
        left, is_complete = MAX_ITEMS, newest.next_cursor is None
        for job in newest.records:
            if job.kind != "generate" or job.status in ENDED_JOBS or job.open_items == 0:
                continue
            left -= job.total_items
            if left < 0:
                return PlannedItems(counts, is_complete=False)
            counts.update(
                Combination(item.persona_key, item.emotional_arc_key, item.training_topic_key)
                for item in self.batches.open_items(owner_id, job.job_id)
            )
        return PlannedItems(counts, is_complete)
