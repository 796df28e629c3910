"""Stopping a running workflow, or one Map of it, between its states."""

import threading


class Cancelled(Exception):
    """The scope this work belongs to was cancelled."""


class Cancellation:
    """A scope of work that can be cancelled; cancelling it cancels the scopes inside it."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._inner: list[Cancellation] = []
        self._lock = threading.Lock()

    def inner(self) -> "Cancellation":
        """Return a scope inside this one."""
        scope = Cancellation()
        with self._lock:
            self._inner.append(scope)
            if self._cancelled.is_set():
                scope.cancel()
        return scope

    def cancel(self) -> None:
        """Cancel this scope and those inside it; work in it ends at its next check or wait."""
        with self._lock:
            self._cancelled.set()
            inner, self._inner = self._inner, []
        for scope in inner:
            scope.cancel()

    def check(self) -> None:
        """Raise Cancelled when the scope was cancelled."""
        if self._cancelled.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Wait that many seconds; raise Cancelled as soon as the scope is cancelled."""
        if self._cancelled.wait(max(0.0, seconds)):
            raise Cancelled
