"""Shares the calls in flight that Claude carries among all running workers, fairly between owners.

Each worker goes on finding by itself what Claude carries (`call_limit.py`). Every BEAT_S seconds it
adds what it found, more or less than its share, to the limit of all, and takes its share of that.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from brightrun.aws.running_workers import Running, RunningWorker, RunningWorkers
from brightrun.batches.call_limit import CallLimit
from brightrun.core.errors import BrightRunError
from brightrun.core.logging import logger
from brightrun.core.timestamps import Clock

BEAT_S = 10.0
"""Seconds between a worker's reports: a write and a read each, whatever the number of its calls."""


def divided(calls: int, wanted: Mapping[str, int]) -> dict[str, int]:
    """Divide calls so that none gets more than it wants, and equal wants differ by one at most.

    What one does not want goes to the others. It is the same whoever works it out.
    """
    given = {}
    poorest_first = sorted(wanted, key=lambda name: (wanted[name], name))
    for index, name in enumerate(poorest_first):
        given[name] = min(wanted[name], calls // (len(wanted) - index))
        calls -= given[name]
    return given


def fair_share(limit: float, mine: RunningWorker, workers: Iterable[RunningWorker]) -> int:
    """A worker's part of the limit: divided among owners first, then among an owner's workers.

    At least one, so that no batch stands still.
    """
    by_owner: dict[str, dict[str, int]] = {mine.owner_id: {mine.token: mine.most}}
    for worker in workers:
        by_owner.setdefault(worker.owner_id, {})[worker.token] = worker.most
    wanted = {owner: sum(most.values()) for owner, most in by_owner.items()}
    owners = divided(math.floor(limit), wanted)
    return max(1, divided(owners[mine.owner_id], by_owner[mine.owner_id])[mine.token])


@dataclass(slots=True)
class SharedCalls:
    """A worker's share of the calls; without a table that answers, it goes on with what it has.

    `most_calls` is the most that all workers of a model may have in flight; 0 if only Claude's
    refusals tell. Use it in one event loop.
    """

    running: RunningWorkers
    calls: CallLimit
    worker: RunningWorker
    clock: Clock
    most_calls: int = 0
    _share: float = field(init=False)
    _lowered: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._share = self.calls.exact

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[None]:
        """Take part: a first share before the first call, and the last one given back."""
        await self.beat()
        left = asyncio.Event()
        beats = asyncio.create_task(self._beats(left))
        try:
            yield
        finally:
            # Not cancelled: a report that is on its way would arrive after the worker has left.
            left.set()
            await beats
            await self._leave()

    async def beat(self) -> None:
        """Report what was found since the last time, and take the share that follows from it."""
        found, lowered = self.calls.exact, self.calls.lowered
        refused = lowered > self._lowered
        me = replace(self.worker, limit=found, most=self.calls.wanted(self.worker.most))
        try:
            running = await asyncio.to_thread(self._exchange, me, refused=refused)
        except BrightRunError as error:
            logger().warning("calls_not_shared", error_code=error.code)
            return
        self._lowered = lowered
        most = self.worker.most
        if self.most_calls:
            most = fair_share(self.most_calls, me, running.workers)
        self._share = min(found, most)
        if running.limit is not None:
            limit = min(running.limit, self.most_calls or math.inf)
            self._share = fair_share(limit, me, running.workers)
        # What was found while the table was asked belongs to the next report.
        meanwhile = self.calls.exact - found
        await self.calls.take_share(self._share + meanwhile, most)

    def _exchange(self, me: RunningWorker, *, refused: bool) -> Running:
        now = self.clock()
        running = self.running.report(me, now)
        change = me.limit - self._share
        if not refused and (running.limit is None or not change):
            return running
        limit = self.running.learn(
            self.worker.model,
            change,
            now,
            refused=refused,
            otherwise=sum(worker.limit for worker in running.workers),
        )
        return replace(running, limit=limit)

    async def _beats(self, left: asyncio.Event) -> None:
        while not left.is_set():
            try:
                await asyncio.wait_for(left.wait(), BEAT_S)
            except TimeoutError:
                await self.beat()

    async def _leave(self) -> None:
        try:
            await asyncio.to_thread(self.running.leave, self.worker)
        except BrightRunError as error:
            logger().warning("calls_not_given_back", error_code=error.code)
