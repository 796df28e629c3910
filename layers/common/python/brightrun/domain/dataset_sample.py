"""The first objects of a dataset's file, cut to what a row can carry."""

from __future__ import annotations

import math
from typing import Any

from brightrun.formats.errors import RecordError
from brightrun.formats.strict_json import loads

SAMPLES = 3
HEAD_BYTES = 4 * 1024 * 1024
"""How much of a file is kept for its samples; an object that lies further in is left out."""

_CHARACTERS = 6_000
"""What one sample may hold: three of them, at four bytes a character, are under 80 KB of a row."""
_LONGEST_TEXT = 300
_NODE = 8
"""Characters that a value of any kind counts for, besides its text."""
_DEEPEST = 12
_CUT = "…"


def sample_of(head: bytes) -> list[dict[str, Any]]:
    """Read the first objects of a file's beginning, `_meta` left out, long texts cut.

    Whatever is no object is passed over: the report says what is wrong with it.
    """
    samples: list[dict[str, Any]] = []
    for line in head.split(b"\n"):
        value = _read(line.strip())
        if isinstance(value, dict) and "_meta" not in value:
            samples.append(_Cut().object(value))
        if len(samples) == SAMPLES:
            break
    return samples


def _read(line: bytes) -> Any:
    try:
        return loads(line)
    except (RecordError, ValueError):
        return None


class _Cut:
    """Copies one value until its characters are used up."""

    def __init__(self) -> None:
        self._left = _CHARACTERS

    def object(self, value: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        """Copy an object; what does not fit is left out."""
        copied = {}
        for name, inner in value.items():
            if self._left <= 0:
                break
            copied[self._text(name)] = self._value(inner, depth + 1)
        return copied

    def _value(self, value: Any, depth: int) -> Any:
        self._left -= _NODE
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict | list) and depth > _DEEPEST:
            return _CUT
        if isinstance(value, dict):
            return self.object(value, depth)
        if isinstance(value, list):
            return self._list(value, depth)
        # A number that JSON or a reader of it cannot hold is shown as its text.
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        return self._text(str(value)) if _is_huge(value) else value

    def _list(self, values: list[Any], depth: int) -> list[Any]:
        copied = []
        for inner in values:
            if self._left <= 0:
                break
            copied.append(self._value(inner, depth + 1))
        return copied

    def _text(self, text: str) -> str:
        most = max(min(_LONGEST_TEXT, self._left), 0)
        self._left -= min(len(text), most)
        return text if len(text) <= most else text[:most] + _CUT


def _is_huge(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53
