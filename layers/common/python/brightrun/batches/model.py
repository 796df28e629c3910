"""A batch job and its items: their states, how they change, and the arithmetic of progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from brightrun.core.timestamps import from_iso


class JobStatus(StrEnum):
    """A batch job's status; the six values of the original system, and no others."""

    QUEUED = "queued"
    PROCESSING = "processing"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ItemStatus(StrEnum):
    """A batch item's status."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobAction(StrEnum):
    """What people and the workflow do to a job."""

    BEGIN = "begin"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY_FAILED = "retry_failed"


_J, _A = JobStatus, JobAction
JOB_TRANSITIONS: Mapping[JobAction, Mapping[JobStatus, JobStatus]] = {
    _A.BEGIN: {_J.QUEUED: _J.PROCESSING},
    _A.PAUSE: {_J.QUEUED: _J.PAUSED, _J.PROCESSING: _J.PAUSED},
    # Resuming a job that already runs only makes sure that its workflow does.
    _A.RESUME: {
        _J.PAUSED: _J.PROCESSING,
        _J.PROCESSING: _J.PROCESSING,
        _J.QUEUED: _J.PROCESSING,
    },
    # Cancelling twice finishes what the first time left open.
    _A.CANCEL: {
        _J.QUEUED: _J.CANCELLED,
        _J.PROCESSING: _J.CANCELLED,
        _J.PAUSED: _J.CANCELLED,
    },
    _A.COMPLETE: {_J.PROCESSING: _J.COMPLETED},
    _A.FAIL: {_J.PROCESSING: _J.FAILED},
    _A.RETRY_FAILED: {
        _J.PROCESSING: _J.PROCESSING,
        _J.PAUSED: _J.PAUSED,
        _J.COMPLETED: _J.PROCESSING,
        _J.FAILED: _J.PROCESSING,
    },
}
CLOSING_ACTIONS = frozenset({JobAction.COMPLETE, JobAction.FAIL})
ENDED_JOBS = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})
ENDED_ITEMS = frozenset({ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.CANCELLED})
ITEM_TRANSITIONS: Mapping[ItemStatus, frozenset[ItemStatus]] = {
    ItemStatus.QUEUED: frozenset({ItemStatus.PROCESSING, ItemStatus.CANCELLED}),
    # processing -> processing: the lease ran out and another worker took the item.
    ItemStatus.PROCESSING: frozenset(
        {
            ItemStatus.PROCESSING,
            ItemStatus.QUEUED,
            ItemStatus.COMPLETED,
            ItemStatus.FAILED,
            ItemStatus.CANCELLED,
        }
    ),
    ItemStatus.FAILED: frozenset({ItemStatus.QUEUED}),
    ItemStatus.CANCELLED: frozenset({ItemStatus.QUEUED}),
    ItemStatus.COMPLETED: frozenset(),
}
MAX_ITEMS = 10_000
"""Items one job takes: what one API call can plan in its 29 seconds."""
MAX_WORKERS = 10
"""Workers one job may have; the Map state's MaxConcurrency is the same number."""
MAX_CALLS_PER_WORKER = 25
"""Calls one worker keeps in flight, so that losing a worker loses no more answers than these."""
MAX_ATTEMPTS = 4
"""Tries for one item before it fails: the original's first try and three retries."""
MAX_TAKEOVERS = 3 * MAX_ATTEMPTS
"""Tries after which an item fails even though its answer is stored: it breaks every worker."""
ErrorHandling = Literal["stop", "continue"]
Priority = Literal["low", "normal", "high"]
JobKind = Literal["generate", "judge"]
"""What a worker does with an item: write its conversation, or judge one that there is."""


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One batch; the five counters always equal the number of items in each status."""

    owner_id: str
    job_id: str
    name: str
    status: JobStatus
    total_items: int
    concurrent_processing: int
    calls_per_worker: int
    error_handling: ErrorHandling
    priority: Priority
    model: str
    plan_key: str
    created_at: str
    updated_at: str
    processing_items: int = 0
    successful_items: int = 0
    failed_items: int = 0
    cancelled_items: int = 0
    claim_cursor: int = 0
    run: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    simulated: bool = False
    started_at: str | None = None
    completed_at: str | None = None
    stop_reason: str | None = None
    kind: JobKind = "generate"

    @property
    def completed_items(self) -> int:
        """Items that have a result, good or bad, as the original counts them."""
        return self.successful_items + self.failed_items

    @property
    def ended_items(self) -> int:
        """Items that nothing more will happen to."""
        return self.completed_items + self.cancelled_items

    @property
    def open_items(self) -> int:
        """Items still waiting or in work."""
        return self.total_items - self.ended_items

    @property
    def queued_items(self) -> int:
        """Items that no worker holds."""
        return self.open_items - self.processing_items

    @property
    def takes_claims(self) -> bool:
        """Whether workers may take items now."""
        return self.status is JobStatus.PROCESSING and self.stop_reason is None

    @property
    def execution_name(self) -> str:
        """The workflow's name for the current run; starting it twice starts it once."""
        return f"{self.job_id}-{self.run}"

    def percentage(self) -> float:
        """Share of items that have ended, 0 to 100 with one decimal; 100 for a job of none."""
        if self.total_items == 0:
            return 100.0
        return round(100 * self.ended_items / self.total_items, 1)

    def seconds_remaining(self, now: datetime) -> int | None:
        """Estimate the seconds left: elapsed / completed x remaining, None while unknown."""
        if self.status in ENDED_JOBS:
            return 0
        if self.started_at is None or self.completed_items == 0:
            return None
        elapsed = (now - from_iso(self.started_at)).total_seconds()
        return max(0, round(elapsed / self.completed_items * self.open_items))

    def final_status(self) -> JobStatus:
        """Completed, unless nothing succeeded or the job was stopped by an error."""
        if self.stop_reason is not None or self.failed_items == self.total_items:
            return JobStatus.FAILED
        return JobStatus.COMPLETED

    def after(self, action: JobAction) -> JobStatus | None:
        """The status an action leads to; None where it is not allowed.

        A job is closed only while none of its items is open, with the status its counters give.
        """
        target = JOB_TRANSITIONS[action].get(self.status)
        closes = action in CLOSING_ACTIONS
        if closes and (self.open_items > 0 or target is not self.final_status()):
            return None
        return target


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One conversation to write.

    `generation` counts how often the item was put back by people (retry-failed); `attempts` counts
    tries within it. A lease is the worker's token and the moment it runs out (epoch ms).
    """

    job_key: str
    position: int
    item_id: str
    status: ItemStatus
    persona_id: str
    persona_key: str
    emotional_arc_id: str
    emotional_arc_key: str
    training_topic_id: str
    training_topic_key: str
    template_id: str
    tier: str
    updated_at: str
    generation: int = 1
    attempts: int = 0
    lease_token: str | None = None
    lease_expires_at: int | None = None
    retry_at: int | None = None
    conversation_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None

    def claimable_at(self) -> int | None:
        """The moment (epoch ms) from which a worker may take the item; None: never."""
        if self.status is ItemStatus.QUEUED:
            return self.retry_at or 0
        if self.status is ItemStatus.PROCESSING:
            return self.lease_expires_at or 0
        return None


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's hold on an item: its token and when it runs out (epoch ms)."""

    token: str
    expires_at: int


def job_key(owner_id: str, job_id: str) -> str:
    """The partition key of a job's items and log lines; the owner is part of it."""
    return f"{owner_id}#{job_id}"


def calls_per_worker(total_items: int, workers: int, at_most: int | None = None) -> int:
    """Share the items fairly over the workers, at most MAX_CALLS_PER_WORKER in flight each.

    `at_most` is the caller's own, lower bound.
    """
    fair_share = max(1, -(-total_items // workers))
    return min(fair_share, MAX_CALLS_PER_WORKER, at_most or MAX_CALLS_PER_WORKER)
