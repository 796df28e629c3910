"""How long to wait before trying Claude again."""

from __future__ import annotations

import random

LONGEST_BACKOFF_S = 300.0
"""The original's cap on its own guesses; what the server asks for is honoured beyond it."""

_GROWTH = 4
_JITTER = 0.1


def retry_delay_s(attempt: int, base_s: float, retry_after_s: float | None) -> float:
    """Seconds before attempt + 1: what the server asked for, else base x 4^(attempt - 1).

    Up to 10 % of jitter is added to either, so that many workers do not come back at once.
    """
    guess = min(LONGEST_BACKOFF_S, base_s * _GROWTH ** (attempt - 1))
    delay = guess if retry_after_s is None else max(0.0, retry_after_s)
    return delay * (1 + random.uniform(0, _JITTER))  # noqa: S311 - jitter, not a secret
