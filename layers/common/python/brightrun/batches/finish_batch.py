"""Settles a batch after its workers have come home, or sends them out again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from brightrun.aws.objects import ObjectStore
from brightrun.batches import log as batch_log
from brightrun.batches.claim_repository import ClaimRepository
from brightrun.batches.gateway import Workflow
from brightrun.batches.model import ENDED_JOBS, BatchJob, JobAction, JobStatus
from brightrun.batches.repository import BatchRepository
from brightrun.batches.workflow import MAX_ROUNDS, Round, RoundResult
from brightrun.conversations.enrichment.service import ConversationEnricher
from brightrun.conversations.repository import ConversationRepository
from brightrun.core import object_keys
from brightrun.core.errors import ActionNotAllowedError, BrightRunError
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock, epoch_ms


@dataclass(frozen=True, slots=True)
class EnrichmentSweep:
    """Looks once through the conversations of a job that has no open items."""

    conversations: ConversationRepository
    enricher: ConversationEnricher

    def sweep(self, job: BatchJob) -> int:
        """Enrich every conversation of the job that is not, and give their number.

        One that fails is logged by its code and left to a request. Raises StorageError when the
        conversations cannot be listed; running it again is safe.
        """
        done = 0
        for record in self.conversations.unenriched(job.owner_id, job.job_id, job.created_at):
            try:
                self.enricher.enrich(record)
                done += 1
            except BrightRunError as error:
                logger().warning(
                    "conversation_left_unenriched",
                    code=error.code,
                    conversation_id=record.conversation_id,
                )
        return done


_SHORTEST_WAIT_S = 1
_LOG_PAGE = 1000


class BatchFinisher:
    """The end of every round: cancel what must be, look for what is left, write log.txt."""

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
        """Settle the job as far as it can be; running it again is safe at any point."""
        owner, job_id = this_round.owner_id, this_round.job_id
        job = self._batches.job(owner, job_id)
        if job.status is JobStatus.CANCELLED or job.stop_reason is not None:
            self._cancel_what_is_left(job)
            job = self._batches.job(owner, job_id)
        if job.open_items == 0:
            self._sweep(job)
            if job.status is JobStatus.PROCESSING:
                job = self._close(job)
        self.render_log(owner, job_id)
        settled = job.open_items == 0 and job.status in ENDED_JOBS
        if settled or job.status is JobStatus.PAUSED:
            return self._result(this_round, "finished")
        return self._go_on(this_round, job)

    def render_log(self, owner_id: str, job_id: str) -> None:
        """Write log.txt anew from the log's records, which are complete and in order."""
        text = "".join(f"{line}\n" for line in self._lines(owner_id, job_id))
        self._logs.put(
            object_keys.batch_log(job_id), text, content_type="text/plain; charset=utf-8"
        )

    def _close(self, job: BatchJob) -> BatchJob:
        """Give a job without open items its final status, once; gives the job as it then is."""
        now = self._clock()
        failed = job.final_status() is JobStatus.FAILED
        action = JobAction.FAIL if failed else JobAction.COMPLETE
        ended = batch_log.job_ended(job.successful_items, job.failed_items, job.cancelled_items)
        try:
            return self._batches.apply(
                job.owner_id, job.job_id, action, now, self._line(now, ended)
            )
        except ActionNotAllowedError:
            # Another round has closed the job meanwhile, or a retry has opened it again.
            return self._batches.job(job.owner_id, job.job_id)

    def _cancel_what_is_left(self, job: BatchJob) -> None:
        now = self._clock()
        free = [
            item
            for item in self._batches.open_items(job.owner_id, job.job_id)
            if item.status == "queued" or (item.claimable_at() or 0) <= epoch_ms(now)
        ]
        if cancelled := self._claims.cancel_items(free, now):
            reason = job.stop_reason or "the job was cancelled"
            line = self._line(now, f"{cancelled} items cancelled: {reason}")
            self._claims.write_line(job.owner_id, job.job_id, line)

    def _go_on(self, this_round: Round, job: BatchJob) -> RoundResult:
        """Send the workers out again, in a new execution when this one's history is long.

        When the job has a later run already, that one goes on, and this one makes sure of it.
        """
        if this_round.run < job.run:
            self._workflow.ensure_running(job)
            return self._result(this_round, "finished")
        if this_round.round + 1 >= MAX_ROUNDS and job.status is not JobStatus.CANCELLED:
            now = self._clock()
            line = self._line(now, "The workflow goes on in a new execution")
            following = self._batches.apply(job.owner_id, job.job_id, JobAction.RESUME, now, line)
            self._workflow.ensure_running(following)
            return self._result(this_round, "finished")
        return self._result(this_round, "unfinished", self._seconds_until_claimable(job))

    def _seconds_until_claimable(self, job: BatchJob) -> int:
        now_ms = epoch_ms(self._clock())
        moments = [
            item.claimable_at() or 0 for item in self._batches.open_items(job.owner_id, job.job_id)
        ]
        wait_s = (min(moments, default=now_ms) - now_ms) / 1000
        return max(_SHORTEST_WAIT_S, math.ceil(wait_s))

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
