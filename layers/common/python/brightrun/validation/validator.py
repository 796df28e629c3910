"""Validates a training file in one pass and constant memory, whatever its format.

A line takes the fast way (`fast`) and, where a cheap scan is suspicious, one more look at its texts
(`closely.reconsidered`); only a line that is not plainly sound is taken apart (`record_reader`).
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from brightrun.validation.closely import reconsidered
from brightrun.validation.codes import Severity, unknown_codes
from brightrun.validation.facts import Facts
from brightrun.validation.lines import LineReader, Readable
from brightrun.validation.record_reader import RecordReader
from brightrun.validation.report import LISTED, Report
from brightrun.validation.result import ValidationResult
from brightrun.validation.tally import Tally
from brightrun.validation.tokens import ESTIMATE, Tokenizer

LONGEST_LINE = 2 << 20
_HOPELESS = 20  # bad lines in a row before the fast way is tried on every 20th line only


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose: a model's token limit, a real tokenizer, codes that block."""

    max_tokens: int | None = None
    tokenizer: Tokenizer = ESTIMATE
    block: Collection[str] = ()
    listed: int = LISTED
    longest_line: int = LONGEST_LINE


def validate(
    source: Readable,
    options: Options | None = None,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> ValidationResult:
    """Read `source` to its end and report what it is and everything wrong with it.

    Reads 1 MiB at a time; adds at most 64 MB of memory whatever the size.  Raises ValueError for a
    `block` policy that names unknown codes, and whatever `source.read` raises.
    """
    chosen = options or Options()
    unknown = unknown_codes(chosen.block)
    if unknown:
        raise ValueError(f"The policy names codes that do not exist: {', '.join(unknown)}.")
    started = clock()
    return _Validation(chosen).run(source, lambda: clock() - started)


class _Validation:
    """The state of one run."""

    def __init__(self, options: Options) -> None:
        self._longest_line = options.longest_line
        self._report = Report(cap=options.listed, block=options.block)
        self._records = RecordReader(self._report)
        self._tally = Tally(options.tokenizer, options.max_tokens)
        self._bad_in_a_row = 0

    def run(self, source: Readable, elapsed: Callable[[], float]) -> ValidationResult:
        """Read every line, then say how it went."""
        reader = LineReader(source, self._longest_line, self._note_too_long)
        add, report = self._tally.add, self._report
        for number, line in reader:
            facts = self._take(line, number)
            if facts is not None:
                add(facts, number, report)
        self._note_file_problems()
        return self._result(reader, elapsed())

    def _take(self, line: bytes, number: int) -> Facts | None:
        """Return the facts of a sound line; note what keeps another from being sound."""
        if line.endswith(b"\r\n"):
            self._report.note("crlf", number)
            line = line[:-2]
        records = self._records
        if self._bad_in_a_row < _HOPELESS or number % _HOPELESS == 0:
            facts = records.fast(line)
            if facts is not None and (look := records.look(line)):
                facts = reconsidered(facts, look)
            if facts is not None:
                records.records += 1
                self._bad_in_a_row = 0
                return facts
        self._bad_in_a_row += 1
        return records.take(line, number)

    def _note_too_long(self, number: int, length: int) -> None:
        self._records.records += 1
        self._report.note(
            "line_too_long", number, "", f"{length} bytes, at most {self._longest_line}"
        )

    def _note_file_problems(self) -> None:
        self._records.note_claim()
        if self._report.errors:
            return
        if not self._records.records:
            self._report.note("empty_file", 1)
        elif not self._tally.trainable:
            self._report.note("nothing_to_train", 1)

    def _result(self, reader: LineReader, seconds: float) -> ValidationResult:
        report, tally = self._report, self._tally
        summary = report.summary()
        errors = report.errors
        return ValidationResult(
            status="error" if errors else "ready",
            format=report.form,
            lines=reader.lines,
            records=self._records.records,
            trainable_pairs=tally.trainable,
            total_training_pairs=tally.pairs,
            total_tokens=tally.sample.total(tally.size),
            tokens_method=tally.sample.method,
            avg_turns_per_conversation=round(tally.turns / max(tally.conversations, 1), 2),
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
        )
