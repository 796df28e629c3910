"""Following a training job to its end, without any display."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cli.client import ApiClient, Document, segment

FINAL_STATUSES = frozenset({"completed", "failed", "cancelled"})
POLL_S = 1.0


@dataclass(frozen=True)
class TrainingProgress:
    """What a training job looks like at one moment, with its whole loss curve so far.

    `losses` and `validation_losses` hold (step, loss); money is US dollars.
    """

    job: Document
    losses: tuple[tuple[int, float], ...]
    validation_losses: tuple[tuple[int, float], ...]

    @property
    def is_final(self) -> bool:
        """Its status will not change any more, and its bill is closed."""
        settled: bool = self.job["settled"]
        return self.job["status"] in FINAL_STATUSES and settled

    @property
    def is_success(self) -> bool:
        """There is an adapter."""
        completed: bool = self.job["status"] == "completed"
        return completed


class MetricsReader:
    """Reads a job's points, each of them once."""

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
    """Ask once."""
    job = client.get(f"/api/jobs/{segment(job_id)}")["data"]["job"]
    points = metrics.all_points()
    return TrainingProgress(job, _curve(points, "training_loss"), _curve(points, "validation_loss"))


def follow_training(
    client: ApiClient,
    job_id: str,
    on_update: Callable[[TrainingProgress], None],
    *,
    interval_s: float = POLL_S,
    sleep: Callable[[float], None] = time.sleep,
) -> TrainingProgress:
    """Poll until the job has ended, call `on_update` with each answer, return the last one."""
    metrics = MetricsReader(client, job_id)
    while True:
        now = training_progress(client, job_id, metrics)
        on_update(now)
        if now.is_final:
            return now
        sleep(interval_s)


def _curve(points: list[Document], field: str) -> tuple[tuple[int, float], ...]:
    known: list[Any] = [point for point in points if point[field] is not None]
    return tuple((point["step"], point[field]) for point in known)
