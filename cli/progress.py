"""Following a batch job to its end, without any display."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from cli.client import ApiClient, Document, segment

FINAL_STATUSES = frozenset({"completed", "failed", "cancelled"})
POLL_S = 1.0  # one GetItem a second: a fraction of a cent for the longest batch


@dataclass(frozen=True)
class BatchStatus:
    """One answer of the status route. Money in US dollars; times left in seconds."""

    job_id: str
    name: str
    status: str
    total: int
    completed: int
    successful: int
    failed: int
    cancelled: int
    processing: int
    queued: int
    seconds_left: float | None
    cost_usd: Decimal
    simulated: bool
    stopped_reason: str | None
    document: Document

    @classmethod
    def read(cls, document: Document) -> "BatchStatus":
        """Read the API's answer."""
        progress = document["progress"]
        return cls(
            job_id=document["jobId"],
            name=document["name"],
            status=document["status"],
            total=progress["total"],
            completed=progress["completed"],
            successful=progress["successful"],
            failed=progress["failed"],
            cancelled=progress["cancelled"],
            processing=progress["processing"],
            queued=progress["queued"],
            seconds_left=document.get("estimatedTimeRemaining"),
            cost_usd=Decimal(str(document["cost_usd"])),
            simulated=document["simulated"],
            stopped_reason=document.get("stoppedReason"),
            document=document,
        )

    @property
    def is_final(self) -> bool:
        """Nothing will change any more, short of retry-failed."""
        return self.status in FINAL_STATUSES

    @property
    def is_at_rest(self) -> bool:
        """Final, or paused with nothing in flight: waiting longer shows nothing new."""
        return self.is_final or (self.status == "paused" and self.processing == 0)

    @property
    def is_success(self) -> bool:
        """Completed, and every item with it."""
        return self.status == "completed" and self.successful == self.total


def batch_status(client: ApiClient, job_id: str) -> BatchStatus:
    """Ask once."""
    return BatchStatus.read(client.get(f"/api/conversations/batch/{segment(job_id)}/status"))


def follow_batch(
    client: ApiClient,
    job_id: str,
    on_update: Callable[[BatchStatus], None],
    *,
    interval_s: float = POLL_S,
    sleep: Callable[[float], None] = time.sleep,
) -> BatchStatus:
    """Poll until the job is at rest, call `on_update` with each answer, return the last one.

    A paused job is at rest once its items in flight are done. Raises the client's errors when
    the API stays away longer than its retries; the job itself is not touched by that.
    """
    while True:
        status = batch_status(client, job_id)
        on_update(status)
        if status.is_at_rest:
            return status
        sleep(interval_s)
