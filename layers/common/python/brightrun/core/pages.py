"""One page of a longer list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """Some records in order, and the cursor of the next page (None on the last one)."""

    records: tuple[T_co, ...]
    next_cursor: str | None = None

    def map(self, convert: Callable[[T_co], U]) -> Page[U]:
        """Convert every record, keeping the cursor."""
        return Page(tuple(convert(record) for record in self.records), self.next_cursor)
