"""Values from the API as short, safe text."""

import re
from collections.abc import Callable, Iterable, Mapping
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
    """Format US dollars by cents, and what is less than a cent as that; "-" when unknown."""
    if value is None:
        return "-"
    amount = float(value)
    return "under $0.01" if 0 < amount < 0.01 else f"${amount:,.2f}"


def number(value: Any) -> str:
    """Format a count with separators, such as 1,234; "-" when unknown."""
    return "-" if value is None else f"{value:,}"


def quantiles(found: Mapping[str, Any], shown: Callable[[Any], str]) -> str:
    """The median, and what nine of ten stay within."""
    return f"{shown(found['p50'])}; 9 of 10 within {shown(found['p90'])}"


def quote_basis(quote: Mapping[str, Any]) -> str:
    """What a quote of a batch is based on."""
    if quote["source"] == "typical":
        return "a typical conversation, since too few of yours are known"
    return f"{number(quote['conversations'])} conversations of {number(quote['batches'])} of yours"


def percent(share: float | None) -> str:
    """Format a share; "-" when unknown."""
    return "-" if share is None else f"{share:.0%}"


def tokens(document: Mapping[str, Any]) -> str:
    """The tokens that Claude read and wrote."""
    read, written = (number(document.get(f"{one}_tokens")) for one in ("input", "output"))
    return f"{read} in, {written} out"


def names(values: Any) -> str:
    """Return a list of names in one line; "-" if there are none."""
    return ", ".join(plain(value) for value in values or ()) or "-"


def format_time(value: Any) -> str:
    """Format an ISO 8601 timestamp in UTC, to the minute."""
    return plain(value)[:16].replace("T", " ")


def duration(seconds: float | None) -> str:
    """Format seconds as 45 s, 3 min 20 s or 2 h 05 min; "-" when unknown."""
    # The command starts without the runtime package, which takes a while to import.
    from brightrun.core import wording

    return "-" if seconds is None else wording.duration(seconds)
