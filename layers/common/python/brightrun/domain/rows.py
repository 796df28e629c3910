"""Reading a dataclass back from the plain values of a row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_FLOATS = {"float", "float | None"}


def from_row(kind: type[T], row: Mapping[str, Any]) -> T:
    """Make a record of the row's attributes that it knows; keys of the table itself are left out.

    A database that has one kind of number gives 31.0 back as 31, so that a field declared as a
    float is made one again.
    """
    known = {}
    for one in dataclasses.fields(kind):  # type: ignore[arg-type]
        if one.name in row:
            value = row[one.name]
            known[one.name] = float(value) if _is_float(one.type, value) else value
    return kind(**known)


def _is_float(declared: object, value: object) -> bool:
    return declared in _FLOATS and value is not None
