"""Showing a batch while it runs: a live bar on a terminal, a line per change elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.client import ApiClient
from cli.errors import InterruptedByUserError
from cli.progress import POLL_S, BatchStatus, follow_batch
from cli.text import duration, money

if TYPE_CHECKING:
    from rich.console import Console

Listener = Callable[[BatchStatus], None]


def watch_batch(
    client: ApiClient, job_id: str, console: "Console | None", interval_s: float = POLL_S
) -> BatchStatus:
    """Follow a job and show its progress on the console, or nothing without one.

    Ctrl-C ends the watching, not the batch, and raises InterruptedByUserError saying so.
    """
    try:
        with progress_display(console) as show:
            return follow_batch(client, job_id, show, interval_s=interval_s)
    except KeyboardInterrupt as interrupt:
        raise InterruptedByUserError(
            f"No longer watching; batch {job_id} goes on by itself.",
            hint=f"See it again with `brightrun batch watch {job_id}`, end it with "
            f"`brightrun batch cancel {job_id}`.",
            details={"jobId": job_id},
        ) from interrupt


@contextmanager
def progress_display(console: "Console | None") -> Iterator[Listener]:
    """Give a listener for follow_batch that suits the console."""
    if console is None:
        yield _ignore
    elif console.is_terminal:
        with _live_bar(console) as show:
            yield show
    else:
        yield _lines(console)


def describe(status: BatchStatus) -> str:
    """Say in one line how far a job is."""
    cost = f"{money(status.cost_usd)}{' (simulated)' if status.simulated else ''}"
    parts = [f"{status.completed}/{status.total} done", f"{status.failed} failed"]
    if status.cancelled:
        parts.append(f"{status.cancelled} cancelled")
    if not status.is_final:
        parts.append(f"{duration(status.seconds_left)} left")
    return f"{status.status}: {', '.join([*parts, cost])}"


def _ignore(status: BatchStatus) -> None:
    """Show nothing: under --json stdout holds one document only."""


def _lines(console: "Console") -> Listener:
    last: list[object] = []

    def show(status: BatchStatus) -> None:
        now: list[object] = [status.status, status.completed, status.failed, status.cancelled]
        if now != last:
            console.print(describe(status))
            last[:] = now

    return show


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

        def show(status: BatchStatus) -> None:
            bars.update(
                bar,
                total=status.total,
                completed=status.completed,
                description=describe(status),
                refresh=True,
            )

        yield show
