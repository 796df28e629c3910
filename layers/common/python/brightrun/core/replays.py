"""Whether a request was answered from an earlier one with the same Idempotency-Key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Replay:
    """What becomes known of a request while it is served."""

    is_replay: bool = False


_current: ContextVar[Replay | None] = ContextVar("replay", default=None)


def note_replay() -> None:
    """Note that what the request asks for exists already; without effect outside a request."""
    if (replay := _current.get()) is not None:
        replay.is_replay = True


@contextmanager
def watching_for_replay() -> Iterator[Replay]:
    """Serve one request; what it yields tells afterwards whether `note_replay` was called."""
    replay = Replay()
    token = _current.set(replay)
    try:
        yield replay
    finally:
        _current.reset(token)
