"""Validates a training file in one pass and constant memory, whatever its format."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import chain

import msgspec

from brightrun.formats import (
    LONGEST_LINE,
    BlockReader,
    Place,
    Readable,
    RecordReader,
    RecordSource,
    Severity,
    unknown_codes,
)
from brightrun.validation.block_result import BlockResult
from brightrun.validation.block_scanner import BlockScanner, Order
from brightrun.validation.lengths import METHOD
from brightrun.validation.parallel import scan_blocks
from brightrun.validation.report import LISTED, CodeCount, Problem, Report
from brightrun.validation.result import ValidationResult
from brightrun.validation.split import FRACTION, SEED
from brightrun.validation.tally import Tally
from brightrun.validation.tokens import ESTIMATE, Tokenizer, TokenSample


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose: a model's token limit, a real tokenizer, codes that block.

    `seed` and `fraction` are those of the split into training and validation.  `extra_processes`
    are forked to scan beside this one: leave it at 0 in a process with threads or with a single
    processor.
    """

    max_tokens: int | None = None
    tokenizer: Tokenizer = ESTIMATE
    block: Collection[str] = ()
    listed: int = LISTED
    longest_line: int = LONGEST_LINE
    seed: int = SEED
    fraction: float = FRACTION
    extra_processes: int = 0


def validate(
    source: Readable,
    options: Options | None = None,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> ValidationResult:
    """Read `source` to its end and report what it is and everything wrong with it.

    Asks for 256 KiB at a time and takes less; adds at most 64 MB of memory whatever the size, extra
    processes included.  Raises ValueError for a `block` policy that names unknown codes and for a
    `fraction` that is not between 0 and 1, and whatever `source.read` raises.
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
        self._sample = TokenSample(options.tokenizer)
        self._records = 0
        self._places: dict[int, Place] = {}  # of what the report shows

    def run(self, file: Readable, elapsed: Callable[[], float]) -> ValidationResult:
        """Read every record, then say how it went."""
        options, source = self._options, RecordSource(file)
        self._source = source
        self._report.unit = source.unit
        self._scanner = BlockScanner(
            self._report,
            RecordReader(source.detection, where=source.where_behind),
            options.max_tokens,
            options.tokenizer,
            options.longest_line,
        )
        reader = BlockReader(source, options.longest_line)
        extra = options.extra_processes if source.is_lines else 0
        found = scan_blocks(reader, self._scanner, self._order, extra)
        first = next(found, None)  # forks the extra processes before the tally takes its memory
        tally = Tally()
        if first is not None:
            for result in chain((first,), found):
                self._add(result, tally)
        source.finish()
        self._note_file_problems(tally)
        return self._result(reader, tally, elapsed)

    def _order(self, first_line: int) -> Order:
        return Order(first_line, self._sample.stride, self._report.room)

    def _add(self, result: BlockResult, tally: Tally) -> None:
        """Add up the block that comes next, and say what it repeats."""
        self._report.format = self._scanner.format
        repeated = self._report.part()
        self._sample.offer(result.sample)
        tally.add(result, repeated)
        found = (result.findings, repeated.findings())
        self._report.add(*found)
        if any(part.rows for part in found):
            self._remember_places()
        self._records += result.records

    def _remember_places(self) -> None:
        """Find out where the records stand that the report shows, while the source knows it."""
        if not self._source.is_lines:
            for number in self._report.lines() - self._places.keys():
                self._places[number] = self._source.place(number)

    def _note_file_problems(self, tally: Tally) -> None:
        for problem in self._source.problems:
            self._report.note(problem.code, problem.number, "", problem.detail)
        self._note_claim()
        self._note_limits(tally)
        if self._report.errors:
            return
        if not self._records:
            self._report.note("empty_file", 1)
        elif not tally.trainable:
            found = self._report.format
            reason = found.untrained_because if found else ""
            self._report.note(reason or "nothing_to_train", 1)

    def _note_claim(self) -> None:
        """Compare what `_meta` says with what the file held."""
        meta = self._scanner.lines.reader.meta or {}
        claimed = meta.get("total_pairs", False)
        if isinstance(claimed, int) and claimed is not False and claimed != self._records:
            detail = f"it says {claimed}, the file holds {self._records}"
            self._report.note("meta_count_mismatch", 1, "/_meta/total_pairs", detail)

    def _note_limits(self, tally: Tally) -> None:
        """Say what was too much to be remembered."""
        if forgotten := tally.forgotten:
            self._report.note("repetition_forgotten", 1, "", f"{forgotten} texts")
        if beyond := tally.splitter.beyond:
            self._report.note("beyond_split", 1, "", f"{beyond} records")

    def _result(
        self, reader: BlockReader, tally: Tally, elapsed: Callable[[], float]
    ) -> ValidationResult:
        report, options, sample = self._report, self._options, self._sample
        errors = report.errors
        split = None if errors else tally.splitter.split(options.seed, options.fraction)
        summary = report.summary()
        per_byte = sample.per_byte()
        seconds = elapsed()
        found = self._source.detection.format if self._source.detection else report.format
        return ValidationResult(
            status="error" if errors else "ready",
            format=found.name if found else None,
            lines=reader.lines,
            records=self._records,
            refused=self._records - tally.sound,
            trainable_pairs=tally.trainable,
            total_training_pairs=tally.pairs,
            total_tokens=round(tally.size * per_byte),
            tokens_method=sample.method,
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
            summary=[self._placed_count(row) for row in summary],
            warnings=[self._placed(one) for one in report.listed[Severity.WARNING]],
            errors=[self._placed(one) for one in report.listed[Severity.ERROR]],
            bytes=self._source.size,
            sha256=self._source.sha256(),
            seconds=round(seconds, 3),
            mb_per_s=round(self._source.size / 1e6 / seconds, 1) if seconds else 0.0,
            detected_by=self._scanner.lines.reader.detected_by,
            split=split,
        )

    def _placed(self, problem: Problem) -> Problem:
        """A problem where it stands in the file, which may be a document of records."""
        if self._source.is_lines:
            return problem
        place = self._place(problem.line)
        pointer = place.pointer_to(problem.pointer)
        return msgspec.structs.replace(problem, line=place.line, pointer=pointer)

    def _placed_count(self, row: CodeCount) -> CodeCount:
        lines = [self._place(number).line for number in row.lines]
        return msgspec.structs.replace(row, lines=lines)

    def _place(self, number: int) -> Place:
        return self._places.get(number) or self._source.place(number)
