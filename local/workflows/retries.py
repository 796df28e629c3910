"""Retry and Catch: whether and when a failed attempt is retried, and which state follows."""

from collections.abc import Callable, Sequence
from typing import Any

from local.workflows.failures import matches

_DEFAULT_INTERVAL_SECONDS = 1
_DEFAULT_MAX_ATTEMPTS = 3
_DEFAULT_BACKOFF_RATE = 2.0


class RetryBudget:
    """The retries left to one state; ``random`` yields numbers in [0, 1) for full jitter."""

    def __init__(self, retriers: Sequence[dict[str, Any]], random: Callable[[], float]) -> None:
        self._retriers = retriers
        self._random = random
        self._used = [0] * len(retriers)

    @property
    def used(self) -> int:
        """How many retries were granted so far."""
        return sum(self._used)

    def delay_before_retry(self, error: str) -> float | None:
        """Grant a retry for an error: its delay in seconds, or None when there is none left.

        The first retrier that covers the error decides. The delay is IntervalSeconds x
        BackoffRate^retries, at most MaxDelaySeconds; with JitterStrategy FULL a random part of it.
        """
        for index, retrier in enumerate(self._retriers):
            if not matches(retrier["ErrorEquals"], error):
                continue
            used = self._used[index]
            if used >= retrier.get("MaxAttempts", _DEFAULT_MAX_ATTEMPTS):
                return None
            self._used[index] += 1
            return self._delay(retrier, used)
        return None

    def _delay(self, retrier: dict[str, Any], used: int) -> float:
        interval = retrier.get("IntervalSeconds", _DEFAULT_INTERVAL_SECONDS)
        delay = float(interval * retrier.get("BackoffRate", _DEFAULT_BACKOFF_RATE) ** used)
        delay = min(delay, float(retrier.get("MaxDelaySeconds", delay)))
        return delay * self._random() if retrier.get("JitterStrategy") == "FULL" else delay


def catcher_for(catchers: Sequence[dict[str, Any]], error: str) -> dict[str, Any] | None:
    """Return the first Catch rule that covers an error, None when there is none."""
    return next((rule for rule in catchers if matches(rule["ErrorEquals"], error)), None)
