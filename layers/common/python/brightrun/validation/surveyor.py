"""Surveys a file block by block; what a block holds depends on no other once the format is known.

Lines are taken by pieces of 32 KiB: together they take the fast way (`fast`), and those that a scan
of the piece suspects get one more look at their texts (`closely.reconsidered`).  Only a line that
is not plainly sound is taken apart (`record_reader`).
"""

from collections.abc import Mapping, Sequence

import msgspec

from brightrun.formats.model import Format
from brightrun.validation.closely import reconsidered
from brightrun.validation.codes import Severity
from brightrun.validation.facts import Facts, Line
from brightrun.validation.lengths import ALL_MEASURED, pair_sizes
from brightrun.validation.lines import Block, TooLong, lines_of, pieces_of
from brightrun.validation.notes import Notes
from brightrun.validation.record_reader import RecordReader
from brightrun.validation.report import Report
from brightrun.validation.scan import is_utf8
from brightrun.validation.survey import Survey
from brightrun.validation.tokens import ESTIMATE, Tokenizer, count_tokens, sampled

LONGEST_LINE = 2 << 20
_HOPELESS = 20  # bad lines in a row before the fast way is tried on every 20th line only
_BYTES_PER_TOKEN = 2  # fewer are rare in any script; only longer records are counted exactly


class Order(msgspec.Struct, frozen=True):
    """What is wanted of a block.

    `first_line` is the number of its first line, `stride` tells how sparse the token sample is by
    now, and `room` how many problems of each severity may still be listed.
    """

    first_line: int
    stride: int
    room: Mapping[Severity, int]


class Surveyor:
    """Takes the lines of a file apart; keeps nothing of them but the format they showed."""

    def __init__(
        self,
        report: Report,
        max_tokens: int | None = None,
        tokenizer: Tokenizer = ESTIMATE,
        longest_line: int = LONGEST_LINE,
    ) -> None:
        self.records = RecordReader(report)
        self._max_tokens = max_tokens
        self._tokenizer = tokenizer
        self._longest_line = longest_line
        self._bad_in_a_row = 0
        self._facts: list[Facts] = []
        self._lines: list[int] = []

    @property
    def form(self) -> Format | None:
        """The format, once a record has shown it."""
        return self.records.report.form

    def survey(self, block: Block, order: Order) -> Survey:
        """Say what a block of whole lines holds."""
        self.records.report = self.records.report.part(order.room)
        self._facts, self._lines, before = [], [], self.records.records
        line = order.first_line
        for piece in pieces_of(block, self._longest_line):
            line += self._take(piece, line)
        return self._described(order, before)

    def _described(self, order: Order, before: int) -> Survey:
        records, lines = self._facts, self._lines
        too_long = self._too_long()
        survey = Survey(self.records.report.findings(), self.records.records - before, too_long)
        if records:
            survey.describe(records, lines)
            survey.all_pairs = order.first_line <= ALL_MEASURED
            survey.pair_sizes = pair_sizes(records, lines, survey.all_pairs)
            survey.sample = sampled(records, lines, order.stride)
        return survey

    def _take(self, piece: bytes | TooLong, first: int) -> int:
        """Take the lines of a piece, and say how many there are."""
        if isinstance(piece, TooLong):
            self._note_too_long(first, piece.length)
            return 1
        lines = lines_of(piece)
        if self._bad_in_a_row < _HOPELESS and b"\r" not in piece:
            self._take_together(piece, lines, first)
        else:
            self._take_one_by_one(lines, first)
        return len(lines)

    def _take_together(self, piece: bytes, lines: Sequence[Line], first: int) -> None:
        """Keep what the lines of a piece hold; those not plainly sound are taken apart."""
        facts, start = self._plain_facts(piece, lines), 0
        for at, found in enumerate(facts):
            if found is None:
                self._keep(facts[start:at], first + start)
                self._take_apart(lines[at], first + at)
                start = at + 1
        self._keep(facts[start:], first + start)

    def _keep(self, facts: Sequence[Facts | None], first: int) -> None:
        """Keep what sound lines next to each other hold."""
        sound = [found for found in facts if found is not None]
        if sound:
            self._bad_in_a_row = 0
            self.records.records += len(sound)
            self._facts += sound
            self._lines += range(first, first + len(sound))

    def _plain_facts(self, piece: bytes, lines: Sequence[Line]) -> list[Facts | None]:
        suspects = self.records.suspects(piece, lines)
        if suspects is None:  # not UTF-8, and texts stay Raw, so that nothing else would see it
            lines = [line if is_utf8(bytes(line)) else b"" for line in lines]
            suspects = self.records.suspects(b"\n".join(lines), lines) or ()
        facts = self.records.fast(lines)
        for at, look in suspects:
            found = facts[at]
            facts[at] = found and reconsidered(found, look)
        return facts

    def _take_one_by_one(self, lines: Sequence[Line], first: int) -> None:
        """The same line by line, where most are bad or end in CR LF."""
        for number, line in enumerate(map(bytes, lines), first):
            text = line.removesuffix(b"\r")
            if text is not line:
                self.records.report.note("crlf", number)
            if self._bad_in_a_row < _HOPELESS or number % _HOPELESS == 0:
                self._take_together(text, [text], number)
            else:
                self._take_apart(text, number)

    def _take_apart(self, line: Line, number: int) -> None:
        self._bad_in_a_row += 1
        facts = self.records.take(bytes(line), number)
        if facts is not None:
            self._facts.append(facts)
            self._lines.append(number)

    def _note_too_long(self, number: int, length: int) -> None:
        self.records.records += 1
        self.records.report.note(
            "line_too_long", number, "", f"{length} bytes, at most {self._longest_line}"
        )

    def _too_long(self) -> list[int]:
        """The lines of records with more tokens than the model takes, each noted."""
        if self._max_tokens is None:
            return []
        most = self._max_tokens * _BYTES_PER_TOKEN
        kept = zip(self._lines, self._facts, strict=True)
        return [line for line, facts in kept if len(facts.joined) > most and self._cut(facts, line)]

    def _cut(self, facts: Facts, line: int) -> bool:
        tokens, note = count_tokens(facts.texts, self._tokenizer), Notes(self.records.report, line)
        if tokens > (self._max_tokens or tokens):
            note("too_long_for_model", detail=f"{tokens} tokens, at most {self._max_tokens}")
        return note.failed
