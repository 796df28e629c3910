"""Between plain values of a table's row and the dataclasses of the product."""

from __future__ import annotations

import dataclasses
import math
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


LARGEST = 1e100
"""DynamoDB takes magnitudes up to 9.99e125 and down to 1e-130; ours end well before."""
SMALLEST = 1e-100


def to_dynamodb_number(number: float) -> float | None:
    """The number, 0 for one too small to matter, None for one that is not finite or too large."""
    if not math.isfinite(number) or abs(number) > LARGEST:
        return None
    return 0.0 if abs(number) < SMALLEST else number
