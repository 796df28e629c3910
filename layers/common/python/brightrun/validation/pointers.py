"""JSON pointers (RFC 6901) and walks over decoded values that survive any depth."""

from collections.abc import Iterator
from typing import Any


def pointer(*parts: str | int) -> str:
    """Join parts into a pointer: `/messages/3/content`."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


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
