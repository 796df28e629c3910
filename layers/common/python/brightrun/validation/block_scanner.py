"""Scans a file block by block; blocks do not depend on each other once the format is known.

Lines are taken by chunks of 32 KiB: all of them take the fast path, and those that the scan of the
chunk suspects have their texts decoded and searched (`slow_path.with_texts_checked`).  Only a line
that is not plainly sound takes the slow path, by way of `record_reader`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from brightrun.formats import (
    LONGEST_LINE,
    Block,
    Format,
    RecordReader,
    Severity,
    TooLong,
    chunks_of,
    lines_of,
)
from brightrun.validation.block_result import BlockResult
from brightrun.validation.lengths import ALL_MEASURED, pair_sizes
from brightrun.validation.line_memo import LineMemo, LineResult, with_digits_alike
from brightrun.validation.record_reader import LineReader
from brightrun.validation.record_summary import Line, RecordSummary
from brightrun.validation.report import ProblemRecorder, Report
from brightrun.validation.scan import is_utf8
from brightrun.validation.slow_path import with_texts_checked
from brightrun.validation.tokens import ESTIMATE, Tokenizer, count_tokens, sampled

_HOPELESS = 20  # bad lines in a row before the fast path is tried on every 20th line only
_SHORT = 128  # bytes of a line, on average, in a chunk whose repeated lines are counted at once
_FEW = 4  # one line in so many may be new among them
_BYTES_PER_TOKEN = 2  # fewer are rare in any script; only longer records are counted exactly


class Order(msgspec.Struct, frozen=True):
    """How a block is to be scanned.

    `first_line` is the number of its first line, from 1; `stride` is that of the token sample, and
    `room` how many problems of each severity may still be listed.
    """

    first_line: int
    stride: int
    room: Mapping[Severity, int]


class BlockScanner:
    """Reads the lines of a file; keeps nothing of them but the format, once known."""

    def __init__(
        self,
        report: Report,
        reader: RecordReader,
        max_tokens: int | None = None,
        tokenizer: Tokenizer = ESTIMATE,
        longest_line: int = LONGEST_LINE,
    ) -> None:
        self.lines = LineReader(report, reader)
        self._max_tokens = max_tokens
        self._tokenizer = tokenizer
        self._longest_line = longest_line
        self._memo = LineMemo(self.lines)
        self._bad_in_a_row = 0
        self._summaries: list[RecordSummary] = []
        self._lines: list[int] = []

    @property
    def format(self) -> Format | None:
        """The format, once a record has shown it."""
        return self.lines.format

    def scan(self, block: Block, order: Order) -> BlockResult:
        """Return what a block of whole lines holds."""
        self.lines.report = self.lines.report.part(order.room)
        self._summaries, self._lines, before = [], [], self.lines.reader.records
        line = order.first_line
        for chunk in chunks_of(block, self._longest_line):
            line += self._read(chunk, line)
        return self._described(order, before)

    def _described(self, order: Order, before: int) -> BlockResult:
        records, lines = self._summaries, self._lines
        too_long = self._too_long()
        result = BlockResult(
            self.lines.report.findings(), self.lines.reader.records - before, too_long
        )
        if records:
            result.describe(records, lines)
            result.all_pairs = order.first_line <= ALL_MEASURED
            result.pair_sizes = pair_sizes(records, lines, result.all_pairs)
            result.sample = sampled(records, lines, order.stride)
        return result

    def _read(self, chunk: bytes | TooLong, first: int) -> int:
        """Read the lines of a chunk; returns how many there are."""
        if isinstance(chunk, TooLong):
            self._note_too_long(first, chunk.length)
            return 1
        if _is_of_short_lines(chunk):
            short, counts = _counted(with_digits_alike(chunk))
            if self._read_repeated(short, counts, first):
                return len(short)
        lines = lines_of(chunk)
        if self._bad_in_a_row < _HOPELESS and b"\r" not in chunk:
            self._read_together(chunk, lines, first)
        else:
            self._read_one_by_one(lines, first)
        return len(lines)

    def _read_together(self, chunk: bytes, lines: Sequence[Line], first: int) -> None:
        """Keep what the lines of a chunk hold; those not plainly sound take the slow path."""
        summaries, start = self._plain_summaries(chunk, lines), 0
        for at, found in enumerate(summaries):
            if found is None:
                self._keep(summaries[start:at], first + start)
                self._read_slowly(lines[at], first + at)
                start = at + 1
        self._keep(summaries[start:], first + start)

    def _keep(self, summaries: Sequence[RecordSummary | None], first: int) -> None:
        """Keep what sound lines next to each other hold."""
        sound = [found for found in summaries if found is not None]
        if sound:
            self._bad_in_a_row = 0
            self.lines.reader.records += len(sound)
            self._summaries += sound
            self._lines += range(first, first + len(sound))

    def _plain_summaries(self, chunk: bytes, lines: Sequence[Line]) -> list[RecordSummary | None]:
        suspects = self.lines.scan_chunk(chunk, lines)
        if suspects is None:  # not UTF-8, and texts stay Raw, so that nothing else would see it
            lines = [line if is_utf8(bytes(line)) else b"" for line in lines]
            suspects = self.lines.scan_chunk(b"\n".join(lines), lines) or ()
        summaries = self.lines.fast(lines)
        for at, verdict in suspects:
            found = summaries[at]
            summaries[at] = found and with_texts_checked(found, verdict)
        return summaries

    def _read_one_by_one(self, lines: Sequence[Line], first: int) -> None:
        """The same line by line, where most are bad or end in CR LF."""
        for number, line in enumerate(map(bytes, lines), first):
            text = line.removesuffix(b"\r")
            if text is not line:
                self.lines.report.note("crlf", number)
            if self._bad_in_a_row < _HOPELESS or number % _HOPELESS == 0:
                self._read_together(text, [text], number)
            else:
                self._read_slowly(text, number)

    def _read_repeated(self, lines: list[bytes], counts: Mapping[bytes, int], first: int) -> bool:
        """Read short lines, equal ones once; reads none, and returns False, if many differ."""
        memo, start, known = self._memo, 0, self.lines.format
        memo.prepare()
        new = {line for line in counts if line not in memo}
        if len(new) * _FEW > len(lines):
            return False
        for at in [at for at, line in enumerate(lines) if line in new] if new else ():
            line = lines[at]
            if line in memo or memo.learn(line):
                continue
            self._add_repeated(lines[start:at], first + start)
            self._read_one_by_one([line], first + at)
            start = at + 1
            if self.lines.format is not known:
                self._read_one_by_one(lines[start:], first + start)
                return True
        self._add_repeated(lines[start:], first + start, counts if not start else None)
        return True

    def _add_repeated(
        self, lines: Sequence[bytes], first: int, counts: Mapping[bytes, int] | None = None
    ) -> None:
        """Add up what is remembered of lines, `counts` of each; notes problems while it matters."""
        memo, reader, report = self._memo, self.lines.reader, self.lines.report
        totals = Counter[LineResult]()
        for line, count in (Counter(lines) if counts is None else counts).items():
            totals[memo[line]] += count
        reader.records += sum(result.records * count for result, count in totals.items())
        opened = {found for found in totals if not report.is_settled(found.findings)}
        for number, line in enumerate(lines, first) if opened else ():
            result = memo[line]
            if result in opened:
                report.add_again(result.findings, number)
                totals[result] -= 1
                if report.is_settled(result.findings):
                    opened.discard(result)
                    if not opened:
                        break
        for result, count in totals.items():
            report.add_count(result.findings, count)
        if any(result.summary for result in totals):
            self._keep_repeated(lines, first)
        else:
            self._bad_in_a_row += len(lines)

    def _keep_repeated(self, lines: Sequence[bytes], first: int) -> None:
        """Keep what the sound ones of some remembered lines hold."""
        memo = self._memo
        found = [memo[line].summary for line in lines]
        self._bad_in_a_row = 0
        self._summaries += [summary for summary in found if summary is not None]
        self._lines += [at for at, summary in enumerate(found, first) if summary is not None]

    def _read_slowly(self, line: Line, number: int) -> None:
        self._bad_in_a_row += 1
        summary = self.lines.take(bytes(line), number)
        if summary is not None:
            self._summaries.append(summary)
            self._lines.append(number)

    def _note_too_long(self, number: int, length: int) -> None:
        note = ProblemRecorder(self.lines.report, number)
        self.lines.reader.too_long(length, self._longest_line, note)

    def _too_long(self) -> list[int]:
        """The lines of records with more tokens than the model takes, each noted."""
        if self._max_tokens is None:
            return []
        most = self._max_tokens * _BYTES_PER_TOKEN
        kept = zip(self._lines, self._summaries, strict=True)
        return [
            line
            for line, summary in kept
            if len(summary.joined) > most and self._cut(summary, line)
        ]

    def _cut(self, summary: RecordSummary, line: int) -> bool:
        tokens = count_tokens(summary.texts, self._tokenizer)
        note = ProblemRecorder(self.lines.report, line)
        if tokens > (self._max_tokens or tokens):
            note("too_long_for_model", detail=f"{tokens} tokens, at most {self._max_tokens}")
        return note.failed


def _is_of_short_lines(chunk: bytes) -> bool:
    return chunk.count(b"\n") * _SHORT > len(chunk)


def _counted(chunk: bytes) -> tuple[list[bytes], Mapping[bytes, int]]:
    """The lines of a chunk, and how often each of them is there."""
    size = chunk.find(b"\n") + 1
    if chunk == chunk[:size] * (len(chunk) // size):
        lines = [chunk[: size - 1]] * (len(chunk) // size)
        return lines, {lines[0]: len(lines)}
    lines = chunk.removesuffix(b"\n").split(b"\n")
    return lines, Counter(lines)
