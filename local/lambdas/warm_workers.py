"""The workers of one function between invocations: forked on demand, ended when unused."""

import threading
import time
from pathlib import Path

from local.lambdas.channel import ChannelClosed
from local.lambdas.function import Function
from local.lambdas.template import Templates, Worker

IDLE_SECONDS = 300.0
"""How long an unused worker is kept, in the range that Lambda keeps execution environments."""

_LOG_LIMIT_BYTES = 5 * 1024 * 1024


class WarmWorkers:
    """A pool of workers; idle ones are reused, and end after IDLE_SECONDS."""

    def __init__(self, function: Function, templates: Templates) -> None:
        self._function = function
        self._templates = templates
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Worker]] = []
        self._busy: set[Worker] = set()
        self._closed = False
        self._reaper: threading.Timer | None = None

    def take(self) -> Worker:
        """Take an idle worker, or fork one.

        Raises InitFailed when the handler cannot be imported, ChannelClosed when no worker can be
        started, as after ``close``.
        """
        with self._lock:
            if self._closed:
                raise ChannelClosed
            worker = self._idle.pop()[1] if self._idle else None
            unused = not self._idle and not self._busy
        if worker is None:
            if unused:
                _rotate(self._function.log_file)
            worker = self._templates.spawn(self._function)
        with self._lock:
            self._busy.add(worker)
        return worker

    def give_back(self, worker: Worker) -> None:
        """Return a worker to the pool."""
        with self._lock:
            self._busy.discard(worker)
            if self._closed:
                worker.kill()
                return
            self._idle.append((time.monotonic(), worker))
            self._arm_reaper()

    def discard(self, worker: Worker) -> None:
        """Kill a worker that failed or takes too long."""
        worker.kill()
        with self._lock:
            self._busy.discard(worker)

    def close(self) -> None:
        """Kill all workers, including those in use."""
        with self._lock:
            self._closed = True
            workers = [*self._busy, *(worker for _, worker in self._idle)]
            self._idle.clear()
            if self._reaper is not None:
                self._reaper.cancel()
        for worker in workers:
            worker.kill()

    def processes(self) -> set[int]:
        """Return the ids of the processes that run or wait for an invocation."""
        with self._lock:
            return {worker.pid for worker in (*self._busy, *(each for _, each in self._idle))}

    def _arm_reaper(self) -> None:
        if self._reaper is None:
            self._reaper = threading.Timer(IDLE_SECONDS, self._reap)
            self._reaper.daemon = True
            self._reaper.start()

    def _reap(self) -> None:
        oldest_kept = time.monotonic() - IDLE_SECONDS
        with self._lock:
            expired = [worker for since, worker in self._idle if since <= oldest_kept]
            self._idle = [entry for entry in self._idle if entry[0] > oldest_kept]
            self._reaper = None
            if self._idle:
                self._arm_reaper()
        for worker in expired:
            worker.close()


def _rotate(log_file: Path) -> None:
    """Begin a new log file where nobody writes to the old one."""
    if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
