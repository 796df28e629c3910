"""The states of a batch, as data: for the code, the conditions of writes and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


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
