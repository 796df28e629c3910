"""Which job trains when: the oldest first, as many at a time as there are places."""

import queue
import threading
import time
from collections.abc import Callable

from local.sagemaker.orders import INTERRUPTED, INTERRUPTION_GRACE_SECONDS, Orders

Run = Callable[[str, Orders], None]
"""Runs the job of a name to its end, following orders."""


class TrainingQueue:
    """Runs jobs in threads of its own once it is started and ``until_ready`` has returned."""

    def __init__(self, run: Run, places: int, until_ready: Callable[[], None]) -> None:
        self._run = run
        self._until_ready = until_ready
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._orders: dict[str, Orders] = {}
        self.closing = False
        self._threads = [
            threading.Thread(target=self._work, name="training", daemon=True) for _ in range(places)
        ]

    def start(self) -> None:
        """Begin with the jobs that wait."""
        for thread in self._threads:
            thread.start()

    @property
    def is_full(self) -> bool:
        """Whether another job would have to wait."""
        with self._lock:
            return len(self._orders) >= len(self._threads)

    def put(self, name: str) -> None:
        """Let a job run when its turn comes."""
        with self._lock:
            self._orders[name] = Orders()
        self._waiting.put(name)

    def order(self, name: str, reason: str, grace_seconds: float) -> None:
        """Order the early end of a job that runs or waits; others are left alone."""
        with self._lock:
            orders = self._orders.get(name)
        if orders is not None:
            orders.give(reason, grace_seconds)

    def close(self) -> None:
        """Interrupt what runs and return when it has ended; waiting jobs stay where they are."""
        with self._lock:
            self.closing = True
            running = list(self._orders.values())
        for orders in running:
            orders.give(INTERRUPTED, INTERRUPTION_GRACE_SECONDS)
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
                orders = self._orders[name]
            self._run(name, orders)
            with self._lock:
                if self._orders[name] is orders:  # it was not put here once more
                    del self._orders[name]
