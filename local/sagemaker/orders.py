"""Orders to end an attempt early, and why they are given."""

import threading
import time

STOPPED = "Stopped"
MAX_RUNTIME = "MaxRuntimeExceeded"
INTERRUPTED = "Interrupted"

STOP_GRACE_SECONDS = 120.0
"""Between SIGTERM and SIGKILL. Source: the StopTrainingJob reference."""

INTERRUPTION_GRACE_SECONDS = 8.0
"""The same when the machine is taken away, or the engine stops: a checkpoint is written in well
under that, and ``local down`` waits 20 seconds."""


class Orders:
    """Why an attempt is to end early, and when what is left of it is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reason: str | None = None
        self.kill_at = 0.0

    def give(self, reason: str, grace_seconds: float) -> None:
        """Order the end; only an interruption, which takes the machine away, overrules another."""
        with self._lock:
            if self.reason is None or reason == INTERRUPTED:
                self.reason = reason
                self.kill_at = time.monotonic() + grace_seconds
