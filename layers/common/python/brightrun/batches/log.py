"""The lines of a batch's log, worded as in v1."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from brightrun.core.timestamps import iso
from brightrun.core.wording import duration

_sequence = itertools.count()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line; `entry_id` sorts by time, then by the order of writing within a process."""

    entry_id: str
    at: str
    message: str

    def text(self) -> str:
        """The line as it appears in log.txt."""
        return f"[{self.at}] {self.message}"


def log_line(now: datetime, writer: str, message: str) -> LogLine:
    """Create a line; `writer` keeps lines of two processes in one millisecond distinct."""
    at = iso(now)
    return LogLine(f"{at}#{next(_sequence):08d}#{writer[:8]}", at, message)


def item_started(item_id: str, remaining: int) -> str:
    """An item was claimed; `remaining` includes it."""
    return f"Processing item {item_id[:8]}... ({remaining} remaining)"


def item_completed(item_id: str, conversation_id: str, *, reused: bool = False) -> str:
    """An item's conversation was stored."""
    origin = ", by an earlier answer at no cost" if reused else ""
    return f"✓ Item {item_id[:8]}... completed (conversation: {conversation_id[:8]}...){origin}"


def message_batch_sent(batch_id: str, requests: int) -> str:
    """A Message Batch was created."""
    return f"Message Batch {batch_id} sent: {requests:,} conversations at half the price"


def message_batch_read(batch_id: str, outcomes: Mapping[str, int]) -> str:
    """The results of a Message Batch were read; `outcomes` counts those that this worker read."""
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items()))
    return f"Message Batch {batch_id} has ended: {told or 'nothing new'}"


def lane_changed(batch_id: str) -> str:
    """A Message Batch was cancelled because the deadline nears."""
    return f"Message Batch {batch_id} is cancelled: what it has not answered goes on in realtime"


def item_released(item_id: str, why: str) -> str:
    """An item that was to be sent, or was sent in vain, is queued again without a failure."""
    return f"Item {item_id[:8]}... is queued again: {why}"


def item_judged(item_id: str, conversation_id: str) -> str:
    """An item's conversation was judged."""
    return f"✓ Item {item_id[:8]}... judged (conversation: {conversation_id[:8]}...)"


def item_failed(item_id: str, error: str) -> str:
    """An item failed."""
    return f"✗ Item {item_id[:8]}... failed: {error}"


def item_requeued(item_id: str, error: str, attempt: int, attempts: int, seconds: float) -> str:
    """An item was queued for another attempt, in `seconds`."""
    told = f"attempt {attempt} of {attempts} failed: {error.removesuffix('.')}"
    return f"↻ Item {item_id[:8]}... {told}; next try in {duration(seconds)}"


def job_ended(successful: int, failed: int, cancelled: int) -> str:
    """The job ended; cancelled items are mentioned only if there are any."""
    line = f"Batch job complete - {successful} successful, {failed} failed"
    return f"{line}, {cancelled} cancelled" if cancelled else line
