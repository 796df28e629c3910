"""How a training job goes from status to status: as data, and as the changes of its row.

Every function gives the row as it is to be written, its version one higher; the repository writes
it in the place of the version that was seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from brightrun.core.errors import JobEndedError
from brightrun.core.timestamps import iso
from brightrun.training.costs.model import cost_so_far, estimated_completion
from brightrun.training.model import JobStage, JobStatus, TrainingJob

TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    "queued": frozenset({"queued", "initializing", "failed", "cancelled"}),
    # initializing -> queued: there was no capacity, and no SageMaker job is left.
    "initializing": frozenset(
        {"initializing", "queued", "running", "completed", "failed", "cancelled"}
    ),
    # running -> initializing: a spot instance was taken away, and SageMaker waits for the next.
    "running": frozenset({"running", "initializing", "completed", "failed", "cancelled"}),
    "completed": frozenset({"completed"}),
    "failed": frozenset({"failed"}),
    "cancelled": frozenset({"cancelled"}),
}


def changed(job: TrainingJob, now: datetime, **changes: Any) -> TrainingJob:
    """The job with some fields changed, as its next version.

    Raises JobEndedError when the status cannot become the one asked for, or the bill is closed.
    """
    wanted = changes.get("status", job.status)
    if job.settled or wanted not in TRANSITIONS[job.status]:
        raise JobEndedError(
            f"The training job is {job.status} and cannot become {wanted}.", details=job.state()
        )
    return dataclasses.replace(job, version=job.version + 1, updated_at=iso(now), **changes)


def starting(job: TrainingJob, now: datetime) -> TrainingJob:
    """About to ask SageMaker for the training job; to be written before it is asked."""
    return changed(
        job,
        now,
        status="initializing",
        stage="starting",
        stage_reason=None,
        next_try_at=None,
        start_attempts=job.start_attempts + 1,
    )


def waiting_for_capacity(
    job: TrainingJob, now: datetime, reason: str, next_try_at: datetime
) -> TrainingJob:
    """There was no capacity or quota, and no SageMaker job is left; it will be tried again."""
    return changed(
        job,
        now,
        status="queued",
        stage="waiting_for_capacity",
        stage_reason=reason,
        next_try_at=iso(next_try_at),
    )


def progressed(
    job: TrainingJob, now: datetime, status: JobStatus, stage: JobStage, **fields: Any
) -> TrainingJob:
    """A job that SageMaker works on, with what it cost so far and when it will be done."""
    moved = changed(job, now, status=status, stage=stage, **fields)
    return dataclasses.replace(
        moved,
        current_cost=cost_so_far(moved, now),
        estimated_completion_at=estimated_completion(moved, now),
    )


def cancelled(job: TrainingJob, now: datetime) -> TrainingJob:
    """A job that its owner cancelled, while SageMaker has yet to stop."""
    return changed(
        job,
        now,
        status="cancelled",
        stage="stopping",
        stage_reason="Cancelled by its owner; SageMaker is stopping.",
        stopped_reason="cancelled",
        next_try_at=None,
        current_cost=cost_so_far(job, now),
        estimated_completion_at=None,
    )


def ended(
    job: TrainingJob,
    now: datetime,
    status: JobStatus,
    *,
    final_cost: float,
    billed_seconds: int,
    **fields: Any,
) -> TrainingJob:
    """A job whose bill is closed; to be settled, with its cost record, in one write."""
    completed = {"progress": 100.0} if status == "completed" else {}
    closing: dict[str, Any] = {
        "status": status,
        "stage": "done",
        "stage_reason": None,
        "next_try_at": None,
        "completed_at": iso(now),
        "estimated_completion_at": None,
        "current_cost": final_cost,
        "final_cost": final_cost,
        "billed_seconds": billed_seconds,
    }
    moved = changed(job, now, **{**closing, **completed, **fields})
    return dataclasses.replace(moved, settled=True)
