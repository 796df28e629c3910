"""When and how long to wait before the same request is sent again."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter, bounded; a server's retry-after is obeyed.

    All durations are seconds. A retry-after longer than `patience_s` ends the attempts at once,
    so that the user sees the error instead of waiting.
    """

    attempts: int = 5
    base_s: float = 0.5
    cap_s: float = 8.0
    patience_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def wait_s(self, attempt: int, retry_after: str | None = None) -> float | None:
        """Return the wait after the given attempt (from 1), or None when it was the last."""
        if attempt >= self.attempts:
            return None
        if retry_after is not None:
            wait = parse_retry_after(retry_after)
            return wait if wait <= self.patience_s else None
        ceiling = min(self.cap_s, self.base_s * 2.0 ** (attempt - 1))
        return random.uniform(0.0, ceiling)  # noqa: S311  (spreads load, guards nothing)


def parse_retry_after(value: str) -> float:
    """Read a retry-after header, seconds or an HTTP date (RFC 9110, 10.2.3); 0 if invalid."""
    if value.isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
