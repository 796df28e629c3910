"""The worker of a job in the economy lane: one invocation follows its Message Batches, and ends."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from brightrun.batches import log as batch_log
from brightrun.batches.economy.collect import Collector
from brightrun.batches.economy.model import MOST_TRIES, Submission
from brightrun.batches.economy.submit import EconomyJob, Submitter
from brightrun.batches.model import JobStatus
from brightrun.batches.workflow import MAX_LOOPS, InvocationStatus, WorkerInvocation, WorkerResult
from brightrun.core.errors import ClaudeCallError, LeaseLostError
from brightrun.core.logging import logger

_GONE = "The Message Batch and its results are not there any more; they are kept for 29 days."
_UNREADABLE = "The results of the Message Batch could not be read; every worker that tried died."
_OTHERS_WAIT_S = 30.0
_FAILED_WAIT_S = 300.0


@dataclass(slots=True)
class EconomyWorker:
    """Sends what is queued, asks after what was sent, and collects what has been answered.

    Nothing waits in it: it says when to ask again, and the workflow waits.
    """

    economy: EconomyJob

    async def run(self, request: WorkerInvocation) -> WorkerResult:
        """Do what can be done now. Raises StorageError, and NotFoundError without a job."""
        economy, job = self.economy, self.economy.job
        read = economy.batches.submissions
        submissions = await asyncio.to_thread(read, job.owner_id, job.job_id)
        followed = [await self._followed(submission) for submission in submissions]
        waits = [wait for wait in followed if wait is not None]
        economy.job = job = await asyncio.to_thread(economy.batches.job, job.owner_id, job.job_id)
        is_open = job.accepts_claims and not economy.is_stopped
        if is_open and (not waits or job.claim_cursor < job.total_items):
            waits += await self._submit_all()
        return self._result(request, self._within_lane(waits))

    def _within_lane(self, waits: list[float]) -> list[float]:
        """The waits, none of them beyond the time at which the job changes lanes."""
        left_s = self.economy.job.seconds_to_switch(self.economy.clock())
        return waits if left_s is None else [min(wait, left_s) for wait in waits]

    async def _submit_all(self) -> list[float]:
        """Send items until none can be claimed; returns the seconds to wait for each batch."""
        waits: list[float] = []
        while self.economy.has_time():
            submission = await Submitter(self.economy).submit()
            if submission is None:
                return waits
            waits.append(self._wait_s(submission))
            if submission.batch_id is None:
                return waits  # Claude accepts none now.
        return [*waits, 0.0]

    async def _followed(self, submission: Submission) -> float | None:
        """Do what a submission needs now; returns the seconds to its next turn, if it has one."""
        free_in_s = submission.free_in_s(self.economy.clock())
        if free_in_s > 0:
            return free_in_s
        try:
            after = await self._advanced(submission)
        except LeaseLostError:
            return _OTHERS_WAIT_S
        except ClaudeCallError as error:
            # What was sent is paid for: it is asked after until it is known, whatever the reason.
            logger().warning("message_batch_not_followed", reason=error.reason)
            return error.retry_after_s or _FAILED_WAIT_S
        return None if after is None else self._wait_s(after)

    async def _advanced(self, submission: Submission) -> Submission | None:
        """Do what its state asks for; returns it as it is then, None if it needs no worker now."""
        economy = self.economy
        if submission.batch_id is not None:
            return await self._polled(submission, submission.batch_id)
        if economy.job.status is JobStatus.PAUSED and submission.sent_at is None:
            return None
        held = await economy.hold(submission)
        submitter = Submitter(economy)
        if held.sent_at is None:
            return await submitter.send_again(held)
        return await submitter.look_up(held)

    async def _polled(self, submission: Submission, batch_id: str) -> Submission | None:
        economy = self.economy
        api = economy.message_batches()
        batch = await api.find(batch_id)
        if batch is None or submission.tries >= MOST_TRIES:
            held = await economy.hold(submission)
            await economy.give_up(held, "results_unavailable", _UNREADABLE if batch else _GONE)
            return None
        if batch.ended:
            return await Collector(economy).collect(await economy.hold(submission), batch_id)
        if economy.is_stopped and batch.status == "in_progress":
            await api.cancel(batch_id)
            if economy.job.accepts_claims:
                await economy.write_line(batch_log.lane_changed(batch_id))
        return submission

    def _wait_s(self, submission: Submission) -> float:
        """Seconds until a submission is worth another look."""
        now = self.economy.clock()
        if not self.economy.has_time():
            return 0.0
        return submission.free_in_s(now) or submission.poll_wait_s(now)

    def _result(self, request: WorkerInvocation, waits: list[float]) -> WorkerResult:
        status: InvocationStatus = "drained" if self.economy.job.accepts_claims else "closed"
        if waits:
            status = "wait" if min(waits) > 0 else "continue"
        loop = request.loop + 1
        if waits and loop >= MAX_LOOPS:
            status = "handover"
        return WorkerResult(
            owner_id=request.owner_id,
            job_id=request.job_id,
            worker=request.worker,
            loop=loop,
            status=status,
            wait_seconds=math.ceil(min(waits, default=0)),
        )
