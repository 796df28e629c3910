"""The running workers and the limit on their calls, in memory."""

from __future__ import annotations

import threading
from datetime import datetime

from brightrun.aws.running_workers import (
    COUNTED_FOR,
    LEARNED_FOR,
    Running,
    RunningWorker,
    RunningWorkers,
)
from brightrun.core.errors import StorageError


class InMemoryRunningWorkers(RunningWorkers):
    """Counts its `writes`; while `fails` every request does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: dict[tuple[str, str], tuple[RunningWorker, datetime]] = {}
        self._limits: dict[str, tuple[float, datetime]] = {}
        self.writes = 0
        self.fails = False

    def report(self, worker: RunningWorker, now: datetime) -> Running:
        with self._lock:
            self._write()
            self._workers[worker.model, worker.token] = worker, now + COUNTED_FOR
            workers = [
                one
                for one, until in self._workers.values()
                if one.model == worker.model and until > now
            ]
            return Running(workers, self._limit(worker.model, now))

    def learn(
        self, model: str, change: float, now: datetime, *, refused: bool, otherwise: float
    ) -> float | None:
        with self._lock:
            self._write()
            known = self._limit(model, now)
            if known is None and not refused:
                return None
            limit = otherwise if known is None else known + change
            until = now + LEARNED_FOR if refused else self._limits[model][1]
            self._limits[model] = limit, until
            return limit

    def leave(self, worker: RunningWorker) -> None:
        with self._lock:
            self._write()
            self._workers.pop((worker.model, worker.token), None)

    def _limit(self, model: str, now: datetime) -> float | None:
        limit, until = self._limits.get(model, (0.0, now))
        return limit if until > now else None

    def _write(self) -> None:
        if self.fails:
            raise StorageError("UpdateItem", "ServiceUnavailable")
        self.writes += 1
