"""Timestamps in the format of the API and the tables, and the clock that services are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime


def iso(time: datetime) -> str:
    """Format a time as ISO 8601 in UTC with milliseconds and a Z; such strings sort by time."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """Parse a timestamp that `iso` formatted."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def epoch_ms(time: datetime) -> int:
    """Milliseconds since 1970, the unit of leases and retry times."""
    return int(time.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class DateRange:
    """Whole days in UTC, both ends included; None leaves an end open."""

    first: date | None = None
    last: date | None = None

    def since(self) -> str | None:
        """The earliest timestamp of the range; None if its start is open."""
        return None if self.first is None else f"{self.first.isoformat()}T00:00:00.000Z"

    def until(self) -> str | None:
        """The latest timestamp of the range, in whole milliseconds; None if its end is open."""
        return None if self.last is None else f"{self.last.isoformat()}T23:59:59.999Z"


Clock = Callable[[], datetime]
"""Returns the current time in UTC. Services are given one, so that tests control the time."""
