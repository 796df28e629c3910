"""Counts what a JSON writer puts between values, to tell how long a line has to be."""

from typing import Any

from msgspec import UNSET

_CONTAINERS = frozenset({dict, list})


def separators(value: Any) -> int:
    """How many commas and colons a decoded JSON object or array needs when it is written."""
    own, items = len(value) - 1, value
    if value.__class__ is dict:
        own, items = own + len(value), value.values()
    if not _CONTAINERS.isdisjoint(map(type, items)):
        own += sum(separators(item) for item in items if item.__class__ in _CONTAINERS)
    return own if value else 0


def optional_separators(value: Any) -> int:
    """Separators of a top-level field that may be absent: its comma, its colon and its own."""
    if value is UNSET:
        return 0
    return 2 + separators(value) if value.__class__ in _CONTAINERS else 2
