"""Showing a training job while it runs: a live chart of the loss on a terminal, lines elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.client import ApiClient
from cli.errors import InterruptedByUserError
from cli.text import money, plain
from cli.training_progress import POLL_S, TrainingProgress, follow_training

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

Listener = Callable[[TrainingProgress], None]
BLOCKS = "▁▂▃▄▅▆▇█"
CHART_WIDTH = 60


def watch_training(
    client: ApiClient, job_id: str, console: "Console | None", interval_s: float = POLL_S
) -> TrainingProgress:
    """Follow a job and show its progress on the console, or nothing without one.

    Ctrl-C ends the watching, not the training, and raises InterruptedByUserError saying so.
    """
    try:
        with training_display(console) as show:
            return follow_training(client, job_id, show, interval_s=interval_s)
    except KeyboardInterrupt as interrupt:
        raise InterruptedByUserError(
            f"No longer watching; training job {job_id} goes on by itself.",
            hint=f"See it again with `brightrun job watch {job_id}`, end it with "
            f"`brightrun job cancel {job_id}`.",
            details={"job_id": job_id},
        ) from interrupt


@contextmanager
def training_display(console: "Console | None") -> Iterator[Listener]:
    """Give a listener for follow_training that suits the console."""
    if console is None:
        yield lambda _: None
    elif console.is_terminal:
        from rich.live import Live

        with Live(console=console, refresh_per_second=4) as live:
            yield lambda now: live.update(_panel(now))
    else:
        yield _lines(console)


def describe(now: TrainingProgress) -> str:
    """Say in one line how far a job is."""
    job = now.job
    parts = [f"{job['status']}, {plain(job['current_stage'])}"]
    if job["total_steps"]:
        parts.append(f"step {job['current_step']}/{job['total_steps']}")
    if now.losses:
        parts.append(f"loss {now.losses[-1][1]:.4f}")
    if now.validation_losses:
        parts.append(f"validation {now.validation_losses[-1][1]:.4f}")
    parts.append(money(job["current_cost"] if job["final_cost"] is None else job["final_cost"]))
    if job["stage_reason"] and not now.is_final:
        parts.append(plain(job["stage_reason"]))
    return ", ".join(parts)


def sparkline(values: Sequence[float], width: int = CHART_WIDTH) -> str:
    """Draw values as one line of blocks, the mean of its neighbours in each where they are many."""
    if not values:
        return ""
    count = min(width, len(values))
    edges = [round(index * len(values) / count) for index in range(count + 1)]
    means = [
        sum(values[begin:end]) / (end - begin) for begin, end in zip(edges, edges[1:], strict=False)
    ]
    lowest, spread = min(means), max(means) - min(means)
    heights = [(mean - lowest) / spread if spread else 0.5 for mean in means]
    return "".join(BLOCKS[round(height * (len(BLOCKS) - 1))] for height in heights)


def _panel(now: TrainingProgress) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    rows = [Text(describe(now))]
    for name, curve in (("loss      ", now.losses), ("validation", now.validation_losses)):
        if curve:
            values = [loss for _, loss in curve]
            chart = Text(f"{name} ", style="dim").append(sparkline(values), style="cyan")
            rows.append(chart.append(f" {values[0]:.3f} -> {values[-1]:.3f}", style="default"))
    return Group(*rows)


def _lines(console: "Console") -> Listener:
    last: list[str] = []

    def show(now: TrainingProgress) -> None:
        line = describe(now)
        if [line] != last:
            console.print(line, soft_wrap=True)
            last[:] = [line]

    return show
