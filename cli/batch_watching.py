"""Following a batch to its end: its status, a live bar or lines for it, and its log."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from cli.client import ApiClient, Document, segment
from cli.text import duration, money, number
from cli.watching import POLL_S, leave_running, print_changes

if TYPE_CHECKING:
    from rich.console import Console

FINAL_STATUSES = frozenset({"completed", "failed", "cancelled"})


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
    status_line: str
    max_cost_usd: float | None
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
            status_line=document["status_line"],
            max_cost_usd=document["max_cost_usd"],
            document=document,
        )

    @property
    def is_final(self) -> bool:
        """Whether the batch has ended; only retry-failed, or a higher cap, can change it now."""
        return self.status in FINAL_STATUSES

    @property
    def is_at_rest(self) -> bool:
        """Whether it is final, or paused with nothing in flight."""
        return self.is_final or (self.status == "paused" and self.processing == 0)

    @property
    def is_success(self) -> bool:
        """Whether every item of the batch succeeded."""
        return self.status == "completed" and self.successful == self.total


def batch_status(client: ApiClient, job_id: str) -> BatchStatus:
    """Send one request."""
    return BatchStatus.read(client.poll(f"/api/conversations/batch/{segment(job_id)}/status"))


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
    the API is unavailable for longer than its retries; the job itself runs on.
    """
    while True:
        status = batch_status(client, job_id)
        on_update(status)
        if status.is_at_rest:
            return status
        sleep(interval_s)


Listener = Callable[[BatchStatus], None]


def watch_batch(
    client: ApiClient, job_id: str, console: "Console | None", interval_s: float = POLL_S
) -> BatchStatus:
    """Follow a job and show its progress on the console, or nothing without one.

    Ctrl-C ends the watching, not the batch, and raises InterruptedByUserError saying so.
    """
    with (
        leave_running("batch", "batch", {"jobId": job_id}),
        progress_display(console) as listener,
    ):
        return follow_batch(client, job_id, listener, interval_s=interval_s)


@contextmanager
def progress_display(console: "Console | None") -> Iterator[Listener]:
    """Yield a listener for follow_batch: a live bar on a terminal, lines elsewhere."""
    if console is None:
        yield lambda _: None
    elif console.is_terminal:
        with _live_bar(console) as listener:
            yield listener
    else:
        yield print_changes(console, describe, _counts)


def describe(status: BatchStatus) -> str:
    """Describe the progress of a job in one line; of one that has ended, what is left to do."""
    cost = f"{money(status.cost_usd)}{' (simulated)' if status.simulated else ''}"
    if status.max_cost_usd is not None:
        cost += f" of at most {money(status.max_cost_usd)}"
    if status.is_final:
        return f"{status.status_line} {cost}"
    done = f"{number(status.completed)}/{number(status.total)} done"
    parts = [done, f"{number(status.failed)} failed"]
    if status.cancelled:
        parts.append(f"{number(status.cancelled)} cancelled")
    parts.append(f"{duration(status.seconds_left)} left")
    return f"{status.status}: {', '.join([*parts, cost])} so far"


@contextmanager
def _live_bar(console: "Console") -> Iterator[Listener]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task("waiting for the first answer", total=None)

        def listen(status: BatchStatus) -> None:
            bars.update(
                bar,
                total=status.total,
                completed=status.completed,
                description=describe(status),
                refresh=True,
            )

        yield listen


def _counts(status: BatchStatus) -> object:
    return status.status, status.completed, status.failed, status.cancelled


class LogReader:
    """Reads each line once, however often it is asked.

    The last page is read again from its own cursor, since it may have grown; workers write at
    the same time, so a line may turn up before others of its page that were read already.
    """

    def __init__(self, client: ApiClient, job_id: str) -> None:
        self._client = client
        self._path = f"/api/batch-jobs/{segment(job_id)}/log"
        self._cursor: str | None = None
        self._seen: Counter[str] = Counter()

    def new_lines(self) -> Iterator[str]:
        """Yield the lines not read so far, oldest first."""
        while True:
            page = self._client.get(self._path, {"cursor": self._cursor})
            lines: list[str] = page["lines"]
            unread = Counter(lines) - self._seen
            for line in lines:
                if unread[line]:
                    unread[line] -= 1
                    yield line
            self._seen = Counter(lines)
            following = page.get("next_cursor")
            if following is None or not lines:
                return
            self._cursor, self._seen = following, Counter()


def follow_log(
    client: ApiClient,
    job_id: str,
    *,
    interval_s: float = POLL_S,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[str]:
    """Yield the log's lines as they come, until the job is at rest and its last line is read."""
    reader = LogReader(client, job_id)
    while True:
        # Asked before reading: what is written up to the end is then certain to be read.
        at_rest = batch_status(client, job_id).is_at_rest
        yield from reader.new_lines()
        if at_rest:
            return
        sleep(interval_s)
