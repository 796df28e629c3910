"""The worker of a batch: claims items, works on them concurrently and renews their leases."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from brightrun.aws.objects import ObjectStore, discard
from brightrun.batches import log as batch_log
from brightrun.batches.ask_claude import CompletionCache, judgement_spec
from brightrun.batches.claim_repository import ClaimRepository
from brightrun.batches.finalize_item import FailureRecorder, ItemFinalizer
from brightrun.batches.judge_conversation import JudgementWriter
from brightrun.batches.model import BatchItem, BatchJob, JobAction, JobStatus, Lease
from brightrun.batches.plan import BatchPlan, PlanScaffoldingResolver
from brightrun.batches.repository import BatchRepository
from brightrun.batches.workflow import MAX_LOOPS, InvocationStatus, WorkerInvocation, WorkerResult
from brightrun.batches.write_conversation import ConversationWriter
from brightrun.claude.client import Claude, UnavailableClaude
from brightrun.claude.model import CALL_TIMEOUT_S
from brightrun.conversations.generation_log.repository import GenerationLog
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.objects import keys_in_use
from brightrun.conversations.quality.judgement import current_rubric
from brightrun.conversations.repository import ConversationRepository
from brightrun.core.errors import (
    ActionNotAllowedError,
    BrightRunError,
    ClaimsClosedError,
    ClaudeNotSetUpError,
    LeaseLostError,
    StorageError,
    UnusableModelError,
)
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock, epoch_ms


class LeaseRenewer:
    """Renews every held lease three times within its duration.

    A worker that dies stops renewing, and its items can be claimed after one lease. A renewal that
    fails is only logged: the token is checked again when the item is completed.
    """

    def __init__(
        self, claims: ClaimRepository, make_lease: Callable[[], Lease], lease_seconds: int
    ) -> None:
        self._claims = claims
        self._make_lease = make_lease
        self._interval = lease_seconds / 3
        self._held: dict[int, BatchItem] = {}

    def hold(self, item: BatchItem) -> None:
        """Start renewing the item's lease."""
        self._held[item.position] = item

    def release(self, item: BatchItem) -> None:
        """Stop renewing the item's lease."""
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
    """Claims items of a job for one invocation of a worker.

    New positions come from the job's cursor, as many at a time as a worker keeps calls in flight,
    and are leased as calls finish. When the cursor has passed the last item, the open items are
    read once: those that were requeued, whose lease expired, or that a stopped worker never leased.
    They are claimed in random order, so that workers seldom compete for the same item.
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
        self._assigned: list[BatchItem] = []
        self._cursor_ended = False
        self._leftover: list[BatchItem] | None = None

    def claim(self, count: int) -> list[BatchItem]:
        """Lease up to `count` items; an empty list means that nothing can be claimed now.

        Raises ClaimsClosedError if the job accepts no claims.
        """
        total = self._job.total_items
        while self._has_assigned():
            tried, self._assigned = self._assigned[:count], self._assigned[count:]
            remaining = {item.position: total - item.position + 1 for item in tried}
            if leased := self._lease(self._claimable(tried), remaining):
                return leased
        if self._leftover is None:
            open_items = self._batches.open_items(self._job.owner_id, self._job.job_id)
            self._leftover = self._claimable(list(open_items))
            random.shuffle(self._leftover)
        while self._leftover:
            total_left = len(self._leftover)
            tried, self._leftover = self._leftover[:count], self._leftover[count:]
            remaining = {item.position: total_left - index for index, item in enumerate(tried)}
            if leased := self._lease(tried, remaining):
                return leased
        return []

    def lease(self) -> Lease:
        """A lease that starts now, under this worker's token."""
        now_ms = epoch_ms(self._clock())
        return Lease(self._token, now_ms + self._lease_seconds * 1000)

    def _has_assigned(self) -> bool:
        """Whether assigned positions are left to lease; assigns new ones from the cursor if not."""
        if not self._assigned and not self._cursor_ended:
            self._assigned = self._claims.next_items(
                self._job.owner_id, self._job.job_id, self._job.calls_per_worker
            )
            self._cursor_ended = not self._assigned
        return bool(self._assigned)

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
"""Seconds beyond the longest call that storing its completion may take before the Lambda stops."""


class ItemProcessor(Protocol):
    """Processes the items of one kind of job: ConversationWriter, JudgementWriter."""

    @property
    def job(self) -> BatchJob:
        """The job."""

    async def process(self, item: BatchItem) -> float | None:
        """Complete a leased item, or requeue it for another attempt.

        Returns the seconds to wait before the next call if Claude is overloaded. A lost lease is no
        error: the worker that has the item now uses the stored completion. Raises StorageError.
        """


@dataclass(slots=True)
class _Progress:
    """The items in progress, and why no more are claimed once `ended_by` is set."""

    ended_by: InvocationStatus | None = None
    wait_s: float = 0.0
    failure: BrightRunError | None = None
    tasks: set[asyncio.Task[float | None]] = field(default_factory=set)

    def stop_claiming(self, status: InvocationStatus, wait_s: float = 0.0) -> None:
        """Stop claiming; the longest wait that Claude asked for takes precedence."""
        if wait_s > self.wait_s:
            self.ended_by, self.wait_s = status, wait_s
        elif self.ended_by is None:
            self.ended_by = status


class Worker:
    """Claims items and processes them concurrently, in one invocation."""

    def __init__(
        self,
        claims: ItemClaims,
        processor: ItemProcessor,
        renewer: LeaseRenewer,
        seconds_left: Callable[[], float],
    ) -> None:
        self._claims = claims
        self._processor = processor
        self._renewer = renewer
        self._seconds_left = seconds_left
        self._capacity = processor.job.calls_per_worker

    async def run(self, request: WorkerInvocation) -> WorkerResult:
        """Work until no item can be claimed, Claude is overloaded, or time runs out.

        Claimed items are always processed before it returns, or raises the StorageError that made
        claiming impossible.
        """
        progress = _Progress()
        renewals = asyncio.create_task(self._renewer.run())
        try:
            while True:
                await self._fill(progress)
                if not progress.tasks:
                    break
                done, progress.tasks = await asyncio.wait(
                    progress.tasks, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    self._collect(progress, task)
        finally:
            renewals.cancel()
        if progress.failure is not None:
            raise progress.failure
        return self._result(request, progress)

    async def _fill(self, progress: _Progress) -> None:
        """Claim as many items as there is capacity for, unless claiming has stopped."""
        while progress.ended_by is None and len(progress.tasks) < self._capacity:
            if self._seconds_left() < CALL_TIMEOUT_S + CLAIM_MARGIN_S:
                progress.stop_claiming("continue")
                return
            free = self._capacity - len(progress.tasks)
            try:
                items = await asyncio.to_thread(self._claims.claim, free)
            except ClaimsClosedError:
                progress.stop_claiming("closed")
                return
            except StorageError as error:
                progress.failure = error
                progress.stop_claiming("continue")
                return
            if not items:
                progress.stop_claiming("drained")
            progress.tasks |= {asyncio.create_task(self._process(item)) for item in items}

    async def _process(self, item: BatchItem) -> float | None:
        self._renewer.hold(item)
        try:
            return await self._processor.process(item)
        finally:
            self._renewer.release(item)

    def _collect(self, progress: _Progress, task: asyncio.Task[float | None]) -> None:
        error = task.exception()
        if error is None:
            if wait_s := task.result():
                progress.stop_claiming("wait", wait_s)
            return
        # Another worker claims the item after its lease and uses the stored completion.
        logger().error("item_abandoned", error_type=type(error).__name__)
        if isinstance(error, StorageError):
            progress.failure = error
            progress.stop_claiming("continue")

    def _result(self, request: WorkerInvocation, progress: _Progress) -> WorkerResult:
        status = progress.ended_by or "drained"
        loop = request.loop + 1
        if status in {"continue", "wait"} and loop >= MAX_LOOPS:
            status = "handover"
        return WorkerResult(
            owner_id=request.owner_id,
            job_id=request.job_id,
            worker=request.worker,
            loop=loop,
            status=status,
            wait_seconds=math.ceil(progress.wait_s),
        )


_STORAGE_THREADS = 16
"""Threads for the blocking AWS calls of the items in progress; each call takes milliseconds."""


@dataclass(frozen=True, slots=True)
class WorkerRunner:
    """Runs one invocation of a worker, for a job of any kind."""

    batches: BatchRepository
    claims: ClaimRepository
    records: GenerationLog
    conversation_files: ObjectStore
    plans: ObjectStore
    failure_reports: ObjectStore
    open_claude: Callable[[str], Claude]
    clock: Clock
    lease_seconds: int
    retry_base_seconds: float
    new_token: Callable[[], str]
    after_stored: Callable[[ConversationRecord], object]
    conversations: ConversationRepository

    def run(self, request: WorkerInvocation, seconds_left: Callable[[], float]) -> WorkerResult:
        """Process items of the job; `seconds_left` returns the time until the Lambda is stopped.

        Raises NotFoundError, StorageError.
        """
        job = self._started_job(request)
        if not job.accepts_claims:
            return WorkerResult(**request.model_dump(), status="closed")
        return asyncio.run(self._run(job, request, seconds_left))

    async def _run(
        self, job: BatchJob, request: WorkerInvocation, seconds_left: Callable[[], float]
    ) -> WorkerResult:
        with ThreadPoolExecutor(_STORAGE_THREADS) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            claude, job = self._open_claude(job)
            try:
                worker = self._worker(job, claude, seconds_left)
                return await worker.run(request)
            finally:
                await claude.close()

    def _open_claude(self, job: BatchJob) -> tuple[Claude, BatchJob]:
        """Open Claude; if that fails, the first call stops the job, so one at a time is enough."""
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
        renewer = LeaseRenewer(self.claims, items.lease, self.lease_seconds)
        return Worker(items, self._processor(job, claude), renewer, seconds_left)

    def _processor(self, job: BatchJob, claude: Claude) -> ItemProcessor:
        finalizer = ItemFinalizer(job, self.claims, self.clock, self.retry_base_seconds)
        cache_arguments = (claude, self.conversation_files, self.records, job, self.clock)
        if job.kind == "judge":
            return JudgementWriter(
                job=job,
                finalizer=finalizer,
                completions=CompletionCache(
                    *cache_arguments, judgement_spec(current_rubric().answer_schema())
                ),
                conversations=self.conversations,
                conversation_files=self.conversation_files,
                scaffolds=PlanScaffoldingResolver(self.plans),
                clock=self.clock,
            )
        return ConversationWriter(
            job=job,
            plan=self._plan(job),
            finalizer=finalizer,
            completions=CompletionCache(*cache_arguments),
            conversation_files=self.conversation_files,
            failures=FailureRecorder(self.failure_reports, job, self.clock),
            clock=self.clock,
            after_stored=self.after_stored,
            discard=self._discard,
        )

    def _discard(self, lost: ConversationRecord) -> None:
        """Remove the file of an attempt that lost its item; its paid answer may be in use."""
        in_use = partial(keys_in_use, self.conversations, lost.owner_id, lost.conversation_id)
        discard(self.conversation_files, in_use, lost.file_path)

    def _started_job(self, request: WorkerInvocation) -> BatchJob:
        """Read the job; the first worker changes it from queued to processing."""
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
            raise StorageError("GetObject", "the job's plan is missing")
        return BatchPlan.model_validate_json(stored.text)
