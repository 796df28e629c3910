"""What the routes that steer batch jobs take and answer."""

from __future__ import annotations

from typing import Literal, Self

from brightrun.api.batch_models import JobSummary, Progress
from brightrun.api.shapes import CamelAnswer, RequestModel
from brightrun.domain.batch import BatchJob
from brightrun.domain.transitions import ENDED_JOBS, JobStatus

Standing = Literal["processed", "job_completed", "job_cancelled", "paused"]


class ControlRequest(RequestModel):
    """PATCH /api/conversations/batch/{id}."""

    action: Literal["pause", "resume", "cancel"]


class ControlAnswer(CamelAnswer):
    """What a control did."""

    job_id: str
    status: JobStatus
    message: str


class CancelAnswer(CamelAnswer):
    """POST /api/batch-jobs/{id}/cancel."""

    message: str
    job: JobSummary


class RetryAnswer(ControlAnswer):
    """POST /api/batch-jobs/{id}/retry-failed."""

    requeued: int


class ProcessNextAnswer(CamelAnswer):
    """POST /api/batch-jobs/{id}/process-next: where the job stands, in the original's words."""

    status: Standing
    remaining_items: int
    progress: Progress

    @classmethod
    def of(cls, job: BatchJob) -> Self:
        """Show where a job stands."""
        return cls(
            status=_standing(job.status),
            remaining_items=job.open_items,
            progress=Progress.of(job),
        )


def _standing(status: JobStatus) -> Standing:
    if status is JobStatus.CANCELLED:
        return "job_cancelled"
    if status in ENDED_JOBS:
        return "job_completed"
    return "paused" if status is JobStatus.PAUSED else "processed"
