"""Finds one worker its next items: first those nobody was given yet, then those left over."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from brightrun.domain import batch_log
from brightrun.domain.batch import BatchItem, BatchJob, Lease
from brightrun.domain.moments import epoch_ms
from brightrun.ports import BatchLists, ClaimRepository, Clock


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
        lists: BatchLists,
        job: BatchJob,
        *,
        token: str,
        lease_seconds: int,
        clock: Clock,
    ) -> None:
        self._claims = claims
        self._lists = lists
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
            open_items = self._lists.open_items(self._job.owner_id, self._job.job_id)
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
