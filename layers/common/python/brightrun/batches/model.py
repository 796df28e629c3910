"""A batch job and its items: their states, the transitions between them, and progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from brightrun.core.timestamps import from_iso


class JobStatus(StrEnum):
    """A batch job's status: the same six values as in v1."""

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
    """What a user or the workflow does to a job."""

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
    # Resuming a running job only ensures that its workflow runs.
    _A.RESUME: {
        _J.PAUSED: _J.PROCESSING,
        _J.PROCESSING: _J.PROCESSING,
        _J.QUEUED: _J.PROCESSING,
    },
    # BatchControls.cancel repeats an interrupted cancellation without this transition.
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
    # processing -> processing: the lease expired and another worker claimed the item.
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
"""Items in one job: as many as one API call can plan in its 29 seconds."""
MAX_WORKERS = 10
"""Workers of one job; the Map state's MaxConcurrency is the same number."""
MAX_CALLS_PER_WORKER = 25
"""Calls that one worker keeps in flight: also the most completions lost with a worker."""
MAX_ATTEMPTS = 4
"""Attempts on one item before it fails: one and three retries, as in v1."""
MAX_TAKEOVERS = 3 * MAX_ATTEMPTS
"""Attempts after which an item fails even if its completion is stored: it crashes its workers."""
ErrorHandling = Literal["stop", "continue"]
Priority = Literal["low", "normal", "high"]
JobKind = Literal["generate", "judge"]
"""What a worker does with an item: generate its conversation, or judge an existing one."""


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One batch; its five counters always equal the number of items in each status."""

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
        """Items that succeeded or failed; v1 counts them so."""
        return self.successful_items + self.failed_items

    @property
    def ended_items(self) -> int:
        """Items in a final status."""
        return self.completed_items + self.cancelled_items

    @property
    def open_items(self) -> int:
        """Items that are queued or processing."""
        return self.total_items - self.ended_items

    @property
    def queued_items(self) -> int:
        """Items that wait for a worker."""
        return self.open_items - self.processing_items

    @property
    def accepts_claims(self) -> bool:
        """Whether workers may claim items now."""
        return self.status is JobStatus.PROCESSING and self.stop_reason is None

    @property
    def execution_name(self) -> str:
        """The name of the current run's execution, so that a run is started once."""
        return f"{self.job_id}-{self.run}"

    @property
    def percentage(self) -> float:
        """Items in a final status, 0 to 100 with one decimal; 100 for a job without items."""
        if self.total_items == 0:
            return 100.0
        return round(100 * self.ended_items / self.total_items, 1)

    def seconds_remaining(self, now: datetime) -> int | None:
        """Estimate the seconds left, elapsed / completed x open; None until an item has ended."""
        if self.status in ENDED_JOBS:
            return 0
        if self.started_at is None or self.completed_items == 0:
            return None
        elapsed = (now - from_iso(self.started_at)).total_seconds()
        return max(0, round(elapsed / self.completed_items * self.open_items))

    def final_status(self) -> JobStatus:
        """Completed, unless all items failed or an error stopped the job."""
        if self.stop_reason is not None or self.failed_items == self.total_items:
            return JobStatus.FAILED
        return JobStatus.COMPLETED

    def after(self, action: JobAction) -> JobStatus | None:
        """The status that an action leads to; None if the action is not allowed.

        A job can be completed or failed only without open items, and only to `final_status`.
        """
        target = JOB_TRANSITIONS[action].get(self.status)
        closes = action in CLOSING_ACTIONS
        if closes and (self.open_items > 0 or target is not self.final_status()):
            return None
        return target


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One conversation to generate or to judge.

    `generation` starts at 1 and grows each time a user retries the item; `attempts` counts the
    claims within a generation. `lease_expires_at` and `retry_at` are epoch milliseconds.
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
        """When a worker may claim the item, in epoch ms; None for an item in a final status."""
        if self.status is ItemStatus.QUEUED:
            return self.retry_at or 0
        if self.status is ItemStatus.PROCESSING:
            return self.lease_expires_at or 0
        return None


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's claim to an item: its token, and when it expires in epoch ms."""

    token: str
    expires_at: int


def job_key(owner_id: str, job_id: str) -> str:
    """The partition key of a job's items and log lines."""
    return f"{owner_id}#{job_id}"


def calls_per_worker(total_items: int, workers: int, at_most: int | None = None) -> int:
    """Divide the items among the workers, with at most MAX_CALLS_PER_WORKER in flight each.

    `at_most` is a lower limit that the caller may set.
    """
    fair_share = max(1, -(-total_items // workers))
    return min(fair_share, MAX_CALLS_PER_WORKER, at_most or MAX_CALLS_PER_WORKER)
