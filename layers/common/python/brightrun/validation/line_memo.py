"""Remembers what short lines came to, so that a line that is often in a file is read only once.

What is found in a line depends on its bytes and on the file's format alone, but for the few lines
that tell something of the whole file: the first that shows the format, and an accepted `_meta`.
"""

import re
from copy import copy
from dataclasses import dataclass
from typing import Any

from brightrun.formats import Format, Severity
from brightrun.validation.record_reader import LineReader
from brightrun.validation.record_summary import RecordSummary
from brightrun.validation.report import Findings

LONGEST_REMEMBERED = 256
"""Bytes: longer lines are too few in a file for their repetition to matter."""
_MOST_REMEMBERED = 8192  # lines, and those of one chunk; a few MB
_ALL = 1 << 30  # problems listed of one line
_PLACED = "invalid_json"  # says where in its file an item of a document is broken


_ALIKE = bytes.maketrans(b"23456789", b"11111111")
_VALUE_COUNTS = re.compile(rb"[0-9]{16}|[0-9.][eE]")
"""Digits whose value decides whether they can be read: long numbers, and those with exponents."""


def with_digits_alike(chunk: bytes) -> bytes:
    """Short lines with all digits but 0 made equal, if they come to the same so.

    Without an object in them, they are refused, whatever their numbers are.
    """
    if b"{" in chunk or b"\\" in chunk or _VALUE_COUNTS.search(chunk):
        return chunk
    return chunk.translate(_ALIKE)


@dataclass(frozen=True, slots=True, eq=False)
class LineResult:
    """What one line came to: its problems, how many records it counts for, and what it holds."""

    findings: Findings
    records: int
    summary: RecordSummary | None


class LineMemo(dict[bytes, LineResult]):
    """The results of short lines, as long as the format of their file stays the same."""

    def __init__(self, lines: LineReader) -> None:
        super().__init__()
        self._lines = lines
        self._format: Format | None = None
        self._alike: dict[Any, LineResult] = {}

    def prepare(self) -> None:
        """Make room before a chunk; forget everything if the format became known since the last."""
        if self._lines.format is not self._format or len(self) > _MOST_REMEMBERED:
            self._format = self._lines.format
            self.clear()
            self._alike.clear()

    def learn(self, line: bytes) -> LineResult | None:
        """Read a line and remember its result; None if it has to be read in its place.

        Nothing else is changed by it, neither counts nor what is known of the file.
        """
        if len(line) > LONGEST_REMEMBERED:
            return None
        trial = copy(self._lines)
        trial.reader = reader = copy(self._lines.reader)
        trial.report = self._lines.report.part(dict.fromkeys(self._lines.report.room, _ALL))
        text = line.removesuffix(b"\r")
        if text is not line:
            trial.report.note("crlf", 1)
        summary, known = trial.take(text, 1), self._lines.reader
        if reader.format is not known.format or reader.meta is not known.meta:
            return None
        found = trial.report.findings()
        if self._shows_a_place(found):
            return None
        result = LineResult(found, reader.records - known.records, summary)
        self[line] = result if summary is not None else self._shared(result)
        return result

    def _shows_a_place(self, found: Findings) -> bool:
        """True if a problem is still listed that says where in its document an item is broken."""
        report = self._lines.report
        if report.unit == "line" or all(row.code != _PLACED for row in found.rows):
            return False
        return report.room[Severity.ERROR] > 0 or not report.count(_PLACED)

    def _shared(self, result: LineResult) -> LineResult:
        """The same result for all lines that are refused alike, which saves most of the memory."""
        listed = result.findings.listed.values()
        key = (
            result.records,
            *((one.code, one.pointer, one.message) for row in listed for one in row),
        )
        return self._alike.setdefault(key, result)
