"""Reads lines that did not take the fast path, with the reader of all tools."""

from collections.abc import Sequence

from brightrun.formats import Format, RecordReader
from brightrun.validation.fast_path import fast_check
from brightrun.validation.record_summary import FastCheck, Line, RecordSummary
from brightrun.validation.report import ProblemRecorder, Report
from brightrun.validation.scan import (
    ChunkScan,
    LineScan,
    ScanVerdict,
    Suspects,
    chunk_scan,
    line_scan,
)
from brightrun.validation.slow_path import summary_of


def _not_yet(lines: Sequence[Line]) -> list[RecordSummary | None]:
    """Leave all lines to the slow path until the format is known."""
    return [None] * len(lines)


def _suspect_all(_line: bytes) -> ScanVerdict:
    return ScanVerdict.SUSPICIOUS


def _no_suspects(_chunk: bytes, _lines: Sequence[Line]) -> Suspects:
    return ()


class LineReader:
    """Parses lines one at a time and reports every problem of each.

    `fast`, `scan_line` and `scan_chunk` are those of the file's format, once it is known. Problems
    go to `report`, which may be replaced by another part of the same file's.
    """

    def __init__(self, report: Report, reader: RecordReader) -> None:
        self.report = report
        self.reader = reader
        self.fast: FastCheck = _not_yet
        self.scan_line: LineScan = _suspect_all
        self.scan_chunk: ChunkScan = _no_suspects
        self._known: Format | None = None
        self._follow_format()

    @property
    def format(self) -> Format | None:
        """The format, once a record has shown it."""
        return self._known

    def take(self, line: bytes, number: int) -> RecordSummary | None:
        """Note every problem of a line; its summary when none of them is an error."""
        note = ProblemRecorder(self.report, number)
        reading = self.reader.read(line, note, number)
        self._follow_format()
        if reading is None or note.failed:
            return None
        return summary_of(reading, note, self.scan_line(line))

    def _follow_format(self) -> None:
        found = self.reader.format
        if found is self._known or found is None:
            return
        self._known = self.report.format = found
        shape = found.rules and found.rules.shape
        if shape is not None:
            self.fast, self.scan_line = fast_check(found), line_scan(shape)
            self.scan_chunk = chunk_scan(shape)
