"""Timestamps as the API and the tables write them, and the clock that services are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime


def iso(moment: datetime) -> str:
    """Write a moment as ISO-8601 in UTC with milliseconds and a Z; such strings sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """Read a moment that `iso` wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, the unit of leases and retry times."""
    return int(moment.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from one to another, both whole and in UTC; None leaves an end open."""

    first: date | None = None
    last: date | None = None

    def since(self) -> str | None:
        """The moment that nothing may be before."""
        return None if self.first is None else f"{self.first.isoformat()}T00:00:00.000Z"

    def until(self) -> str | None:
        """The last millisecond that something may be of."""
        return None if self.last is None else f"{self.last.isoformat()}T23:59:59.999Z"


Clock = Callable[[], datetime]
"""Says what time it is, in UTC; handed in, so that domain and services never read a clock."""
