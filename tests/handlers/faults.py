"""Functions that die at one of their calls to AWS: before it takes effect, or after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

Moment = Literal["before", "after"]


class DiedError(Exception):
    """The process ended here."""


class Calls:
    """Sees every AWS call of some clients, and raises at the one that was chosen."""

    def __init__(self, *clients: Any) -> None:
        self._clients = clients
        self.seen: list[str] = []
        self._fatal: tuple[int, Moment] | None = None

    @contextmanager
    def watched(self, fatal: tuple[int, Moment] | None = None) -> Iterator[None]:
        """Watch the calls inside; `fatal` is the number of one, from 0, and when to die at it."""
        self.seen.clear()
        self._fatal = fatal
        hooks = {"before-call.*.*": self._before, "after-call.*.*": self._after}
        for client in self._clients:
            for event, hook in hooks.items():
                client.meta.events.register(event, hook)
        try:
            yield
        finally:
            for client in self._clients:
                for event, hook in hooks.items():
                    client.meta.events.unregister(event, hook)

    def _before(self, model: Any, **_: Any) -> None:
        self.seen.append(model.name)
        self._die_at("before")

    def _after(self, **_: Any) -> None:
        self._die_at("after")

    def _die_at(self, moment: Moment) -> None:
        if self._fatal == (len(self.seen) - 1, moment):
            raise DiedError
