"""Remembers hashes in a table of fixed size, to find what a file says twice.

Two places are tried for each hash, so that nothing is lost while the table is up to a tenth full
and about two in a hundred at a quarter; past that the older entry is overwritten and counted in
`forgotten`.  A repetition of something forgotten is missed.  32 bits of the hash are kept beside
its place, so that two different texts pass for one about once in four thousand million comparisons.
"""

from collections.abc import Iterable

_ENTRY_BYTES = 8
_LINES = 1 << 32  # an entry: 32 bits of the hash, then the line in 32 bits
_KEPT = (1 << 64) - _LINES


class SeenTable:
    """Which line said this hash first; never grows beyond `2**bits` entries of 8 bytes."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._mask = (1 << bits) - 1
        # zeroed by the system page by page, when first touched: a small file pays little
        self._table = memoryview(bytearray(_ENTRY_BYTES << bits)).cast("Q")
        self.forgotten = 0

    def first_line(self, value: int, line: int) -> int:
        """The line that a 64-bit hash was first seen on, or 0 after remembering `line`."""
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
                found.append(self._at_second_place(value, line, place))
        return found

    def _at_second_place(self, value: int, line: int, first: int) -> int:
        table = self._table
        second = (value >> self._bits) & self._mask
        there = table[second]
        if there and (there ^ value) < _LINES:
            return there % _LINES
        if there:
            self.forgotten += 1
            second = first
        table[second] = value & _KEPT | line
        return 0
