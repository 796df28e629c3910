"""Remembers hashes in a table of fixed size, to find what a file holds twice.

Nine places are tried for each hash, so that nothing is lost while the table is up to a quarter full
and next to nothing at a half; past that the older entry is overwritten and counted in `forgotten`.
A repetition of something forgotten is missed.  32 bits of the hash are kept beside its place, so
that two different texts pass for one about once in four thousand million comparisons.
"""

from array import array
from collections.abc import Iterable

_BUCKET = 8
_LINES = 1 << 32  # an entry: 32 bits of the hash, then the line in 32 bits
_KEPT = (1 << 64) - _LINES


class DuplicateTable:
    """Which line had this hash first; never grows beyond `2**bits` entries of 8 bytes."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._mask = (1 << bits) - 1
        self._table = array("Q", (0,)) * (1 << bits)
        self.forgotten = 0

    def remember(self, values: Iterable[int], lines: Iterable[int]) -> set[int]:
        """Remember 64-bit hashes, each with its line; return the lines of those known before."""
        table, mask, known = self._table, self._mask, set()
        for value, line in zip(values, lines, strict=True):
            place = value & mask
            there = table[place]
            if not there:
                table[place] = value & _KEPT | line
            elif (there ^ value) < _LINES or self._elsewhere(value, line, place):
                known.add(line)
        return known

    def first_line(self, value: int, line: int) -> int:
        """The line that a 64-bit hash was first seen on, or 0 after remembering `line`."""
        there = self._table[value & self._mask]
        if there and (there ^ value) < _LINES:
            return there % _LINES
        return self.first_lines((value,), line)[0]

    def first_lines(self, values: Iterable[int], line: int) -> list[int]:
        """For each 64-bit hash the line it was first seen on, or 0 after remembering `line`."""
        table, mask = self._table, self._mask
        found = []
        for value in values:
            place = value & mask
            there = table[place]
            if not there:
                table[place] = value & _KEPT | line
                found.append(0)
            elif (there ^ value) < _LINES:
                found.append(there % _LINES)
            else:
                found.append(self._elsewhere(value, line, place))
        return found

    def _elsewhere(self, value: int, line: int, first: int) -> int:
        """The same in the eight places of a second bucket, which lie side by side in memory."""
        table = self._table
        bucket = (value >> self._bits) & self._mask & -_BUCKET
        for place in range(bucket, bucket + _BUCKET):
            there = table[place]
            if not there:
                table[place] = value & _KEPT | line
                return 0
            if (there ^ value) < _LINES:
                return there % _LINES
        self.forgotten += 1
        table[first] = value & _KEPT | line
        return 0
