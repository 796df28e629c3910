"""Following a training job to its end, with a live chart of the loss or lines for it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.client import ApiClient, Document, segment
from cli.text import money, number, plain
from cli.watching import POLL_S, leave_running, print_changes

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

BLOCKS = "▁▂▃▄▅▆▇█"
CHART_WIDTH = 60
FINAL_STATUSES = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True)
class TrainingProgress:
    """A training job at one point in time, with its loss curve so far.

    `losses` and `validation_losses` hold (step, loss); money is US dollars.
    """

    job: Document
    losses: tuple[tuple[int, float], ...]
    validation_losses: tuple[tuple[int, float], ...]

    @property
    def is_final(self) -> bool:
        """Whether the job has ended and its bill is closed."""
        settled: bool = self.job["settled"]
        return self.job["status"] in FINAL_STATUSES and settled

    @property
    def is_success(self) -> bool:
        """Whether there is an adapter."""
        completed: bool = self.job["status"] == "completed"
        return completed


class MetricsReader:
    """Reads the metrics of a job incrementally."""

    def __init__(self, client: ApiClient, job_id: str) -> None:
        self._client = client
        self._path = f"/api/jobs/{segment(job_id)}/metrics"
        self._points: dict[int, Document] = {}

    def all_points(self) -> list[Document]:
        """All points so far, in their order."""
        cursor = None
        while True:
            page = self._client.get(self._path, {"limit": 1000, "cursor": cursor})
            for point in page["data"]["metrics"]:
                self._points[point["sequence"]] = point
            cursor = page.get("next_cursor")
            if cursor is None:
                return [self._points[sequence] for sequence in sorted(self._points)]


def training_progress(client: ApiClient, job_id: str, metrics: MetricsReader) -> TrainingProgress:
    """Send one request."""
    job = client.poll(f"/api/jobs/{segment(job_id)}")["data"]["job"]
    points = metrics.all_points()
    return TrainingProgress(job, _curve(points, "training_loss"), _curve(points, "validation_loss"))


def follow_training(
    client: ApiClient,
    job_id: str,
    on_update: Callable[[TrainingProgress], None],
    *,
    interval_s: float = POLL_S,
) -> TrainingProgress:
    """Poll until the job has ended, call `on_update` with each answer, return the last one."""
    metrics = MetricsReader(client, job_id)
    while True:
        now = training_progress(client, job_id, metrics)
        on_update(now)
        if now.is_final:
            return now
        time.sleep(interval_s)


def _curve(points: list[Document], field: str) -> tuple[tuple[int, float], ...]:
    known: list[Any] = [point for point in points if point[field] is not None]
    return tuple((point["step"], point[field]) for point in known)


Listener = Callable[[TrainingProgress], None]


def watch_training(
    client: ApiClient, job_id: str, console: "Console | None", interval_s: float = POLL_S
) -> TrainingProgress:
    """Follow a job and show its progress on the console, or nothing without one.

    Ctrl-C ends the watching, not the training, and raises InterruptedByUserError saying so.
    """
    with (
        leave_running("training job", "job", {"job_id": job_id}),
        training_display(console) as listener,
    ):
        return follow_training(client, job_id, listener, interval_s=interval_s)


@contextmanager
def training_display(console: "Console | None") -> Iterator[Listener]:
    """Yield a listener for follow_training: a live chart on a terminal, lines elsewhere."""
    if console is None:
        yield lambda _: None
    elif console.is_terminal:
        from rich.live import Live

        with Live(console=console, refresh_per_second=4) as live:
            yield lambda now: live.update(_panel(now))
    else:
        yield print_changes(console, describe, describe)


def describe(now: TrainingProgress) -> str:
    """Describe the progress of a job in one line."""
    job = now.job
    parts = [f"{job['status']}, {plain(job['current_stage'])}"]
    if job["total_steps"]:
        parts.append(f"step {number(job['current_step'])}/{number(job['total_steps'])}")
    if now.losses:
        parts.append(f"loss {now.losses[-1][1]:.4f}")
    if now.validation_losses:
        parts.append(f"validation {now.validation_losses[-1][1]:.4f}")
    final = job["final_cost"]
    parts.append(f"{money(job['current_cost'])} so far" if final is None else money(final))
    if job["stage_reason"] and not now.is_final:
        parts.append(plain(job["stage_reason"]))
    return ", ".join(parts)


def sparkline(values: Sequence[float], width: int = CHART_WIDTH) -> str:
    """Draw values as one line of blocks; each is the mean of its values if there are more."""
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
