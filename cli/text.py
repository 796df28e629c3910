"""Values from the API as short, safe text."""

import re
from collections.abc import Iterable
from typing import Any

# Control characters in stored text could rewrite the reader's terminal, and bidirectional ones its
# order; tab and newline cannot.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def plain(value: Any) -> str:
    """Return one value as text that is safe to print."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return _joined(f"{plain(name)} {_inner(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return _joined(map(_inner, value))
    return CONTROL_CHARACTERS.sub("", str(value))


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts) or "-"


def _inner(value: Any) -> str:
    return f"({plain(value)})" if isinstance(value, dict | list) else plain(value)


def money(value: Any) -> str:
    """Format US dollars; four decimals, because one conversation costs cents."""
    return "-" if value is None else f"${float(value):,.4f}"


def names(values: Any) -> str:
    """Return a list of names in one line; "-" if there are none."""
    return ", ".join(plain(value) for value in values or ()) or "-"


def format_time(value: Any) -> str:
    """Format an ISO 8601 timestamp in UTC, to the minute."""
    return plain(value)[:16].replace("T", " ")


def duration(seconds: float | None) -> str:
    """Format seconds as 45 s, 3 min 20 s or 2 h 05 min; "-" when unknown."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
