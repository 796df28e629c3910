"""Walks over decoded values that survive any depth, with JSON pointers (RFC 6901)."""

from collections.abc import Iterator
from typing import Any

from brightrun.formats.rules import pointer


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every value inside, itself included, with its pointer, in no promised order."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        place, found = waiting.pop()
        yield place, found
        if isinstance(found, dict):
            waiting += [(place + pointer(key), item) for key, item in found.items()]
        elif isinstance(found, list):
            waiting += [(place + pointer(index), item) for index, item in enumerate(found)]


def depth(value: Any) -> int:
    """How many objects and arrays are nested in each other."""
    levels, inside = 0, [value]
    while inside := [found for found in inside if isinstance(found, dict | list) and found]:
        levels += 1
        inside = [
            item
            for found in inside
            for item in (found.values() if isinstance(found, dict) else found)
        ]
    return levels
