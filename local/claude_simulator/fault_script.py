"""The queue of scripted faults and the choice of the next one for a call."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from local.claude_simulator.faults import Endpoint, Fault

_SEED = 0
"""Of the shares of calls: the nth call after a reset gets the same fault in every run."""


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
        self._random = random.Random(_SEED)  # noqa: S311 - chooses faults, no secret

    def extend(self, faults: Iterable[Fault]) -> None:
        """Append faults."""
        with self._lock:
            for fault in faults:
                for_all = fault.when is not None or fault.share is not None
                self._entries.append(_Entry(fault, fault.times or (None if for_all else 1)))

    def clear(self) -> None:
        """Drop every fault."""
        with self._lock:
            self._entries.clear()
            self._random.seed(_SEED)

    @property
    def pending(self) -> int:
        """How many faults can still match a call."""
        return len(self._entries)

    def next(self, call: Call) -> Fault | None:
        """The fault for `call`, used up once; None where none matches."""
        with self._lock:
            for entry in self._entries:
                if self._applies(entry.fault, call):
                    self._use_up(entry)
                    return entry.fault
        return None

    def _applies(self, fault: Fault, call: Call) -> bool:
        if not fault.condition.matches(call.endpoint, call.custom_id):
            return False
        return fault.share is None or self._random.random() < fault.share

    def _use_up(self, entry: _Entry) -> None:
        if entry.remaining is None:
            return
        entry.remaining -= 1
        if entry.remaining == 0:
            self._entries.remove(entry)
