"""The queue of training jobs: the oldest first, a limited number at a time."""

import queue
import threading
import time
from collections.abc import Callable

from local.sagemaker.attempt import INTERRUPTED, INTERRUPTION_GRACE_SECONDS, StopSignal

Run = Callable[[str, StopSignal], None]
"""Runs the job of a name until its end or its stop signal."""


class TrainingQueue:
    """Runs jobs in threads of its own once it is started and ``until_ready`` has returned."""

    def __init__(self, run: Run, places: int, until_ready: Callable[[], None]) -> None:
        self._run = run
        self._until_ready = until_ready
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._signals: dict[str, StopSignal] = {}
        self.closing = False
        self._threads = [
            threading.Thread(target=self._work, name="training", daemon=True) for _ in range(places)
        ]

    def start(self) -> None:
        """Start to run the queued jobs."""
        for thread in self._threads:
            thread.start()

    @property
    def is_full(self) -> bool:
        """Whether another job would have to wait."""
        with self._lock:
            return len(self._signals) >= len(self._threads)

    def put(self, name: str) -> None:
        """Queue a job."""
        with self._lock:
            self._signals[name] = StopSignal()
        self._waiting.put(name)

    def stop(self, name: str, reason: str, grace_seconds: float) -> None:
        """Request the early end of a job that runs or waits; other names are ignored."""
        with self._lock:
            signal = self._signals.get(name)
        if signal is not None:
            signal.send(reason, grace_seconds)

    def close(self) -> None:
        """Interrupt running jobs and wait for their end; waiting jobs stay as they are."""
        with self._lock:
            self.closing = True
            running = list(self._signals.values())
        for signal in running:
            signal.send(INTERRUPTED, INTERRUPTION_GRACE_SECONDS)
        for _ in self._threads:
            self._waiting.put(None)
        deadline = time.monotonic() + INTERRUPTION_GRACE_SECONDS + 2
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        self._until_ready()
        while (name := self._waiting.get()) is not None and not self.closing:
            with self._lock:
                signal = self._signals[name]
            self._run(name, signal)
            with self._lock:
                if self._signals[name] is signal:  # unless the job was queued again meanwhile
                    del self._signals[name]
