"""Adds up what the sound lines of a file hold, and finds what they repeat."""

from collections.abc import Sequence
from itertools import accumulate

from brightrun.validation.lengths import FileLengths
from brightrun.validation.notes import Notes
from brightrun.validation.report import Report
from brightrun.validation.seen import SeenTable
from brightrun.validation.split import Splitter
from brightrun.validation.survey import Survey

_LINE_BITS = 20  # 8 MiB: half a million different records are remembered
_ANSWER_BITS = 21  # 16 MiB: a million different answers
_SHORTEST_ANSWER = 48  # bytes: shorter answers recur by themselves ("Yes, please.")


class Tally:
    """Counts over the sound lines of one file."""

    def __init__(self) -> None:
        self.lengths = FileLengths()
        self.splitter = Splitter()
        self.trainable = self.pairs = self.turns = self.conversations = self.size = 0
        self.duplicates = self.near_duplicates = 0
        self._lines = SeenTable(_LINE_BITS)
        self._answers = SeenTable(_ANSWER_BITS)
        self._group = ""
        self._group_turns = 0

    def add(self, survey: Survey, report: Report) -> None:
        """Count the records of the block that comes next; report what they repeat."""
        if not survey.lines:
            return
        self.lengths.add(survey)
        self.splitter.add(survey)
        self._count(survey)
        again = self._lines.remember(survey.hashes, survey.lines)
        partly = self._answers.remember(survey.answer_hashes, survey.answer_lines)
        if again or partly or survey.too_long:
            self._examine(survey, again, partly, report)

    def _count(self, survey: Survey) -> None:
        self.size += sum(survey.sizes)
        self.pairs += survey.pairs
        self.trainable += len(survey.answer_hashes)
        if survey.groups:
            for group, turns in zip(survey.groups, survey.turns, strict=True):
                self._count_grouped(group, turns)
        else:
            self.conversations += len(survey.lines)
            self.turns += sum(survey.turns)

    def _count_grouped(self, group: str, turns: int) -> None:
        """Count a conversation once that is spread over neighbouring lines."""
        if group != self._group:
            self.conversations += 1
            self._group, self._group_turns = group, 0
        if turns > self._group_turns:
            self.turns += turns - self._group_turns
            self._group_turns = turns

    def _examine(self, survey: Survey, again: set[int], partly: set[int], report: Report) -> None:
        """Look at the records that were there before as a whole (`again`) or in part."""
        ends = list(accumulate(survey.answers, initial=0))
        for at, line in enumerate(survey.lines):
            note = Notes(report, line)
            note.failed = line in survey.too_long
            if line in again:
                self._note_duplicate(survey.hashes[at], line, note)
            elif line in partly:
                own = slice(ends[at], ends[at + 1])
                self._judge_nearness(survey.answer_hashes[own], survey.answer_sizes[own], note)
            self.trainable -= survey.answers[at] if note.failed else 0

    def _note_duplicate(self, whole: int, line: int, note: Notes) -> None:
        earlier = self._lines.first_line(whole, line)
        self.duplicates += 1
        self.splitter.join(line, earlier)
        note("duplicate", detail=f"first on line {earlier}")

    def _judge_nearness(self, hashes: Sequence[int], sizes: Sequence[int], note: Notes) -> None:
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
            note("near_duplicate", detail=f"{100 * seen // total} %, first on line {first}")

    @property
    def forgotten(self) -> int:
        """Hashes that made room for later ones; repetitions of those were not found."""
        return self._lines.forgotten + self._answers.forgotten
