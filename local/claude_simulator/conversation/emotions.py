"""How emotions develop over a conversation."""

from __future__ import annotations

import random

from local.claude_simulator.conversation.scaffolding import Emotion

# Where the middle exchanges stand, in order; the first is always `opening`, the last `closing`.
_MIDDLE = ("exploring", "turning", "planning")
_WOBBLE = 0.03


def phase_of(exchange: int, exchanges: int) -> str:
    """The phase of exchange `exchange` (from 0) of `exchanges`."""
    if exchange == 0:
        return "opening"
    if exchange == exchanges - 1:
        return "closing"
    middle = exchanges - 2
    return _MIDDLE[int((exchange - 0.5) * len(_MIDDLE) / middle)]


def emotion_of(exchange: int, exchanges: int, start: str, path: list[str], end: str) -> str:
    """The client's emotion: `start` first, `end` last, `path` spread over what lies between."""
    if exchange == 0:
        return start
    if exchange == exchanges - 1:
        return end
    return path[int((exchange - 0.5) * len(path) / (exchanges - 2))]


class Intensity:
    """A line from a point in the starting range to a point in the ending range, slightly uneven."""

    def __init__(self, start: Emotion, end: Emotion, rng: random.Random) -> None:
        self._rng = rng
        self._first = rng.uniform(start.minimum, start.maximum)
        self._last = rng.uniform(end.minimum, end.maximum)

    def at(self, progress: float) -> float:
        """The intensity at `progress` from 0 to 1, two decimals, never outside 0 to 1."""
        value = self._first + (self._last - self._first) * progress
        if 0 < progress < 1:
            value += self._rng.uniform(-_WOBBLE, _WOBBLE)
        return round(min(1.0, max(0.0, value)), 2)
