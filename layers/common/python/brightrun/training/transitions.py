"""A training job's transitions from status to status, and the fields that each one changes.

Every function returns the job as it is to be stored, one version higher; the repository stores it
if the stored version is the one that was read.
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
    # running -> initializing: a spot instance was reclaimed, and SageMaker waits for another.
    "running": frozenset({"running", "initializing", "completed", "failed", "cancelled"}),
    "completed": frozenset({"completed"}),
    "failed": frozenset({"failed"}),
    "cancelled": frozenset({"cancelled"}),
}


def changed(job: TrainingJob, now: datetime, **changes: Any) -> TrainingJob:
    """The job's next version with changed fields.

    Raises JobEndedError when the transition is not allowed, or the bill is closed.
    """
    status = changes.get("status", job.status)
    if job.settled or status not in TRANSITIONS[job.status]:
        raise JobEndedError(
            f"The training job is {job.status} and cannot become {status}.", details=job.state()
        )
    return dataclasses.replace(job, version=job.version + 1, updated_at=iso(now), **changes)


def starting(job: TrainingJob, now: datetime) -> TrainingJob:
    """A job that is about to be created in SageMaker; stored before SageMaker is called."""
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
    """A job that was refused for lack of capacity or quota, and will be tried again."""
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
    """A job that SageMaker works on, with its cost so far and its estimated completion."""
    updated = changed(job, now, status=status, stage=stage, **fields)
    return dataclasses.replace(
        updated,
        current_cost=cost_so_far(updated, now),
        estimated_completion_at=estimated_completion(updated, now),
    )


def cancelled(job: TrainingJob, now: datetime) -> TrainingJob:
    """A job that its owner cancelled, and that SageMaker has not stopped yet."""
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
    """A job whose bill is closed; stored with its cost record in one transaction."""
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
    closed = changed(job, now, **{**closing, **completed, **fields})
    return dataclasses.replace(closed, settled=True)
