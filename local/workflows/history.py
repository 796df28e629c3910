"""The event history of one execution, as GetExecutionHistory shows it."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.durability.room import when_there_is_room
from local.workflows.cancellation import Cancelled
from local.workflows.failures import RUNTIME, StateFailed

MAX_EVENTS = 25_000
"""Events in one Standard execution; AWS fails an execution that would need more.

Source: Step Functions service quotas, "Maximum execution history size"."""


class HistoryFull(StateFailed):
    """The execution would need more events than a Standard execution may have."""

    def __init__(self) -> None:
        super().__init__(
            RUNTIME, f"The execution reached the maximum number of history events ({MAX_EVENTS})."
        )


class History:
    """Appends events to an execution, from several threads; each goes to ``keep`` first.

    While the disk has no room for an event, ``add`` waits with ``wait`` and tries again.
    """

    def __init__(
        self,
        events: list[dict[str, Any]],
        keep: Callable[[dict[str, Any]], None],
        *,
        limit: int = MAX_EVENTS,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._events = events
        self._keep = keep
        self._limit = limit
        self._wait = wait
        self._sealed = False
        self._lock = threading.Lock()

    def add(self, event_type: str, **details: dict[str, Any]) -> None:
        """Append one event.

        Raises HistoryFull when only the last event still fits, Cancelled once it is sealed.
        """
        when_there_is_room(lambda: self._append(event_type, details, self._limit - 1), self._wait)

    def close(self, event_type: str, **details: dict[str, Any]) -> None:
        """Append the event that ends the execution, and seal the history; once only.

        Raises DiskFull.
        """
        if self._sealed:
            return
        self._append(event_type, details, self._limit)
        self.seal()

    def seal(self) -> None:
        """Refuse further events: the execution has ended, even if states still run."""
        with self._lock:
            self._sealed = True

    def _append(self, event_type: str, details: dict[str, Any], limit: int) -> None:
        with self._lock:
            if self._sealed:
                raise Cancelled
            if len(self._events) >= limit:
                raise HistoryFull
            event = {
                "id": len(self._events) + 1,
                "type": event_type,
                "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
                **details,
            }
            self._keep(event)
            self._events.append(event)
