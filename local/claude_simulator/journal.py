"""Counts of the simulator's calls; it never holds a prompt or an answer."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.claude_simulator.tokens import plain_messages

_CAPACITY = 50_000


def fingerprint(messages: list[dict[str, Any]]) -> str:
    """The sha256 of the messages as canonical JSON: the name of a conversation in the journal.

    How their texts are divided into blocks makes no difference.
    """
    plain = plain_messages(messages)
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(slots=True)
class _Conversation:
    calls: int = 0
    answered: int = 0


class Journal:
    """Counts calls by endpoint, status and conversation; safe to read from any thread.

    The least recently called conversations are forgotten beyond `capacity`.
    """

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._in_flight = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything but the calls now in flight."""
        with self._lock:
            self._statuses: dict[str, Counter[int | str]] = {}
            self._conversations: OrderedDict[str, _Conversation] = OrderedDict()
            self._peak = self._in_flight

    def record(self, endpoint: str, outcome: int | str) -> None:
        """Count one finished call: its HTTP status, `hang` or `reset`."""
        with self._lock:
            self._statuses.setdefault(endpoint, Counter())[outcome] += 1

    def called(self, conversation: str) -> int:
        """Count a call for a conversation; returns how many it has had, this one included."""
        with self._lock:
            entry = self._conversations.setdefault(conversation, _Conversation())
            self._conversations.move_to_end(conversation)
            entry.calls += 1
            while len(self._conversations) > self._capacity:
                self._conversations.popitem(last=False)
            return entry.calls

    def answered(self, conversation: str) -> None:
        """Count an answer that the API would bill."""
        with self._lock:
            entry = self._conversations.setdefault(conversation, _Conversation())
            entry.answered += 1

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Enter while a message is being written, to measure the peak concurrency."""
        with self._lock:
            self._in_flight += 1
            self._peak = max(self._peak, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    def calls(self, endpoint: str) -> int:
        """How many calls of `endpoint` have finished."""
        with self._lock:
            return sum(self._statuses.get(endpoint, Counter()).values())

    def statuses(self, endpoint: str) -> dict[int | str, int]:
        """The finished calls of `endpoint` by outcome."""
        with self._lock:
            return dict(self._statuses.get(endpoint, Counter()))

    def calls_for(self, messages: list[dict[str, Any]]) -> int:
        """How often these messages were sent for an answer."""
        return self._conversation(messages).calls

    def paid_for(self, messages: list[dict[str, Any]]) -> int:
        """How often these messages got an answer that the API would bill."""
        return self._conversation(messages).answered

    @property
    def peak_in_flight(self) -> int:
        """The most messages that were being written at the same time."""
        return self._peak

    def _conversation(self, messages: list[dict[str, Any]]) -> _Conversation:
        with self._lock:
            return self._conversations.get(fingerprint(messages), _Conversation())

    def snapshot(self) -> dict[str, Any]:
        """Everything counted, as a JSON object."""
        with self._lock:
            conversations = {
                name: {"calls": entry.calls, "answered": entry.answered}
                for name, entry in self._conversations.items()
            }
            return {
                "endpoints": {
                    endpoint: {str(outcome): count for outcome, count in counts.items()}
                    for endpoint, counts in self._statuses.items()
                },
                "conversations": conversations,
                "answered": sum(entry["answered"] for entry in conversations.values()),
                "answered_more_than_once": sum(
                    entry["answered"] > 1 for entry in conversations.values()
                ),
                "in_flight": self._in_flight,
                "peak_in_flight": self._peak,
            }
