"""Reads lines that did not take the fast path; the first record shows the format."""

from collections.abc import Sequence
from typing import Any

from brightrun.formats.detect import BYTE_ORDER_MARK, classify
from brightrun.formats.format import META, format_of, is_shared
from brightrun.formats.model import Format
from brightrun.formats.rules import pointer
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
from brightrun.validation.slow_path import parse_object, summary_of_record


def _not_yet(lines: Sequence[Line]) -> list[RecordSummary | None]:
    """Leave all lines to the slow path until the format is known."""
    return [None] * len(lines)


def _pass_all(_line: bytes) -> ScanVerdict:
    return ScanVerdict.CLEAN


def _suspect_all(_line: bytes) -> ScanVerdict:
    return ScanVerdict.SUSPICIOUS


def _no_suspects(_chunk: bytes, _lines: Sequence[Line]) -> Suspects:
    return ()


class RecordReader:
    """Parses lines one at a time and reports every problem of each.

    `fast`, `scan_line` and `scan_chunk` are those of the file's format, once a record has shown it.
    Problems go to `report`, which may be replaced by another part of the same file's.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        self.fast: FastCheck = _not_yet
        self.scan_line: LineScan = _pass_all
        self.scan_chunk: ChunkScan = _no_suspects
        self.records = 0
        self.detected_by = "nothing: no record was recognised"
        self.claimed_pairs: Any = None  # what `_meta` says
        self._whole_document = False

    def take(self, line: bytes, number: int) -> RecordSummary | None:
        """Note every problem of a line; its summary when none of them is an error."""
        if number == 1 and line.startswith(BYTE_ORDER_MARK):
            self.report.note("byte_order_mark", number)
            line = line[len(BYTE_ORDER_MARK) :]
        line = line.removesuffix(b"\n")
        if not line.strip():
            self.report.note("blank_line", number)
            return None
        if self._whole_document or self._opens_whole_document(line, number):
            return None
        note = ProblemRecorder(self.report, number)
        self.records += 1
        record = parse_object(line, note)
        if record is None:
            return None
        if META in record:
            self.records -= 1
            self._take_meta(record, note)
            return None
        return self._take_record(record, line, note)

    def _opens_whole_document(self, line: bytes, number: int) -> bool:
        text = line.strip()
        if (
            self.report.format is None
            and not self.records
            and (text in (b"{", b"[") or text.startswith(b"["))
        ):
            self.report.note("whole_json_document", number)
            self._whole_document = True
        return self._whole_document

    def _take_meta(self, record: dict[str, Any], note: ProblemRecorder) -> None:
        """Remember how many pairs `_meta` claims: the product counts those without target too."""
        meta, found = record[META], format_of({META: None})
        if self.records or self.claimed_pairs is not None or not isinstance(meta, dict):
            note("misplaced_meta", pointer(META))
            return
        self.claimed_pairs = meta.get("total_pairs", False)
        if found is not None:
            self._settle_on(*found)

    def _take_record(
        self, record: dict[str, Any], line: bytes, note: ProblemRecorder
    ) -> RecordSummary | None:
        found = classify(record)
        format_ = self.report.format
        if format_ is None:
            if found is None:
                note("unknown_format", detail="its fields: " + ", ".join(list(record)[:5]))
                return None
            if found[0].is_whole_file:
                note("whole_json_document")
                self._whole_document = True
                return None
            format_ = self._settle_on(*found)
        elif found is not None and found[0] is not format_ and not is_shared(found[1]):
            note("mixed_formats", detail=f"{found[0].title} after {format_.title}")
            return None
        if format_.rules is None:
            return None
        return summary_of_record(record, format_, format_.rules, note, self.scan_line(line))

    def _settle_on(self, format_: Format, key: str) -> Format:
        self.report.format = format_
        self.detected_by = f"the first record has the key '{key}'"
        shape = format_.rules and format_.rules.shape
        if shape is not None:
            self.fast, self.scan_line = fast_check(format_), line_scan(shape)
            self.scan_chunk = chunk_scan(shape)
        else:
            self.scan_line = _suspect_all
        return format_
