"""Validates a training file in one pass and constant memory, whatever its format.

Lines are taken by pieces of 32 KiB: together they take the fast way (`fast`), and those that a scan
of the piece suspects get one more look at their texts (`closely.reconsidered`).  Only a line that
is not plainly sound is taken apart (`record_reader`).
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from brightrun.validation.closely import reconsidered
from brightrun.validation.codes import Severity, unknown_codes
from brightrun.validation.facts import Facts, Line
from brightrun.validation.lengths import METHOD
from brightrun.validation.lines import PieceReader, Readable, TooLong, lines_of
from brightrun.validation.record_reader import RecordReader
from brightrun.validation.report import LISTED, Report
from brightrun.validation.result import ValidationResult
from brightrun.validation.scan import is_utf8
from brightrun.validation.split import FRACTION, SEED
from brightrun.validation.tally import Tally
from brightrun.validation.tokens import ESTIMATE, Tokenizer

LONGEST_LINE = 2 << 20
_HOPELESS = 20  # bad lines in a row before the fast way is tried on every 20th line only
_ENOUGH_BYTES = 128 << 10  # of text: what is added up at once; bounds what is held


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose: a model's token limit, a real tokenizer, codes that block.

    `seed` and `fraction` are those of the split into training and validation.
    """

    max_tokens: int | None = None
    tokenizer: Tokenizer = ESTIMATE
    block: Collection[str] = ()
    listed: int = LISTED
    longest_line: int = LONGEST_LINE
    seed: int = SEED
    fraction: float = FRACTION


def validate(
    source: Readable,
    options: Options | None = None,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> ValidationResult:
    """Read `source` to its end and report what it is and everything wrong with it.

    Asks for 1 MiB at a time and takes less; adds at most 64 MB of memory whatever the size.  Raises
    ValueError for a `block` policy that names unknown codes and for a `fraction` that is not
    between 0 and 1, and whatever `source.read` raises.
    """
    chosen = options or Options()
    unknown = unknown_codes(chosen.block)
    if unknown:
        raise ValueError(f"The policy names codes that do not exist: {', '.join(unknown)}.")
    if not 0 < chosen.fraction < 1:
        raise ValueError(f"The validation fraction must be between 0 and 1, not {chosen.fraction}.")
    started = clock()
    return _Validation(chosen).run(source, lambda: clock() - started)


class _Validation:
    """The state of one run."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._report = Report(cap=options.listed, block=options.block)
        self._records = RecordReader(self._report)
        self._tally = Tally(options.tokenizer, options.max_tokens)
        self._lines = 0
        self._bad_in_a_row = 0
        self._held: list[Facts] = []
        self._held_first = self._held_bytes = 0

    def run(self, source: Readable, elapsed: Callable[[], float]) -> ValidationResult:
        """Read every line, then say how it went."""
        reader = PieceReader(source, self._options.longest_line)
        for piece in reader:
            first = self._lines + 1
            if isinstance(piece, TooLong):
                self._note_too_long(first, piece.length)
                self._lines += 1
                continue
            lines = lines_of(piece)
            if self._bad_in_a_row < _HOPELESS and b"\r" not in piece:
                self._take_together(piece, lines, first)
            else:
                self._take_one_by_one(lines, first)
            self._lines += len(lines)
        self._add_up()
        self._note_file_problems()
        return self._result(reader, elapsed)

    def _take_together(self, piece: bytes, lines: Sequence[Line], first: int) -> None:
        """Add up the lines of a piece; only those that are not plainly sound are taken apart."""
        facts = self._plain_facts(piece, lines)
        start = 0
        for at, found in enumerate(facts):
            if found is None:
                self._add(facts[start:at], first + start)
                self._take_apart(lines[at], first + at)
                start = at + 1
        self._add(facts[start:], first + start)

    def _add(self, facts: Sequence[Facts | None], first: int) -> None:
        """Hold sound lines next to each other until there are enough to be added up."""
        sound = [found for found in facts if found is not None]
        if sound:
            self._bad_in_a_row = 0
            self._records.records += len(sound)
            if self._held and first != self._held_first + len(self._held):
                self._add_up()
            self._held_first = self._held_first if self._held else first
            self._held += sound
            self._held_bytes += sum([len(found.joined) for found in sound])
            if self._held_bytes >= _ENOUGH_BYTES:
                self._add_up()

    def _add_up(self) -> None:
        """Add up the lines held, before anything is said of a later one."""
        if self._held:
            self._tally.add(self._held, self._held_first, self._report)
            self._held, self._held_bytes = [], 0

    def _plain_facts(self, piece: bytes, lines: Sequence[Line]) -> list[Facts | None]:
        suspects = self._records.suspects(piece, lines)
        if suspects is None:  # not UTF-8, and texts stay Raw, so that nothing else would see it
            lines = [line if is_utf8(bytes(line)) else b"" for line in lines]
            suspects = self._records.suspects(b"\n".join(lines), lines) or ()
        facts = self._records.fast(lines)
        for at, look in suspects:
            found = facts[at]
            facts[at] = found and reconsidered(found, look)
        return facts

    def _take_one_by_one(self, lines: Sequence[Line], first: int) -> None:
        """The same line by line, where most are bad or end in CR LF."""
        for number, line in enumerate(map(bytes, lines), first):
            text = line.removesuffix(b"\r")
            if text is not line:
                self._add_up()
                self._report.note("crlf", number)
            if self._bad_in_a_row < _HOPELESS or number % _HOPELESS == 0:
                self._take_together(text, [text], number)
            else:
                self._take_apart(text, number)

    def _take_apart(self, line: Line, number: int) -> None:
        self._bad_in_a_row += 1
        self._add_up()
        facts = self._records.take(bytes(line), number)
        if facts is not None:
            self._tally.add([facts], number, self._report)

    def _note_too_long(self, number: int, length: int) -> None:
        self._add_up()
        self._records.records += 1
        self._report.note(
            "line_too_long", number, "", f"{length} bytes, at most {self._options.longest_line}"
        )

    def _note_file_problems(self) -> None:
        self._records.note_claim()
        self._note_limits()
        if self._report.errors:
            return
        if not self._records.records:
            self._report.note("empty_file", 1)
        elif not self._tally.trainable:
            self._report.note("nothing_to_train", 1)

    def _note_limits(self) -> None:
        """Say what was too much to be remembered."""
        if forgotten := self._tally.forgotten:
            self._report.note("repetition_forgotten", 1, "", f"{forgotten} texts")
        if beyond := self._tally.splitter.beyond:
            self._report.note("beyond_split", 1, "", f"{beyond} records")

    def _result(self, reader: PieceReader, elapsed: Callable[[], float]) -> ValidationResult:
        report, tally, options = self._report, self._tally, self._options
        errors = report.errors
        split = None if errors else tally.splitter.split(options.seed, options.fraction)
        summary = report.summary()
        per_byte = tally.sample.per_byte()
        seconds = elapsed()
        return ValidationResult(
            status="error" if errors else "ready",
            format=report.form,
            lines=self._lines,
            records=self._records.records,
            trainable_pairs=tally.trainable,
            total_training_pairs=tally.pairs,
            total_tokens=round(tally.size * per_byte),
            tokens_method=tally.sample.method,
            conversations=tally.conversations,
            avg_turns_per_conversation=round(tally.turns / max(tally.conversations, 1), 2),
            tokens_per_conversation=tally.lengths.per_conversation(per_byte),
            tokens_per_pair=tally.lengths.per_pair(per_byte),
            lengths_method=METHOD,
            duplicates=tally.duplicates,
            near_duplicates=tally.near_duplicates,
            forgotten=tally.forgotten,
            error_count=errors,
            warning_count=sum(row.count for row in summary) - errors,
            summary=summary,
            warnings=report.listed[Severity.WARNING],
            errors=report.listed[Severity.ERROR],
            bytes=reader.size,
            sha256=reader.sha256(),
            seconds=round(seconds, 3),
            mb_per_s=round(reader.size / 1e6 / seconds, 1) if seconds else 0.0,
            detected_by=self._records.detected_by,
            split=split,
        )
