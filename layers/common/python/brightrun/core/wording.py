"""Numbers as sentences for people say them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Seconds as 45 s, 15 min, 3 min 20 s or 2 h 05 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    if minutes and rest:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes} min" if minutes else f"{rest} s"
