"""One worker's turn: as many conversations in work as it may have, until something ends it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from brightrun.domain.batch import BatchItem, BatchJob
from brightrun.domain.claude import CALL_TIMEOUT_S
from brightrun.domain.workflow import MAX_LOOPS, TurnResult, TurnStatus, WorkerTurn
from brightrun.errors import BrightRunError, ClaimsClosedError, StorageError
from brightrun.observability import logger
from brightrun.services.claim_items import ItemClaims
from brightrun.services.keep_leases import LeaseKeeper

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
class _Turn:
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
        keeper: LeaseKeeper,
        seconds_left: Callable[[], float],
    ) -> None:
        self._claims = claims
        self._writer = writer
        self._keeper = keeper
        self._seconds_left = seconds_left
        self._capacity = writer.job.calls_per_worker

    async def take_turn(self, request: WorkerTurn) -> TurnResult:
        """Work until no item can be claimed, Claude asks us to wait, or the time runs out.

        What was claimed is always brought to its end first. Raises the StorageError that made
        claiming impossible, after that.
        """
        turn = _Turn()
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

    async def _fill(self, turn: _Turn) -> None:
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

    def _account(self, turn: _Turn, task: asyncio.Task[float | None]) -> None:
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

    def _result(self, request: WorkerTurn, turn: _Turn) -> TurnResult:
        status = turn.ended_by or "drained"
        loop = request.loop + 1
        if status in {"continue", "wait"} and loop >= MAX_LOOPS:
            status = "handover"
        return TurnResult(
            owner_id=request.owner_id,
            job_id=request.job_id,
            worker=request.worker,
            loop=loop,
            status=status,
            wait_seconds=math.ceil(turn.wait_s),
        )
