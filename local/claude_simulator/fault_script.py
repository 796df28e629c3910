"""The queue of scripted faults and the draw of the next one for a call."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from local.claude_simulator.faults import Endpoint, Fault


@dataclass(frozen=True, slots=True)
class Call:
    """What a fault may ask about a call; `attempt` counts the calls of its conversation."""

    endpoint: Endpoint
    conversation: str = ""
    attempt: int = 1
    text: str = ""
    model: str = ""
    custom_id: str = ""


@dataclass(slots=True)
class _Entry:
    ordinal: int
    fault: Fault
    remaining: int | None
    met: int = 0


class FaultScript:
    """Faults in the order they were scripted; the first that meets a call is spent on it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._scripted = 0

    def extend(self, faults: Iterable[Fault]) -> None:
        """Append faults."""
        with self._lock:
            for fault in faults:
                times = fault.times if fault.when or fault.times else 1
                self._entries.append(_Entry(self._scripted, fault, times))
                self._scripted += 1

    def clear(self) -> None:
        """Drop every fault."""
        with self._lock:
            self._entries.clear()
            self._scripted = 0

    @property
    def pending(self) -> int:
        """How many faults can still meet a call."""
        return len(self._entries)

    def next(self, call: Call) -> Fault | None:
        """The fault that meets `call`, spent once; None where none does."""
        with self._lock:
            for entry in self._entries:
                if self._meets(entry, call):
                    self._spend(entry)
                    return entry.fault
        return None

    def _spend(self, entry: _Entry) -> None:
        if entry.remaining is None:
            return
        entry.remaining -= 1
        if entry.remaining == 0:
            self._entries.remove(entry)

    def _meets(self, entry: _Entry, call: Call) -> bool:
        when = entry.fault.condition
        stated = (
            (when.endpoint, call.endpoint),
            (when.model, call.model),
            (when.custom_id, call.custom_id),
            (when.attempt, call.attempt),
        )
        if any(wanted is not None and wanted != actual for wanted, actual in stated):
            return False
        if when.contains is not None and when.contains not in call.text:
            return False
        if when.every is not None:
            entry.met += 1
            if entry.met % when.every:
                return False
        return when.probability is None or self._draw(entry, call) < when.probability

    def _draw(self, entry: _Entry, call: Call) -> float:
        """A number in [0, 1) that is the same for the same fault, conversation and attempt."""
        name = f"{self._seed}:{entry.ordinal}:{call.conversation}:{call.custom_id}:{call.attempt}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:7]) / 2**56
