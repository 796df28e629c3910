"""Converts table rows to dataclasses, and numbers to what DynamoDB stores."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")
_FLOATS = {"float", "float | None"}


def from_row(kind: type[T], row: Mapping[str, Any]) -> T:
    """Create a dataclass from a row; attributes that it has no field for are ignored.

    DynamoDB has one type of number and returns 31.0 as 31, so fields declared as `float` are
    converted.
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
"""DynamoDB stores magnitudes from 1e-130 to 9.99e125; these bounds are well inside."""
SMALLEST = 1e-100


def to_dynamodb_number(number: float) -> float | None:
    """The number; 0 if it is below SMALLEST, None if it is not finite or above LARGEST."""
    if not math.isfinite(number) or abs(number) > LARGEST:
        return None
    return 0.0 if abs(number) < SMALLEST else number
