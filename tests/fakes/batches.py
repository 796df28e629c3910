"""Batches in memory: both repositories of batches, under one lock."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from brightrun.batches.claim_repository import SUMMED, ClaimRepository, Ended, Outcome
from brightrun.batches.economy.model import Submission
from brightrun.batches.log import LogLine
from brightrun.batches.model import (
    CLOSING_ACTIONS,
    ENDED_JOBS,
    BatchItem,
    BatchJob,
    Cap,
    ItemStatus,
    JobAction,
    JobStatus,
    Lease,
    TokensUsed,
    job_key,
)
from brightrun.batches.repository import (
    REOPENED,
    BatchRepository,
    more_to_reserve,
    not_allowed,
    reserves_anew,
)
from brightrun.conversations.generation_log.model import FailedGeneration
from brightrun.conversations.model import ConversationRecord
from brightrun.core.errors import (
    BrightRunError,
    CapReachedError,
    ClaimsClosedError,
    InvalidCursorError,
    LeaseLostError,
    NotFoundError,
)
from brightrun.core.pages import Page
from brightrun.core.timestamps import epoch_ms, iso
from tests.fakes.budgets import InMemoryBudgets

T = TypeVar("T")

_UNHELD: dict[str, Any] = {
    "lease_token": None,
    "lease_expires_at": None,
    "retry_at": None,
    "reserved_micro_usd": 0,
}


class InMemoryBatches(BatchRepository, ClaimRepository):
    def __init__(self, budgets: InMemoryBudgets | None = None) -> None:
        self._lock = threading.RLock()
        self.budgets = budgets or InMemoryBudgets()
        self._jobs: dict[tuple[str, str], BatchJob] = {}
        self._items: dict[str, dict[int, BatchItem]] = {}
        self._lines: dict[str, dict[str, LogLine]] = {}
        self._submissions: dict[tuple[str, str], dict[str, Submission]] = {}
        self.conversations: dict[str, ConversationRecord] = {}
        self.failures: dict[str, FailedGeneration] = {}

    def create(self, job: BatchJob, items: Sequence[BatchItem]) -> None:
        with self._lock:
            if (job.owner_id, job.job_id) not in self._jobs:
                self.budgets.reserve(job.reservation)
                key = job_key(job.owner_id, job.job_id)
                self._items[key] = {item.position: item for item in items}
                self._jobs[job.owner_id, job.job_id] = job

    def job(self, owner_id: str, job_id: str) -> BatchJob:
        with self._lock:
            if (owner_id, job_id) not in self._jobs:
                raise NotFoundError("batch job", job_id)
            return self._jobs[owner_id, job_id]

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
        with self._lock:
            job = self.job(owner_id, job_id)
            target = job.after(action)
            if target is None:
                raise not_allowed(job, action)
            if reopen is not None and reserves_anew(job, action):
                reopened = reopen(job)
                self.budgets.reserve(reopened.reservation)
                changes = {name: getattr(reopened, name) for name in REOPENED}
                job = dataclasses.replace(job, **changes)
            if action in CLOSING_ACTIONS:
                self.close_budgets(job)
                job = self.job(owner_id, job_id)
            again = action is JobAction.RETRY_FAILED
            starts_run = again or action in {JobAction.RESUME, JobAction.CANCEL}
            job = dataclasses.replace(
                job,
                status=target,
                updated_at=iso(now),
                run=job.run + starts_run,
                started_at=job.started_at or (iso(now) if target is JobStatus.PROCESSING else None),
                completed_at=iso(now)
                if target in ENDED_JOBS
                else (None if again else job.completed_at),
                stop_reason=None if again else job.stop_reason,
                used=() if again else (tuple(used) or job.used),
            )
            self._jobs[owner_id, job_id] = job
            self.write_line(owner_id, job_id, line)
            return job

    def raise_cap(self, job: BatchJob, micro_usd: int, now: datetime, line: LogLine) -> None:
        with self._lock:
            more_to_reserve(job, micro_usd)  # raises for a job without a cap
            stored = self.job(job.owner_id, job.job_id)
            more = more_to_reserve(stored, micro_usd)
            if more is None:
                return
            held = stored.budget_reserved_micro_usd
            if stored.budget_month is not None:
                self.budgets.reserve(more)
                held += more.micro_usd
            self._jobs[job.owner_id, job.job_id] = dataclasses.replace(
                stored, max_cost_micro_usd=micro_usd, budget_reserved_micro_usd=held
            )
            self.write_line(job.owner_id, job.job_id, line)

    def close_budgets(self, job: BatchJob) -> None:
        with self._lock:
            stored = self.job(job.owner_id, job.job_id)
            if job.reservation is None or stored != job:
                return
            self.budgets.settle(job.reservation, job.unsettled_micro_usd)
            self._jobs[job.owner_id, job.job_id] = dataclasses.replace(
                stored, budget_month=None, budget_spent_micro_usd=job.paid_micro_usd
            )

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchJob]:
        mine = sorted(
            (job for (owner, _), job in self._jobs.items() if owner == owner_id),
            key=lambda job: job.job_id,
            reverse=True,
        )
        wanted = [job for job in mine if status in {None, job.status}]
        return _page(wanted, limit, cursor, owner_id)

    def items(
        self, owner_id: str, job_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[BatchItem]:
        wanted = [item for item in self._all(owner_id, job_id) if status in {None, item.status}]
        return _page(wanted, limit, cursor, job_key(owner_id, job_id))

    def log(self, owner_id: str, job_id: str, *, limit: int, cursor: str | None) -> Page[LogLine]:
        key = job_key(owner_id, job_id)
        lines = [line for _, line in sorted(self._lines.get(key, {}).items())]
        return _page(lines, limit, cursor, key)

    def ended_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        return self._in(owner_id, job_id, ItemStatus.COMPLETED, ItemStatus.FAILED)

    def open_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        return self._in(owner_id, job_id, ItemStatus.QUEUED, ItemStatus.PROCESSING)

    def retryable_items(self, owner_id: str, job_id: str) -> Iterable[BatchItem]:
        return self._in(owner_id, job_id, ItemStatus.FAILED, ItemStatus.CANCELLED)

    def next_items(self, owner_id: str, job_id: str, count: int) -> list[BatchItem]:
        with self._lock:
            job = self._jobs.get((owner_id, job_id))
            if job is None or not job.accepts_claims:
                raise ClaimsClosedError("closed")
            if job.claim_cursor >= job.total_items:
                return []
            cursor = job.claim_cursor + count
            self._jobs[owner_id, job_id] = dataclasses.replace(job, claim_cursor=cursor)
            items = self._items[job_key(owner_id, job_id)]
            given = range(job.claim_cursor + 1, min(cursor, job.total_items) + 1)
            return [items[position] for position in given]

    def claim(
        self,
        items: Sequence[BatchItem],
        lease: Lease,
        lines: Sequence[LogLine],
        now: datetime,
        cap: Cap | None = None,
    ) -> list[BatchItem]:
        with self._lock:
            if items and not self._job_of(items[0]).accepts_claims:
                raise ClaimsClosedError("closed")
            taken = []
            beyond_cap = False
            for item, line in zip(items, lines, strict=True):
                if self._is_free(item, now):
                    reserve = 0
                    if cap is not None and not item.reserved_micro_usd:
                        if not self._job_of(item).affordable_items:
                            beyond_cap = True
                            continue
                        reserve = cap.item_bound_micro_usd
                    queued = item.status is ItemStatus.QUEUED
                    leased = dataclasses.replace(
                        item,
                        status=ItemStatus.PROCESSING,
                        attempts=item.attempts + 1,
                        lease_token=lease.token,
                        lease_expires_at=lease.expires_at,
                        retry_at=None,
                        reserved_micro_usd=item.reserved_micro_usd + reserve,
                    )
                    self._store(leased, processing_items=int(queued), committed_micro_usd=reserve)
                    self._lines.setdefault(item.job_key, {})[line.entry_id] = line
                    taken.append(leased)
            if beyond_cap and not taken:
                raise CapReachedError("spent")
            return taken

    def renew(self, item: BatchItem, lease: Lease) -> None:
        with self._lock:
            held = self._held(item, lease.token)
            self._store(dataclasses.replace(held, lease_expires_at=lease.expires_at))

    def complete(self, ended: Sequence[Ended], now: datetime) -> dict[int, BrightRunError]:
        errors: dict[int, BrightRunError] = {}
        for item, outcome in ended:
            try:
                self._end(item, outcome)
            except LeaseLostError as error:
                errors[item.position] = error
        return errors

    def _end(self, item: BatchItem, outcome: Outcome) -> None:
        with self._lock:
            held = self._held(item, item.lease_token)
            facts = {**_UNHELD, "retry_at": outcome.retry_at}
            ended = dataclasses.replace(
                held,
                status=outcome.status,
                conversation_id=outcome.conversation.conversation_id
                if outcome.conversation
                else held.conversation_id,
                error_code=outcome.error_code,
                error_message=outcome.error_message,
                input_tokens=held.input_tokens + outcome.input_tokens,
                output_tokens=held.output_tokens + outcome.output_tokens,
                cost_micro_usd=held.cost_micro_usd + outcome.cost_micro_usd,
                reused=held.reused or outcome.reused,
                **facts,
            )
            self._store(
                ended,
                processing_items=-1,
                successful_items=int(outcome.status is ItemStatus.COMPLETED),
                failed_items=int(outcome.status is ItemStatus.FAILED),
                **{name: getattr(outcome, name) for name in SUMMED},
                reused_items=int(outcome.reused),
                committed_micro_usd=outcome.cost_micro_usd - held.reserved_micro_usd
                if held.reserved_micro_usd
                else 0,
            )
            self._note(item, outcome)

    def cancel_items(self, items: Sequence[BatchItem], now: datetime) -> int:
        with self._lock:
            free = [item for item in items if self._is_free(item, now, even_waiting=True)]
            for item in free:
                orphan = item.status is ItemStatus.PROCESSING
                cancelled = dataclasses.replace(item, status=ItemStatus.CANCELLED, **_UNHELD)
                self._store(
                    cancelled,
                    cancelled_items=1,
                    processing_items=-int(orphan),
                    committed_micro_usd=-item.reserved_micro_usd,
                )
            return len(free)

    def requeue(self, items: Sequence[BatchItem], now: datetime) -> int:
        with self._lock:
            open_to = {JobStatus.PROCESSING, JobStatus.PAUSED}
            if items and self._job_of(items[0]).status not in open_to:
                raise ClaimsClosedError("ended")
            unchanged = [item for item in items if self._stored(item) == item]
            for item in unchanged:
                again = dataclasses.replace(
                    item,
                    status=ItemStatus.QUEUED,
                    generation=item.generation + 1,
                    attempts=0,
                    error_code=None,
                    error_message=None,
                    **_UNHELD,
                )
                failed = item.status is ItemStatus.FAILED
                self._store(again, failed_items=-int(failed), cancelled_items=-int(not failed))
            return len(unchanged)

    def submissions(self, owner_id: str, job_id: str) -> list[Submission]:
        self.job(owner_id, job_id)
        found = self._submissions.get((owner_id, job_id), {})
        return sorted(found.values(), key=lambda one: (one.created_at, one.submission_id))

    def change_submission(
        self, job: BatchJob, seen: Submission | None, becomes: Submission | None
    ) -> None:
        with self._lock:
            either = becomes or seen
            if either is None:
                return
            stored = self._submissions.setdefault((job.owner_id, job.job_id), {})
            if stored.get(either.submission_id) not in (seen, becomes):
                raise LeaseLostError("another's")
            stored.pop(either.submission_id, None)
            if becomes:
                stored[becomes.submission_id] = becomes

    def write_line(self, owner_id: str, job_id: str, line: LogLine) -> None:
        with self._lock:
            self._lines.setdefault(job_key(owner_id, job_id), {})[line.entry_id] = line

    def _note(self, item: BatchItem, outcome: Outcome) -> None:
        for line in outcome.lines:
            self._lines.setdefault(item.job_key, {})[line.entry_id] = line
        job = self._job_of(item)
        if outcome.stop_reason is not None:
            job = dataclasses.replace(job, stop_reason=outcome.stop_reason)
        if outcome.simulated:
            job = dataclasses.replace(job, simulated=True)
        self._jobs[job.owner_id, job.job_id] = job
        if outcome.conversation is not None:
            self.conversations[outcome.conversation.conversation_id] = outcome.conversation
        if outcome.failure is not None:
            self.failures[outcome.failure.failure_id] = outcome.failure

    def _store(self, item: BatchItem, **counters: int) -> None:
        self._items[item.job_key][item.position] = item
        job = self._job_of(item)
        sums = {name: getattr(job, name) + amount for name, amount in counters.items()}
        self._jobs[job.owner_id, job.job_id] = dataclasses.replace(job, **sums)

    def _stored(self, item: BatchItem) -> BatchItem:
        return self._items[item.job_key][item.position]

    def _held(self, item: BatchItem, token: str | None) -> BatchItem:
        stored = self._stored(item)
        if stored.status is not ItemStatus.PROCESSING or stored.lease_token != token:
            raise LeaseLostError("lost")
        return stored

    def _is_free(self, item: BatchItem, now: datetime, *, even_waiting: bool = False) -> bool:
        stored = self._stored(item)
        as_read = (stored.status, stored.generation, stored.attempts, stored.lease_token) == (
            item.status,
            item.generation,
            item.attempts,
            item.lease_token,
        )
        since = stored.claimable_at()
        waiting = even_waiting and stored.status is ItemStatus.QUEUED
        return as_read and since is not None and (waiting or since <= epoch_ms(now))

    def _job_of(self, item: BatchItem) -> BatchJob:
        owner_id, _, job_id = item.job_key.rpartition("#")
        return self._jobs[owner_id, job_id]

    def _all(self, owner_id: str, job_id: str) -> list[BatchItem]:
        items = self._items.get(job_key(owner_id, job_id), {})
        return [items[position] for position in sorted(items)]

    def _in(self, owner_id: str, job_id: str, *statuses: ItemStatus) -> list[BatchItem]:
        return [item for item in self._all(owner_id, job_id) if item.status in statuses]


def _page(records: list[T], limit: int, cursor: str | None, partition: str) -> Page[T]:
    start = 0
    if cursor is not None:
        owner, _, offset = cursor.partition("|")
        if owner != partition or not offset.isdigit():
            raise InvalidCursorError("not ours")
        start = int(offset)
    end = start + limit
    following = f"{partition}|{end}" if end < len(records) else None
    return Page(tuple(records[start:end]), following)
