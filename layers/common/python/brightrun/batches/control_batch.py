"""Pauses, resumes, cancels and retries batch jobs."""

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
    """What a user can do to a batch job; every method is safe to repeat.

    Methods raise NotFoundError, StorageError, and ActionNotAllowedError if the job's status does
    not allow the action.
    """

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
        """Stop claiming items; items in progress are completed."""
        return self._apply(owner_id, job_id, JobAction.PAUSE, "Job paused by user")

    def resume(self, owner_id: str, job_id: str) -> BatchJob:
        """Continue a paused job; for a running job, ensure that its workflow runs."""
        job = self._apply(owner_id, job_id, JobAction.RESUME, "Job resumed")
        self._workflow.ensure_running(job)
        return job

    def cancel(self, owner_id: str, job_id: str) -> BatchJob:
        """Cancel the queued items; items in progress are completed and stored.

        Cancelling a cancelled job again completes an interrupted cancellation; without open items
        it raises ActionNotAllowedError.
        """
        job = self._batches.job(owner_id, job_id)
        if job.status is JobStatus.CANCELLED:
            # An earlier request may have stopped before it started the round that writes log.txt.
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
        """Pause, resume or cancel by name."""
        actions = {"pause": self.pause, "resume": self.resume, "cancel": self.cancel}
        return actions[action](owner_id, job_id)

    def ensure_running(self, owner_id: str, job_id: str) -> BatchJob:
        """Ensure that the workflow of a queued or processing job runs; returns the job."""
        job = self._batches.job(owner_id, job_id)
        if job.status in {JobStatus.QUEUED, JobStatus.PROCESSING}:
            self._workflow.ensure_running(job)
        return job

    def retry_failed(self, owner_id: str, job_id: str) -> tuple[BatchJob, int]:
        """Queue failed items again, and items cancelled when an error stopped the job.

        Returns the job and the number of queued items. Raises ActionNotAllowedError if no item
        failed or the job was cancelled, ConflictError if the job keeps changing.
        """
        for _ in range(_RETRY_ROUNDS):
            items = list(self._batches.retryable_items(owner_id, job_id))
            if not items and self._batches.job(owner_id, job_id).status is not JobStatus.CANCELLED:
                # An earlier request may have queued them without starting the workflow.
                self.ensure_running(owner_id, job_id)
                raise ActionNotAllowedError("No item of the job has failed; nothing to retry.")
            message = f"{len(items)} items queued again"
            job = self._apply(owner_id, job_id, JobAction.RETRY_FAILED, message)
            try:
                requeued = self._claims.requeue(items, self._clock())
            except ClaimsClosedError:
                continue  # An ending round closed the job between the two writes.
            if job.status is JobStatus.PROCESSING:
                self._workflow.ensure_running(job)
            return self._batches.job(owner_id, job_id), requeued
        raise ConflictError("The job keeps changing; try again.")

    def _apply(self, owner_id: str, job_id: str, action: JobAction, message: str) -> BatchJob:
        now = self._clock()
        line = batch_log.log_line(now, "control", message)
        return self._batches.apply(owner_id, job_id, action, now, line)
