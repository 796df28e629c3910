"""Pauses, resumes, cancels and retries batch jobs."""

from __future__ import annotations

from collections.abc import Container
from typing import Literal

from brightrun.aws.request_keys import RequestKeys
from brightrun.batches import log as batch_log
from brightrun.batches.cap import within_budgets
from brightrun.batches.claim_repository import ClaimRepository
from brightrun.batches.gateway import Workflow
from brightrun.batches.model import BatchJob, ItemStatus, JobAction, JobStatus
from brightrun.batches.repository import BatchRepository
from brightrun.batches.reserve_judgements import JudgementReservations
from brightrun.core.budgets import Limits
from brightrun.core.errors import ActionNotAllowedError, ClaimsClosedError, ConflictError
from brightrun.core.timestamps import Clock

_RETRY_ROUNDS = 3


class BatchControls:
    """What a user can do to a batch job; every method is safe to repeat.

    Methods raise NotFoundError, StorageError, and ActionNotAllowedError if the job's status does
    not allow the action; those that let a job go on, BudgetExceededError.
    """

    def __init__(
        self,
        *,
        batches: BatchRepository,
        claims: ClaimRepository,
        workflow: Workflow,
        keys: RequestKeys,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._batches = batches
        self._claims = claims
        self._workflow = workflow
        self._reservations = JudgementReservations(batches, keys)
        self._clock = clock
        self._limits = limits

    def pause(self, owner_id: str, job_id: str) -> BatchJob:
        """Stop claiming items; items in progress are completed."""
        return self._apply(owner_id, job_id, JobAction.PAUSE, "Job paused by user")

    def resume(self, owner_id: str, job_id: str, *, max_cost_usd: float | None = None) -> BatchJob:
        """Continue a paused job; for a running job, ensure that its workflow runs.

        With `max_cost_usd`, raise its cap before. A job that ended at its cap goes on with what
        remained of it. Raises ActionNotAllowedError for a job without a cap, and if the cap pays
        for no further item.
        """
        job = self._batches.job(owner_id, job_id)
        if max_cost_usd is not None:
            job = self._raised(job, max_cost_usd)
        if job.has_remainder:
            return self._go_on(job)
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
        self,
        action: Literal["pause", "resume", "cancel"],
        owner_id: str,
        job_id: str,
        *,
        max_cost_usd: float | None = None,
    ) -> BatchJob:
        """Pause, resume or cancel by name; `max_cost_usd` is for resume."""
        if action == "resume":
            return self.resume(owner_id, job_id, max_cost_usd=max_cost_usd)
        return (self.pause if action == "pause" else self.cancel)(owner_id, job_id)

    def ensure_running(self, owner_id: str, job_id: str) -> BatchJob:
        """Ensure that the workflow of a queued or processing job runs; returns the job."""
        job = self._batches.job(owner_id, job_id)
        if job.status in {JobStatus.QUEUED, JobStatus.PROCESSING}:
            self._workflow.ensure_running(job)
        return job

    def retry_failed(self, owner_id: str, job_id: str) -> tuple[BatchJob, int]:
        """Queue failed items again, and items cancelled when an error stopped the job.

        Returns the job and the number of queued items. Raises ActionNotAllowedError if no item
        failed or the job was cancelled, BeingJudgedError if another job judges a conversation of
        this one now, ConflictError if the job keeps changing.
        """
        return self._requeue(owner_id, job_id, {ItemStatus.FAILED, ItemStatus.CANCELLED})

    def _raised(self, job: BatchJob, max_cost_usd: float) -> BatchJob:
        now = self._clock()
        line = batch_log.log_line(now, "control", f"Cap raised to ${max_cost_usd:,.2f}")
        self._batches.raise_cap(job, round(max_cost_usd * 1e6), now, line)
        return self._batches.job(job.owner_id, job.job_id)

    def _go_on(self, job: BatchJob) -> BatchJob:
        if job.cap is not None and not job.affordable_items:
            raise ActionNotAllowedError(
                f"${job.committed_micro_usd / 1e6:,.2f} of the cap of "
                f"${job.cap.micro_usd / 1e6:,.2f} are spent, and a conversation may cost "
                f"${job.cap.item_bound_micro_usd / 1e6:,.2f}: resume with a higher max_cost_usd."
            )
        return self._requeue(job.owner_id, job.job_id, {ItemStatus.CANCELLED})[0]

    def _requeue(
        self, owner_id: str, job_id: str, statuses: Container[ItemStatus]
    ) -> tuple[BatchJob, int]:
        for _ in range(_RETRY_ROUNDS):
            before = self._batches.job(owner_id, job_id)
            items = [
                item
                for item in self._batches.retryable_items(owner_id, job_id)
                if item.status in statuses
            ]
            if not items and before.status is not JobStatus.CANCELLED:
                # An earlier request may have queued them without starting the workflow.
                self.ensure_running(owner_id, job_id)
                raise ActionNotAllowedError("No item of the job has failed; nothing to retry.")
            if before.kind == "judge" and before.after(JobAction.RETRY_FAILED):
                judged = [item.conversation_id for item in items if item.conversation_id]
                self._reservations.for_retry(before, judged, self._clock())
            message = f"{len(items)} items queued again"
            job = self._reopen(owner_id, job_id, message)
            try:
                requeued = self._claims.requeue(items, self._clock())
            except ClaimsClosedError:
                continue  # An ending round closed the job between the two writes.
            if job.status is JobStatus.PROCESSING:
                self._workflow.ensure_running(job)
            return self._batches.job(owner_id, job_id), requeued
        raise ConflictError("The job keeps changing; try again.")

    def _reopen(self, owner_id: str, job_id: str, message: str) -> BatchJob:
        """Let the job go on; if it had ended, with what it may cost now reserved of the budgets."""
        now = self._clock()
        line = batch_log.log_line(now, "control", message)

        def reopened(job: BatchJob) -> BatchJob:
            again = job.failed_items + job.cancelled_items
            return within_budgets(job, again, now, self._limits)

        return self._batches.apply(
            owner_id, job_id, JobAction.RETRY_FAILED, now, line, reopen=reopened
        )

    def _apply(self, owner_id: str, job_id: str, action: JobAction, message: str) -> BatchJob:
        now = self._clock()
        line = batch_log.log_line(now, "control", message)
        return self._batches.apply(owner_id, job_id, action, now, line)
