"""What people do to a running batch: pause, resume, cancel, retry what failed."""

from __future__ import annotations

from typing import Literal

from brightrun.batches import log as batch_log
from brightrun.batches.claim_repository import ClaimRepository
from brightrun.batches.gateway import Workflow
from brightrun.batches.model import BatchJob, ItemStatus, JobAction, JobStatus
from brightrun.batches.repository import BatchRepository
from brightrun.core.errors import ActionNotAllowedError, ClaimsClosedError, ConflictError
from brightrun.core.timestamps import Clock

_RETRY_ROUNDS = 3


class BatchControls:
    """The controls of batches; each is safe to repeat."""

    def __init__(
        self,
        *,
        batches: BatchRepository,
        claims: ClaimRepository,
        workflow: Workflow,
        clock: Clock,
    ) -> None:
        self._batches = batches
        self._claims = claims
        self._workflow = workflow
        self._clock = clock

    def pause(self, owner_id: str, job_id: str) -> BatchJob:
        """Take no more items; those in work are finished. Raises ActionNotAllowedError."""
        return self._apply(owner_id, job_id, JobAction.PAUSE, "Job paused by user")

    def resume(self, owner_id: str, job_id: str) -> BatchJob:
        """Go on; on a running job, make sure that its workflow runs.

        Raises ActionNotAllowedError.
        """
        job = self._apply(owner_id, job_id, JobAction.RESUME, "Job resumed")
        self._workflow.ensure_running(job)
        return job

    def cancel(self, owner_id: str, job_id: str) -> BatchJob:
        """Cancel what waits; what succeeded stays, and what is in work is kept when it ends.

        Cancelling a cancelled job again finishes what was left open, and is refused with
        ActionNotAllowedError once nothing is.
        """
        job = self._batches.job(owner_id, job_id)
        if job.status is JobStatus.CANCELLED:
            # An earlier try may have died before it started the round that writes log.txt.
            self._workflow.ensure_running(job)
        if job.status is not JobStatus.CANCELLED or job.open_items == 0:
            job = self._apply(owner_id, job_id, JobAction.CANCEL, "Job cancelled by user")
        waiting = [
            item
            for item in self._batches.open_items(owner_id, job_id)
            if item.status is ItemStatus.QUEUED
        ]
        self._claims.cancel_items(waiting, self._clock())
        self._workflow.ensure_running(job)
        return self._batches.job(owner_id, job_id)

    def act(
        self, action: Literal["pause", "resume", "cancel"], owner_id: str, job_id: str
    ) -> BatchJob:
        """Do one of the three by its name."""
        steps = {"pause": self.pause, "resume": self.resume, "cancel": self.cancel}
        return steps[action](owner_id, job_id)

    def ensure_running(self, owner_id: str, job_id: str) -> BatchJob:
        """Make sure that the workflow of a job that takes claims was started; give the job."""
        job = self._batches.job(owner_id, job_id)
        if job.status in {JobStatus.QUEUED, JobStatus.PROCESSING}:
            self._workflow.ensure_running(job)
        return job

    def retry_failed(self, owner_id: str, job_id: str) -> tuple[BatchJob, int]:
        """Queue again what failed, and what an error's stop cancelled; gives the job and how many.

        Raises ActionNotAllowedError when nothing failed or the job was cancelled.
        """
        for _ in range(_RETRY_ROUNDS):
            items = list(self._batches.retryable_items(owner_id, job_id))
            if not items and self._batches.job(owner_id, job_id).status is not JobStatus.CANCELLED:
                # An earlier try may have queued them all and died before it started the workflow.
                self.ensure_running(owner_id, job_id)
                raise ActionNotAllowedError("No item of the job has failed; nothing to retry.")
            message = f"{len(items)} items queued again"
            job = self._apply(owner_id, job_id, JobAction.RETRY_FAILED, message)
            try:
                requeued = self._claims.requeue(items, self._clock())
            except ClaimsClosedError:
                continue  # A round that was just ending has closed the job between the two.
            if job.status is JobStatus.PROCESSING:
                self._workflow.ensure_running(job)
            return self._batches.job(owner_id, job_id), requeued
        raise ConflictError("The job is being changed by others; try again.")

    def _apply(self, owner_id: str, job_id: str, action: JobAction, message: str) -> BatchJob:
        now = self._clock()
        line = batch_log.log_line(now, "control", message)
        return self._batches.apply(owner_id, job_id, action, now, line)
