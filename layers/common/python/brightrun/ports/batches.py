"""The seams through which batch jobs and their items are stored, listed and claimed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from brightrun.domain.batch import BatchItem, BatchJob, Lease
    from brightrun.domain.batch_log import LogLine
    from brightrun.domain.conversation_record import ConversationRecord
    from brightrun.domain.generation_records import FailedGeneration
    from brightrun.domain.pages import Page
    from brightrun.domain.transitions import ItemStatus, JobAction


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a worker's hold on an item ends, and what is written together with it."""

    status: ItemStatus
    lines: Sequence[LogLine]
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    simulated: bool = False
    conversation: ConversationRecord | None = None
    failure: FailedGeneration | None = None
    retry_at: int | None = None
    stop_reason: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class BatchRepository(Protocol):
    """Jobs: made, read, and moved from status to status."""

    def create(self, job: BatchJob, items: Sequence[BatchItem]) -> None:
        """Store the items, then the job: a job that can be read has all its items.

        Storing the same job again changes nothing.
        """

    def job(self, owner_id: str, job_id: str) -> BatchJob:
        """Read one job, strongly consistent; raises NotFoundError."""

    def apply(
        self, owner_id: str, job_id: str, action: JobAction, now: datetime, line: LogLine
    ) -> BatchJob:
        """Move the job as domain.transitions allows, with its log line in the same transaction.

        Raises ActionNotAllowedError with the job's state.
        """


class BatchLists(Protocol):
    """Pages of jobs, items and log lines."""

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchJob]:
        """List an owner's jobs, newest first."""

    def items(
        self, owner_id: str, job_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchItem]:
        """List a job's items by position."""

    def log(self, owner_id: str, job_id: str, *, limit: int, cursor: str | None) -> Page[LogLine]:
        """List the log's lines in order."""

    def open_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        """All queued and processing items, strongly consistent, by position."""

    def retryable_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        """All failed and cancelled items, strongly consistent, by position."""


class ClaimRepository(Protocol):
    """How workers take items and end them; counters and states change in one transaction."""

    def next_items(self, owner_id: str, job_id: str, count: int) -> list[BatchItem]:
        """Give the next items that no worker was ever given; none when all were given once.

        Raises ClaimsClosedError when the job takes no claims.
        """

    def claim(
        self, items: Sequence[BatchItem], lease: Lease, lines: Sequence[LogLine], now: datetime
    ) -> list[BatchItem]:
        """Lease those of the items that nobody else holds, each with its log line.

        Raises ClaimsClosedError when the job takes no claims.
        """

    def renew(self, item: BatchItem, lease: Lease) -> None:
        """Make a held lease last longer; raises LeaseLostError."""

    def conclude(self, item: BatchItem, outcome: Outcome, now: datetime) -> None:
        """End the hold on an item; raises LeaseLostError when it is another's by now."""

    def cancel_items(self, items: Sequence[BatchItem], now: datetime) -> int:
        """Cancel those of the items that nobody holds; gives their number."""

    def put_back(self, items: Sequence[BatchItem], now: datetime) -> int:
        """Queue failed or cancelled items again, as a new generation; gives their number.

        Raises ClaimsClosedError when the job is neither processing nor paused.
        """

    def write_line(self, owner_id: str, job_id: str, line: LogLine) -> None:
        """Append a line to the job's log."""
