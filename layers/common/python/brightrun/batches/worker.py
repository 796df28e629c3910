"""The worker of a batch: claims items, works on them concurrently and renews their leases."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from brightrun.batches import log as batch_log
from brightrun.batches.call_limit import CallLimit
from brightrun.batches.claim_repository import ClaimRepository
from brightrun.batches.model import BatchItem, BatchJob, Lease
from brightrun.batches.repository import BatchRepository
from brightrun.batches.workflow import MAX_LOOPS, InvocationStatus, WorkerInvocation, WorkerResult
from brightrun.core.errors import (
    BrightRunError,
    CapReachedError,
    ClaimsClosedError,
    LeaseLostError,
    StorageError,
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
        at_once: int | None = None,
    ) -> None:
        """`at_once` is how many positions are taken from the cursor together."""
        self._at_once = at_once or job.calls_per_worker
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

        Raises ClaimsClosedError if the job accepts no claims, CapReachedError if its cap pays for
        no further item now.
        """
        total = self._job.total_items
        while self._has_assigned():
            tried = self._assigned[:count]
            remaining = {item.position: total - item.position + 1 for item in tried}
            leased = self._lease(self._claimable(tried), remaining)
            self._assigned = self._beyond_cap(tried, leased) + self._assigned[count:]
            if leased:
                return leased
        if self._leftover is None:
            open_items = self._batches.open_items(self._job.owner_id, self._job.job_id)
            self._leftover = self._claimable(list(open_items))
            random.shuffle(self._leftover)
        while self._leftover:
            total_left = len(self._leftover)
            tried = self._leftover[:count]
            remaining = {item.position: total_left - index for index, item in enumerate(tried)}
            leased = self._lease(tried, remaining)
            self._leftover = self._beyond_cap(tried, leased) + self._leftover[count:]
            if leased:
                return leased
        return []

    def lease(self) -> Lease:
        """A lease that starts now, under this worker's token."""
        now_ms = epoch_ms(self._clock())
        return Lease(self._token, now_ms + self._lease_seconds * 1000)

    def _beyond_cap(
        self, tried: Sequence[BatchItem], leased: Sequence[BatchItem]
    ) -> list[BatchItem]:
        """What to try once more: the cap paid for some only. Without a cap, others have them."""
        if self._job.cap is None or not leased:
            return []
        taken = {item.position for item in leased}
        return [item for item in tried if item.position not in taken]

    def _has_assigned(self) -> bool:
        """Whether assigned positions are left to lease; assigns new ones from the cursor if not."""
        if not self._assigned and not self._cursor_ended:
            self._assigned = self._claims.next_items(
                self._job.owner_id, self._job.job_id, self._at_once
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
        return self._claims.claim(items, self.lease(), lines, now, self._job.cap)


class ItemProcessor(Protocol):
    """Processes the items of one kind of job: ConversationWriter, JudgementWriter."""

    @property
    def job(self) -> BatchJob:
        """The job."""

    async def process(self, item: BatchItem, answered: Callable[[], None]) -> float | None:
        """Complete a leased item, or requeue it for another attempt.

        Calls `answered` when Claude's answer is stored: what follows needs no call.

        Returns the seconds to wait before the next call if Claude is overloaded. A lost lease is no
        error: the worker that has the item now uses the stored completion. Raises StorageError.
        """


_MOST_HELD = 2
"""Times the calls in flight: the most items in progress, answered ones included."""


@dataclass(slots=True)
class _Progress:
    """The items in progress, and why no more are claimed once `ended_by` is set."""

    calls: CallLimit
    ended_by: InvocationStatus | None = None
    wait_s: float = 0.0
    failure: BrightRunError | None = None
    tasks: set[asyncio.Task[float | None]] = field(default_factory=set)
    answered: set[int] = field(default_factory=set)

    @property
    def changed(self) -> asyncio.Event:
        """Set when more items may be claimed, or one has ended."""
        return self.calls.changed

    def note_answer(self, item: BatchItem) -> None:
        """Note that an item in progress needs no call any more."""
        self.answered.add(item.position)
        self.calls.filled.clear()
        self.changed.set()

    def free(self) -> int:
        """How many more items may be claimed.

        Calls in flight are limited; so are items in progress, whose answers are being stored or
        that wait for Claude: a worker that cannot keep up claims no more.
        """
        calling = len(self.tasks) - len(self.answered) - self.calls.waiting
        held = _MOST_HELD * self.calls.most - len(self.tasks)
        return min(self.calls.limit - calling, held)

    def stop_claiming(self, status: InvocationStatus, wait_s: float = 0.0) -> None:
        """Stop claiming; the longest wait that Claude asked for takes precedence."""
        if wait_s > self.wait_s:
            self.ended_by, self.wait_s = status, wait_s
        elif self.ended_by is None:
            self.ended_by = status
        self.calls.is_ending = True


class Worker:
    """Claims items and processes them concurrently, in one invocation."""

    def __init__(
        self,
        claims: ItemClaims,
        processor: ItemProcessor,
        renewer: LeaseRenewer,
        calls: CallLimit,
    ) -> None:
        self._claims = claims
        self._processor = processor
        self._renewer = renewer
        self._calls = calls

    async def run(self, request: WorkerInvocation) -> WorkerResult:
        """Work until no item can be claimed, Claude asks for a long wait, or time runs out.

        Claimed items are always processed before it returns, or raises the StorageError that made
        claiming impossible.
        """
        progress = _Progress(self._calls)
        renewals = asyncio.create_task(self._renewer.run())
        try:
            while True:
                await self._fill(progress)
                self._calls.filled.set()
                if not progress.tasks:
                    break
                await progress.changed.wait()
                progress.changed.clear()
                for task in [task for task in progress.tasks if task.done()]:
                    progress.tasks.remove(task)
                    self._collect(progress, task)
        finally:
            renewals.cancel()
        if progress.failure is not None:
            raise progress.failure
        return self._result(request, progress)

    async def _fill(self, progress: _Progress) -> None:
        """Start as many items as there is capacity for, unless claiming has stopped."""
        while progress.ended_by is None and (free := progress.free()) > 0:
            items = await self._claim(free, progress)
            for item in items:
                task = asyncio.create_task(self._process(item, progress))
                task.add_done_callback(lambda _: progress.changed.set())
                progress.tasks.add(task)
            if not items:
                return

    async def _claim(self, count: int, progress: _Progress) -> list[BatchItem]:
        """Claim up to so many items; of none, note whether and why claiming has stopped."""
        if not self._calls.has_time:
            progress.stop_claiming("continue")
            return []
        try:
            items = await asyncio.to_thread(self._claims.claim, count)
        except ClaimsClosedError:
            progress.stop_claiming("closed")
        except CapReachedError:
            # What is in progress may cost less than was reserved for it.
            if not progress.tasks:
                progress.stop_claiming("drained")
        except StorageError as error:
            progress.failure = error
            progress.stop_claiming("continue")
        else:
            if not items:
                progress.stop_claiming("drained")
            return items
        return []

    async def _process(self, item: BatchItem, progress: _Progress) -> float | None:
        self._renewer.hold(item)
        try:
            return await self._processor.process(item, self._answered(item, progress))
        finally:
            self._renewer.release(item)
            progress.answered.discard(item.position)

    def _answered(self, item: BatchItem, progress: _Progress) -> Callable[[], None]:
        """What a processor calls: the next call starts while this answer is worked on.

        Not in a job that stops at its first failure, which is known only when the item has ended.
        """
        if self._processor.job.error_handling == "stop":
            return lambda: None
        return partial(progress.note_answer, item)

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
            calls_in_flight=self._calls.limit,
        )
