"""Ends a round of a batch: closes the job, or decides when the next round of workers starts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from brightrun.aws.objects import ObjectStore
from brightrun.batches import log as batch_log
from brightrun.batches.claim_repository import ClaimRepository
from brightrun.batches.finalize_item import MAX_BACKOFF_S
from brightrun.batches.gateway import Workflow
from brightrun.batches.model import (
    ENDED_JOBS,
    BatchJob,
    ItemStatus,
    JobAction,
    JobStatus,
    TokensUsed,
)
from brightrun.batches.quotes import tokens_used
from brightrun.batches.repository import BatchRepository
from brightrun.batches.workflow import MAX_ROUNDS, Round, RoundResult
from brightrun.conversations.enrichment.pipeline import ConversationEnricher
from brightrun.conversations.repository import ConversationRepository
from brightrun.core import object_keys
from brightrun.core.errors import ActionNotAllowedError, BrightRunError
from brightrun.core.logging import logger
from brightrun.core.metrics import measure
from brightrun.core.timestamps import Clock, epoch_ms


@dataclass(frozen=True, slots=True)
class EnrichmentSweep:
    """Enriches the conversations of a job that a stopped worker left unenriched."""

    conversations: ConversationRepository
    enricher: ConversationEnricher

    def sweep(self, job: BatchJob) -> int:
        """Enrich the job's unenriched conversations; returns how many were enriched.

        A conversation that fails is logged with its error code; its owner can request enrichment.
        Safe to repeat. Raises StorageError if the conversations cannot be listed.
        """
        done = 0
        for record in self.conversations.unenriched(job.owner_id, job.job_id, job.created_at):
            try:
                self.enricher.enrich(record)
                done += 1
            except BrightRunError as error:
                logger().warning(
                    "conversation_not_enriched",
                    code=error.code,
                    conversation_id=record.conversation_id,
                )
        return done


def _reason_to_cancel(job: BatchJob) -> str | None:
    """Why the items that no worker holds are cancelled; None if they are not."""
    if job.status is JobStatus.CANCELLED or job.stop_reason is not None:
        return job.stop_reason or "the job was cancelled"
    if job.status is JobStatus.PROCESSING and job.is_spent:
        return "the job's cap pays for no further item"
    return None


_MIN_WAIT_S = 1
_ECONOMY_WAIT_S = 30
_LOG_PAGE = 1000


class BatchFinisher:
    """Cancels items of a stopped job, closes a job without open items, and writes log.txt."""

    def __init__(
        self,
        *,
        batches: BatchRepository,
        claims: ClaimRepository,
        logs: ObjectStore,
        workflow: Workflow,
        clock: Clock,
        sweep: Callable[[BatchJob], object],
    ) -> None:
        self._batches = batches
        self._claims = claims
        self._logs = logs
        self._workflow = workflow
        self._clock = clock
        self._sweep = sweep

    def finish(self, this_round: Round) -> RoundResult:
        """End one round; safe to repeat at any point. Raises NotFoundError, StorageError."""
        owner, job_id = this_round.owner_id, this_round.job_id
        job = self._batches.job(owner, job_id)
        if reason := _reason_to_cancel(job):
            self._cancel_open_items(job, reason)
            job = self._batches.job(owner, job_id)
        if job.open_items == 0:
            self._sweep(job)
            if job.status is JobStatus.PROCESSING:
                job = self._close(job)
        self.render_log(owner, job_id)
        ended = job.open_items == 0 and job.status in ENDED_JOBS
        if ended:
            self._batches.close_budgets(job)
        if ended or job.status is JobStatus.PAUSED:
            return self._result(this_round, "finished")
        return self._continue(this_round, job)

    def render_log(self, owner_id: str, job_id: str) -> None:
        """Write log.txt from the stored log lines."""
        text = "".join(f"{line}\n" for line in self._lines(owner_id, job_id))
        self._logs.put(
            object_keys.batch_log(job_id), text, content_type="text/plain; charset=utf-8"
        )

    def _close(self, job: BatchJob) -> BatchJob:
        """Set the final status of a job without open items; returns the job after that."""
        now = self._clock()
        failed = job.final_status() is JobStatus.FAILED
        action = JobAction.FAIL if failed else JobAction.COMPLETE
        message = batch_log.job_ended(job.successful_items, job.failed_items, job.cancelled_items)
        line, used = self._line(now, message), () if failed else self._used(job)
        try:
            closed = self._batches.apply(job.owner_id, job.job_id, action, now, line, used)
        except ActionNotAllowedError:
            # Another round has closed the job, or a retry has reopened it.
            return self._batches.job(job.owner_id, job.job_id)
        measure("BatchesFailed" if failed else "BatchesCompleted")
        measure("ConversationsWritten", job.successful_items)
        return closed

    def _used(self, job: BatchJob) -> tuple[TokensUsed, ...]:
        """What quotes learn from the job; judgements are not quoted."""
        if job.kind != "generate":
            return ()
        return tokens_used(self._batches.ended_items(job.owner_id, job.job_id))

    def _cancel_open_items(self, job: BatchJob, reason: str) -> None:
        now = self._clock()
        free = [
            item
            for item in self._batches.open_items(job.owner_id, job.job_id)
            if item.status == "queued" or (item.claimable_at() or 0) <= epoch_ms(now)
        ]
        if cancelled := self._claims.cancel_items(free, now):
            line = self._line(now, f"{cancelled} items cancelled: {reason}")
            self._claims.write_line(job.owner_id, job.job_id, line)

    def _continue(self, this_round: Round, job: BatchJob) -> RoundResult:
        """Request another round, in a new execution after MAX_ROUNDS.

        If the job already has a later run, that run continues and this execution ends.
        """
        # A round that nothing is left of is usual; round after round of them is a stuck batch.
        measure("UnfinishedRounds", this_round.round + 1)
        if this_round.run < job.run:
            self._workflow.ensure_running(job)
            return self._result(this_round, "finished")
        if this_round.round + 1 >= MAX_ROUNDS and job.status is not JobStatus.CANCELLED:
            now = self._clock()
            line = self._line(now, "The workflow continues in a new execution")
            next_run = self._batches.apply(job.owner_id, job.job_id, JobAction.RESUME, now, line)
            self._workflow.ensure_running(next_run)
            return self._result(this_round, "finished")
        return self._result(this_round, "unfinished", self._seconds_until_claimable(job))

    def _seconds_until_claimable(self, job: BatchJob) -> int:
        now_ms = epoch_ms(self._clock())
        claimable_at = [
            item.claimable_at() or 0
            for item in self._batches.open_items(job.owner_id, job.job_id)
            # Queued ones wait until those in progress give back what they did not spend.
            if job.affordable_items or item.status is ItemStatus.PROCESSING
        ]
        wait_s = (min(claimable_at, default=now_ms) - now_ms) / 1000
        if job.is_economy:
            # The leases of its items are no clock: its worker is to go on.
            switched = job.has_switched(self._clock())
            wait_s = min(wait_s, MAX_BACKOFF_S if switched else _ECONOMY_WAIT_S)
        if (left_s := job.seconds_to_switch(self._clock())) is not None:
            wait_s = min(wait_s, left_s)
        return max(_MIN_WAIT_S, math.ceil(wait_s))

    def _lines(self, owner_id: str, job_id: str) -> Iterator[str]:
        cursor: str | None = None
        while True:
            page = self._batches.log(owner_id, job_id, limit=_LOG_PAGE, cursor=cursor)
            yield from (line.text() for line in page.records)
            cursor = page.next_cursor
            if cursor is None:
                return

    def _line(self, now: datetime, message: str) -> batch_log.LogLine:
        return batch_log.log_line(now, "finish", message)

    def _result(self, this_round: Round, status: str, wait_s: int = 0) -> RoundResult:
        return RoundResult.model_validate(
            {
                **this_round.model_dump(),
                "round": this_round.round + 1,
                "status": status,
                "wait_seconds": wait_s,
            }
        )
