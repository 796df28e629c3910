"""The worker of a batch: claims items, works on them concurrently and renews their leases."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from brightrun.aws.objects import ObjectStore
from brightrun.batches import log as batch_log
from brightrun.batches.ask_claude import CompletionCache, judgement_question
from brightrun.batches.claim_repository import ClaimRepository
from brightrun.batches.finalize_item import FailureRecorder, ItemFinalizer
from brightrun.batches.judgements import JudgementWriter
from brightrun.batches.model import BatchItem, BatchJob, JobAction, JobStatus, Lease
from brightrun.batches.plan import BatchPlan, PlanScaffoldingResolver
from brightrun.batches.repository import BatchRepository
from brightrun.batches.workflow import MAX_LOOPS, TurnStatus, WorkerInvocation, WorkerResult
from brightrun.batches.write_conversation import ConversationWriter
from brightrun.claude.client import Claude
from brightrun.claude.model import CALL_TIMEOUT_S, Completion, Prompt
from brightrun.conversations.generation_log.repository import GenerationRecords
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.quality.judgement import current_rubric
from brightrun.conversations.repository import ConversationChanges
from brightrun.core.errors import (
    ActionNotAllowedError,
    BrightRunError,
    ClaimsClosedError,
    ClaudeCallError,
    ClaudeNotSetUpError,
    LeaseLostError,
    StorageError,
    UnusableModelError,
)
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock, epoch_ms


class LeaseRenewer:
    """Renews every held lease three times within its length, until it is closed.

    A worker that dies stops renewing, and its items are free again after one lease. A renewal that
    fails is only logged: the lease's owner is checked again when the item is concluded.
    """

    def __init__(
        self, claims: ClaimRepository, make_lease: Callable[[], Lease], lease_seconds: int
    ) -> None:
        self._claims = claims
        self._make_lease = make_lease
        self._interval = lease_seconds / 3
        self._held: dict[int, BatchItem] = {}

    def hold(self, item: BatchItem) -> None:
        """Keep the item's lease from now on."""
        self._held[item.position] = item

    def release(self, item: BatchItem) -> None:
        """Stop keeping the item's lease."""
        self._held.pop(item.position, None)

    async def run(self) -> None:
        """Renew until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            for item in list(self._held.values()):
                await self._renew(item)

    async def _renew(self, item: BatchItem) -> None:
        try:
            await asyncio.to_thread(self._claims.renew, item, self._make_lease())
        except LeaseLostError:
            self.release(item)
        except BrightRunError as error:
            logger().warning("lease_not_renewed", item_id=item.item_id, error_code=error.code)


class ItemClaims:
    """One worker's way through a job's items, for one invocation.

    Positions never given out come from the job's cursor, as many at one write as a worker keeps in
    flight, and are leased as there is room for them. When the cursor has passed the last item, one
    look over the job finds what was put back, whose lease ran out, or what was given to a worker
    who never got to it; it is taken in random order, so that workers seldom want the same item.
    """

    def __init__(
        self,
        claims: ClaimRepository,
        batches: BatchRepository,
        job: BatchJob,
        *,
        token: str,
        lease_seconds: int,
        clock: Clock,
    ) -> None:
        self._claims = claims
        self._batches = batches
        self._job = job
        self._token = token
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._given: list[BatchItem] = []
        self._all_given = False
        self._left_over: list[BatchItem] | None = None

    def take(self, count: int) -> list[BatchItem]:
        """Lease up to `count` items; none when nothing can be claimed now.

        Raises ClaimsClosedError when the job takes no claims.
        """
        total = self._job.total_items
        while self._has_given():
            tried, self._given = self._given[:count], self._given[count:]
            remaining = {item.position: total - item.position + 1 for item in tried}
            if leased := self._lease(self._claimable(tried), remaining):
                return leased
        if self._left_over is None:
            open_items = self._batches.open_items(self._job.owner_id, self._job.job_id)
            self._left_over = self._claimable(list(open_items))
            random.shuffle(self._left_over)
        while self._left_over:
            left = len(self._left_over)
            tried, self._left_over = self._left_over[:count], self._left_over[count:]
            remaining = {item.position: left - index for index, item in enumerate(tried)}
            if leased := self._lease(tried, remaining):
                return leased
        return []

    def lease(self) -> Lease:
        """A lease from now on, under this worker's token."""
        now_ms = epoch_ms(self._clock())
        return Lease(self._token, now_ms + self._lease_seconds * 1000)

    def _has_given(self) -> bool:
        """Whether there are positions of our own to try; takes new ones from the cursor if not."""
        if not self._given and not self._all_given:
            self._given = self._claims.next_items(
                self._job.owner_id, self._job.job_id, self._job.calls_per_worker
            )
            self._all_given = not self._given
        return bool(self._given)

    def _claimable(self, items: Sequence[BatchItem]) -> list[BatchItem]:
        now_ms = epoch_ms(self._clock())
        return [
            item for item in items if (since := item.claimable_at()) is not None and since <= now_ms
        ]

    def _lease(self, items: Sequence[BatchItem], remaining: Mapping[int, int]) -> list[BatchItem]:
        if not items:
            return []
        now = self._clock()
        lines = [
            batch_log.log_line(
                now, self._token, batch_log.item_started(item.item_id, remaining[item.position])
            )
            for item in items
        ]
        return self._claims.claim(items, self.lease(), lines, now)


CLAIM_MARGIN_S = 45.0
"""Beyond the longest call: what storing its answer may take before the Lambda is stopped."""


class ItemWriter(Protocol):
    """What a worker does with the items of its job."""

    @property
    def job(self) -> BatchJob:
        """The job."""

    async def write(self, item: BatchItem) -> float | None:
        """Bring a leased item to its end, or put it back to be tried again.

        Gives the seconds for which nobody should call Claude, where Claude said so. A lease lost
        on the way is no error: the item is another worker's, who finds our stored answer.
        """


@dataclass(slots=True)
class _Invocation:
    """Why no more items are claimed in this turn, once that is so."""

    ended_by: TurnStatus | None = None
    wait_s: float = 0.0
    failure: BrightRunError | None = None
    in_work: set[asyncio.Task[float | None]] = field(default_factory=set)

    def end(self, status: TurnStatus, wait_s: float = 0.0) -> None:
        """Stop claiming; a longer wait that Claude asks for goes before anything else."""
        if wait_s > self.wait_s:
            self.ended_by, self.wait_s = status, wait_s
        elif self.ended_by is None:
            self.ended_by = status


class Worker:
    """Claims items and writes their conversations side by side."""

    def __init__(
        self,
        claims: ItemClaims,
        writer: ItemWriter,
        keeper: LeaseRenewer,
        seconds_left: Callable[[], float],
    ) -> None:
        self._claims = claims
        self._writer = writer
        self._keeper = keeper
        self._seconds_left = seconds_left
        self._capacity = writer.job.calls_per_worker

    async def take_turn(self, request: WorkerInvocation) -> WorkerResult:
        """Work until no item can be claimed, Claude asks us to wait, or the time runs out.

        What was claimed is always brought to its end first. Raises the StorageError that made
        claiming impossible, after that.
        """
        turn = _Invocation()
        renewals = asyncio.create_task(self._keeper.run())
        try:
            while True:
                await self._fill(turn)
                if not turn.in_work:
                    break
                done, turn.in_work = await asyncio.wait(
                    turn.in_work, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    self._account(turn, task)
        finally:
            renewals.cancel()
        if turn.failure is not None:
            raise turn.failure
        return self._result(request, turn)

    async def _fill(self, turn: _Invocation) -> None:
        """Claim as many items as there is room for, unless the turn is ending."""
        while turn.ended_by is None and len(turn.in_work) < self._capacity:
            if self._seconds_left() < CALL_TIMEOUT_S + CLAIM_MARGIN_S:
                turn.end("continue")
                return
            room = self._capacity - len(turn.in_work)
            try:
                items = await asyncio.to_thread(self._claims.take, room)
            except ClaimsClosedError:
                turn.end("closed")
                return
            except StorageError as error:
                turn.failure = error
                turn.end("continue")
                return
            if not items:
                turn.end("drained")
            turn.in_work |= {asyncio.create_task(self._write(item)) for item in items}

    async def _write(self, item: BatchItem) -> float | None:
        self._keeper.hold(item)
        try:
            return await self._writer.write(item)
        finally:
            self._keeper.release(item)

    def _account(self, turn: _Invocation, task: asyncio.Task[float | None]) -> None:
        error = task.exception()
        if error is None:
            if wait_s := task.result():
                turn.end("wait", wait_s)
            return
        # The item's lease runs out and somebody takes it up again from its stored answer.
        logger().error("item_left_to_its_lease", error_type=type(error).__name__)
        if isinstance(error, StorageError):
            turn.failure = error
            turn.end("continue")

    def _result(self, request: WorkerInvocation, turn: _Invocation) -> WorkerResult:
        status = turn.ended_by or "drained"
        loop = request.loop + 1
        if status in {"continue", "wait"} and loop >= MAX_LOOPS:
            status = "handover"
        return WorkerResult(
            owner_id=request.owner_id,
            job_id=request.job_id,
            worker=request.worker,
            loop=loop,
            status=status,
            wait_seconds=math.ceil(turn.wait_s),
        )


_STORAGE_THREADS = 16
"""Threads for the blocking AWS calls of the conversations in work; each call takes milliseconds."""


@dataclass(frozen=True, slots=True)
class WorkerRunner:
    """Everything a worker of any job needs."""

    batches: BatchRepository
    claims: ClaimRepository
    records: GenerationRecords
    conversation_files: ObjectStore
    plans: ObjectStore
    failure_reports: ObjectStore
    open_claude: Callable[[str], Claude]
    clock: Clock
    lease_seconds: int
    retry_base_seconds: float
    new_token: Callable[[], str]
    after_stored: Callable[[ConversationRecord], object]
    conversations: ConversationChanges

    def run(self, request: WorkerInvocation, seconds_left: Callable[[], float]) -> WorkerResult:
        """Take one turn; `seconds_left` is the time until the function is stopped."""
        job = self._begun(request)
        if not job.takes_claims:
            return WorkerResult(**request.model_dump(), status="closed")
        return asyncio.run(self._turn(job, request, seconds_left))

    async def _turn(
        self, job: BatchJob, request: WorkerInvocation, seconds_left: Callable[[], float]
    ) -> WorkerResult:
        with ThreadPoolExecutor(_STORAGE_THREADS) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            claude, job = self._opened(job)
            try:
                worker = self._worker(job, claude, seconds_left)
                return await worker.take_turn(request)
            finally:
                await claude.close()

    def _opened(self, job: BatchJob) -> tuple[Claude, BatchJob]:
        """Open Claude; where that cannot succeed, one call is enough to stop the job over it."""
        try:
            return self.open_claude(job.model), job
        except (ClaudeNotSetUpError, UnusableModelError) as error:
            return UnavailableClaude(error), replace(job, calls_per_worker=1)

    def _worker(self, job: BatchJob, claude: Claude, seconds_left: Callable[[], float]) -> Worker:
        items = ItemClaims(
            self.claims,
            self.batches,
            job,
            token=self.new_token(),
            lease_seconds=self.lease_seconds,
            clock=self.clock,
        )
        keeper = LeaseRenewer(self.claims, items.lease, self.lease_seconds)
        return Worker(items, self._writer(job, claude), keeper, seconds_left)

    def _writer(self, job: BatchJob, claude: Claude) -> ItemWriter:
        ends = ItemFinalizer(job, self.claims, self.clock, self.retry_base_seconds)
        paid_from = (claude, self.conversation_files, self.records, job, self.clock)
        if job.kind == "judge":
            return JudgementWriter(
                job=job,
                ends=ends,
                answers=CompletionCache(
                    *paid_from, judgement_question(current_rubric().answer_schema())
                ),
                conversations=self.conversations,
                conversation_files=self.conversation_files,
                scaffolds=PlanScaffoldingResolver(self.plans),
                clock=self.clock,
            )
        return ConversationWriter(
            job=job,
            plan=self._plan(job),
            ends=ends,
            answers=CompletionCache(*paid_from),
            conversation_files=self.conversation_files,
            failures=FailureRecorder(self.failure_reports, job, self.clock),
            clock=self.clock,
            after_stored=self.after_stored,
        )

    def _begun(self, request: WorkerInvocation) -> BatchJob:
        """Read the job; the first worker to come moves it from queued to processing."""
        job = self.batches.job(request.owner_id, request.job_id)
        if job.status is not JobStatus.QUEUED:
            return job
        now = self.clock()
        line = batch_log.log_line(now, "worker", f"Batch job started - {job.total_items} items")
        try:
            return self.batches.apply(job.owner_id, job.job_id, JobAction.BEGIN, now, line)
        except ActionNotAllowedError:
            return self.batches.job(request.owner_id, request.job_id)

    def _plan(self, job: BatchJob) -> BatchPlan:
        stored = self.plans.get(job.plan_key)
        if stored is None:
            raise StorageError("GetObject", "the job's plan is not there")
        return BatchPlan.model_validate_json(stored.text)


class UnavailableClaude(Claude):
    """Claude in a deployment without a key or with a retired model: every call is fatal.

    An answer that was paid for earlier needs no call, so it still becomes its conversation.
    """

    def __init__(self, reason: BrightRunError) -> None:
        self._reason = reason

    async def write(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:  # noqa: ARG002
        """Raise ClaudeCallError with the reason."""
        raise ClaudeCallError(self._reason.code, self._reason.message, fatal=True)

    async def close(self) -> None:
        """Nothing was opened."""
