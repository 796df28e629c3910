"""Moments as the API and the tables write them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Write a moment as ISO-8601 in UTC with milliseconds and a Z; such strings sort by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """Read a moment that `iso` wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970, the unit of leases and retry times."""
    return int(moment.timestamp() * 1000)
