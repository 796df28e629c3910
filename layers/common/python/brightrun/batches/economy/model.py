"""A submission: what the economy lane knows of one Message Batch of a job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from brightrun.batches.model import BatchItem
from brightrun.core.timestamps import epoch_ms, from_iso

MOST_REQUESTS = 2_000
MOST_BYTES = 24_000_000
"""Of one Message Batch, where the API allows 100,000 and 256 MB: a batch ends as a whole, so that
smaller ones give their first results earlier, and a worker holds the requests in its memory."""
CLAIMED_TOGETHER = 80
"""Items of one claim, below a transaction's 100 operations; MOST_REQUESTS is a multiple."""
LEASE_S = 29 * 24 * 3600
"""Of the items in a Message Batch: as long as the API keeps the results that they wait for."""
HOLD_S = 240
"""How long one worker alone acts on a submission: longer than a call to Claude may take."""
MOST_TRIES = 12
"""Times that results are read in vain, or the worker dies over them, before the items fail."""
UNKNOWN_FOR = timedelta(hours=26)
"""After which it is no use to look for a Message Batch that may have been created: all of that
time have ended."""
CLOCK_SKEW = timedelta(minutes=2)
_FIRST_WAIT_S = 30.0
_LONGEST_WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Submission:
    """One Message Batch of a job, from the claim of its items until all of them have ended.

    `submission_id` is the lease token of its items. `sent_at` is stored before the requests are
    sent, and `batch_id` before anything waits: in between nobody knows whether the API has created
    the batch. Until `held_until` (epoch ms) only the worker `held_by` acts on it; `tries` counts
    those that did so in vain.
    """

    submission_id: str
    created_at: str
    held_by: str = ""
    held_until: int = 0
    tries: int = 0
    requests: int = 0
    sent_at: str | None = None
    batch_id: str | None = None

    def free_in_s(self, now: datetime) -> float:
        """Seconds until a worker may act on it; 0 if it may now."""
        return max(0.0, (self.held_until - epoch_ms(now)) / 1000)

    def poll_wait_s(self, now: datetime) -> float:
        """Seconds until it is worth asking again: half its age, 30 s to 5 minutes."""
        age_s = (now - from_iso(self.sent_at or self.created_at)).total_seconds()
        return min(_LONGEST_WAIT_S, max(_FIRST_WAIT_S, age_s / 2))

    def of(self, items: Iterable[BatchItem]) -> list[BatchItem]:
        """Those of the items that wait for it."""
        return [item for item in items if item.lease_token == self.submission_id]


def custom_id(item: BatchItem) -> str:
    """The name of an item's request: another one each time that it is sent."""
    return f"{item.item_id}-{item.generation}-{item.attempts}"
