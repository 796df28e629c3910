"""The rate-limit headers: a fixed one-minute window that is reported and never enforced.

Scripted faults stand in for enforcement, so that a test decides when a limit is hit.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

# The limits of no particular tier; large enough for a demo, small enough to see them move.
REQUESTS = 4_000
INPUT_TOKENS = 2_000_000
OUTPUT_TOKENS = 400_000


class RateLimits:
    """Counts requests and tokens of the current minute of the injected clock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._minute: datetime | None = None
        self._used = (0, 0, 0)

    def headers(self, input_tokens: int = 0, output_tokens: int = 0) -> dict[str, str]:
        """Count one request and return the headers of its response."""
        minute = self._clock().replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self._used = minute, (0, 0, 0)
        requests, tokens_in, tokens_out = self._used
        self._used = (requests + 1, tokens_in + input_tokens, tokens_out + output_tokens)
        reset = (minute + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
        headers: dict[str, str] = {}
        for name, limit, used in self._windows():
            prefix = f"anthropic-ratelimit-{name}"
            headers[f"{prefix}-limit"] = str(limit)
            headers[f"{prefix}-remaining"] = str(max(0, limit - used))
            headers[f"{prefix}-reset"] = reset
        return headers

    def _windows(self) -> tuple[tuple[str, int, int], ...]:
        requests, tokens_in, tokens_out = self._used
        return (
            ("requests", REQUESTS, requests),
            ("input-tokens", INPUT_TOKENS, tokens_in),
            ("output-tokens", OUTPUT_TOKENS, tokens_out),
            ("tokens", INPUT_TOKENS + OUTPUT_TOKENS, tokens_in + tokens_out),
        )
