"""Adds up what the sound lines of a file hold, and finds what they repeat."""

from collections.abc import Sequence
from itertools import accumulate

from brightrun.validation.block_result import BlockResult
from brightrun.validation.duplicate_table import DuplicateTable
from brightrun.validation.lengths import FileLengths
from brightrun.validation.report import ProblemRecorder, Report
from brightrun.validation.split import Splitter

_LINE_BITS = 20  # 8 MiB: half a million different records are remembered
_ANSWER_BITS = 21  # 16 MiB: a million different answers
_SHORTEST_ANSWER = 48  # bytes: shorter answers recur by themselves ("Yes, please.")


class Tally:
    """Counts over the sound lines of one file."""

    def __init__(self) -> None:
        self.lengths = FileLengths()
        self.splitter = Splitter()
        self.trainable = self.pairs = self.turns = self.conversations = self.size = 0
        self.duplicates = self.near_duplicates = self.sound = 0
        self._lines = DuplicateTable(_LINE_BITS)
        self._answers = DuplicateTable(_ANSWER_BITS)
        self._group = ""
        self._group_turns = 0

    def add(self, result: BlockResult, report: Report) -> None:
        """Count the records of the block that comes next; report what they repeat."""
        if not result.lines:
            return
        self.lengths.add(result)
        self.splitter.add(result)
        self._count(result)
        again = self._lines.remember(result.hashes, result.lines)
        partly = self._answers.remember(result.answer_hashes, result.answer_lines)
        if again or partly or result.too_long:
            self._examine(result, again, partly, report)

    def _count(self, result: BlockResult) -> None:
        self.size += sum(result.sizes)
        self.pairs += result.pairs
        self.trainable += len(result.answer_hashes)
        self.sound += len(result.lines)
        if result.groups:
            for group, turns in zip(result.groups, result.turns, strict=True):
                self._count_grouped(group, turns)
        else:
            self.conversations += len(result.lines)
            self.turns += sum(result.turns)

    def _count_grouped(self, group: str, turns: int) -> None:
        """Count a conversation once that is spread over neighbouring lines."""
        if not group or group != self._group:
            self.conversations += 1
            self._group, self._group_turns = group, 0
        if turns > self._group_turns:
            self.turns += turns - self._group_turns
            self._group_turns = turns

    def _examine(
        self, result: BlockResult, again: set[int], partly: set[int], report: Report
    ) -> None:
        """Look at the records that were there before as a whole (`again`) or in part."""
        ends = list(accumulate(result.answers, initial=0))
        too_long = set(result.too_long)
        noted = again | partly | too_long
        for at, line in enumerate(result.lines):
            if line not in noted:
                continue
            note = ProblemRecorder(report, line)
            note.failed = line in too_long
            if line in again:
                self._note_duplicate(result.hashes[at], line, note)
            elif line in partly:
                own = slice(ends[at], ends[at + 1])
                self._judge_nearness(result.answer_hashes[own], result.answer_sizes[own], note)
            self.trainable -= result.answers[at] if note.failed else 0
            self.sound -= note.failed

    def _note_duplicate(self, whole: int, line: int, note: ProblemRecorder) -> None:
        earlier = self._lines.first_line(whole, line)
        self.duplicates += 1
        self.splitter.join(line, earlier)
        note("duplicate", detail=f"first on {note.unit} {earlier}")

    def _judge_nearness(
        self, hashes: Sequence[int], sizes: Sequence[int], note: ProblemRecorder
    ) -> None:
        """Half of the longer answers' length seen on earlier lines makes a near duplicate."""
        line = note.line
        long = [at for at, size in enumerate(sizes) if size >= _SHORTEST_ANSWER]
        found = self._answers.first_lines([hashes[at] for at in long], line)
        total = sum(sizes[at] for at in long)
        again = [(sizes[at], first) for at, first in zip(long, found, strict=True) if first < line]
        again = [(size, first) for size, first in again if first]
        seen = sum(size for size, _ in again)
        if seen and 2 * seen >= total:
            self.near_duplicates += 1
            for _, earlier in again:
                self.splitter.join(line, earlier)
            first = min(first for _, first in again)
            note("near_duplicate", detail=f"{100 * seen // total} %, first on {note.unit} {first}")

    @property
    def forgotten(self) -> int:
        """Hashes that made room for later ones; repetitions of those were not found."""
        return self._lines.forgotten + self._answers.forgotten
