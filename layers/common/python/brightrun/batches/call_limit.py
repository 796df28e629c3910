"""Limits how many calls to Claude a worker has in flight, as Claude's refusals tell it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from brightrun.core.errors import ClaudeCallError
from brightrun.core.limits import CALL_TIMEOUT_S

CALL_MARGIN_S = 45.0
"""Seconds beyond the longest call that storing its completion may take before the Lambda stops."""
MAX_HELD_WAIT_S = 20.0
"""The longest wait in a worker: a state of the workflow waits for less than so long a Lambda."""
MAX_REFUSALS = 8
"""Refusals of one item in a row before its worker makes way; at 30 %, 1 in 15,000 items."""
_BACKOFF_S = 0.5
_MAX_BACKOFF_S = 8.0
_JITTER = 0.1
_DECREASE = 0.8
_INCREASE = 2.0
"""More calls in flight for as many answers as there were calls in flight: at a steady 30 % of
refusals about a third of 20 calls stay in flight, at 5 % all of them."""


def refusal_delay_s(refusals: int, retry_after_s: float | None) -> float:
    """Seconds before a refused call is repeated: Retry-After, else 0.5 s doubled to at most 8 s.

    Up to 10 % of jitter is added to what Claude asked for, and half of our own guess is random.
    """
    if retry_after_s is not None:
        return retry_after_s * (1 + random.uniform(0, _JITTER))  # noqa: S311 - not a secret
    backoff = min(_MAX_BACKOFF_S, _BACKOFF_S * 2.0 ** (refusals - 1))
    return backoff * random.uniform(0.5, 1)  # noqa: S311 - not a secret


@dataclass(slots=True)
class CallInFlight:
    """A call; with `near_limit` its answer does not raise the limit: more would be refused."""

    near_limit: bool = False


class CallLimit:
    """Calls in flight of one worker: additive increase, multiplicative decrease.

    A refused call (429, 529) lowers the limit, once for all calls that were in flight together,
    and waits for its own repetition while the others go on; answers raise the limit again, up to
    `most`. A share of what all workers may have in flight replaces it. Use it in one event loop.
    """

    def __init__(
        self,
        most: int,
        *,
        start: int | None = None,
        seconds_left: Callable[[], float],
        is_open: Callable[[], bool],
    ) -> None:
        """`is_open` tells, by a blocking read, whether the job still wants its calls made."""
        self.most = most
        self.waiting = 0
        """Refused calls that wait for their repetition."""
        self.changed = asyncio.Event()
        """Set when a call begins to wait, so that another one may start."""
        self.filled = asyncio.Event()
        """Set while no call could start: what an answer's own work waits for, since it competes
        with claims and calls for the one interpreter."""
        self._limit = float(min(most, start or most))
        self.lowered = 0
        """How often refusals have lowered the limit."""
        self.is_ending = False
        """Set when no more items are claimed: only calls in flight and their repetitions follow."""
        self._in_flight = 0
        self._freed = asyncio.Condition()
        self._seconds_left = seconds_left
        self._is_open = is_open

    @property
    def limit(self) -> int:
        """How many calls may be in flight now; at least one."""
        return int(self._limit)

    @property
    def exact(self) -> float:
        """The limit with its fraction, which the next answers raise."""
        return self._limit

    async def take_share(self, limit: float, most: int) -> None:
        """Go on with another limit, which answers raise up to `most`; at least one call each."""
        async with self._freed:
            self.most = max(1, most)
            self._limit = min(float(self.most), max(1.0, limit))
            self._freed.notify_all()
        self.changed.set()

    def wanted(self, ordered: int) -> int:
        """How many calls it can make use of: what was ordered, or what is left when it ends."""
        return max(1, self._in_flight + self.waiting) if self.is_ending else ordered

    @property
    def has_time(self) -> bool:
        """Whether the Lambda runs long enough for one more call."""
        return self._has_time_after(0)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[CallInFlight]:
        """One call in flight, as soon as the limit allows it."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._in_flight < self.limit)
            self._in_flight += 1
        lowered, call = self.lowered, CallInFlight()
        try:
            yield call
        except ClaudeCallError as error:
            if error.overloaded and lowered == self.lowered:
                self.lowered += 1
                self._limit = max(1.0, self._limit * _DECREASE)
            raise
        else:
            if not call.near_limit:
                self._limit = min(float(self.most), self._limit + _INCREASE / self._limit)
        finally:
            async with self._freed:
                self._in_flight -= 1
                self._freed.notify_all()

    async def wait_to_repeat(self, error: ClaudeCallError, refusals: int) -> bool:
        """Wait as long as Claude asked; False if the item should be queued again instead.

        So it is for a wait longer than MAX_HELD_WAIT_S, after MAX_REFUSALS, without the time for
        another call, and when the job was paused, cancelled or stopped meanwhile.
        """
        delay_s = refusal_delay_s(refusals, error.retry_after_s)
        if not error.overloaded or refusals >= MAX_REFUSALS or delay_s > MAX_HELD_WAIT_S:
            return False
        if not self._has_time_after(delay_s):
            return False
        self.waiting += 1
        self.changed.set()
        try:
            await asyncio.sleep(delay_s)
            return await self.wants_calls()
        finally:
            self.waiting -= 1

    async def wants_calls(self) -> bool:
        """Whether the job is still neither paused, cancelled nor stopped. Raises StorageError."""
        return await asyncio.to_thread(self._is_open)

    def _has_time_after(self, delay_s: float) -> bool:
        return self._seconds_left() - delay_s >= CALL_TIMEOUT_S + CALL_MARGIN_S
