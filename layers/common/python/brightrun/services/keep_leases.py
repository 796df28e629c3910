"""Keeps the leases of the items in work alive, so that a lease may be short."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from brightrun.domain.batch import BatchItem, Lease
from brightrun.errors import BrightRunError, LeaseLostError
from brightrun.observability import logger
from brightrun.ports import ClaimRepository


class LeaseKeeper:
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
