"""The queue of scripted faults and the choice of the next one for a call."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass

from local.claude_simulator.faults import Endpoint, Fault


@dataclass(frozen=True, slots=True)
class Call:
    """What a fault's condition looks at; only batch items have a `custom_id`."""

    endpoint: Endpoint
    custom_id: str = ""


@dataclass(slots=True)
class _Entry:
    fault: Fault
    remaining: int | None


class FaultScript:
    """Faults in the order they were scripted; a call uses up the first one that matches it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []

    def extend(self, faults: Iterable[Fault]) -> None:
        """Append faults."""
        with self._lock:
            for fault in faults:
                self._entries.append(_Entry(fault, fault.times or (None if fault.when else 1)))

    def clear(self) -> None:
        """Drop every fault."""
        with self._lock:
            self._entries.clear()

    @property
    def pending(self) -> int:
        """How many faults can still match a call."""
        return len(self._entries)

    def next(self, call: Call) -> Fault | None:
        """The fault for `call`, used up once; None where none matches."""
        with self._lock:
            for entry in self._entries:
                if entry.fault.condition.matches(call.endpoint, call.custom_id):
                    self._use_up(entry)
                    return entry.fault
        return None

    def _use_up(self, entry: _Entry) -> None:
        if entry.remaining is None:
            return
        entry.remaining -= 1
        if entry.remaining == 0:
            self._entries.remove(entry)
