"""Adds up what the sound lines of a file hold, and finds what they repeat."""

from collections.abc import Sequence
from math import inf

from xxhash import xxh3_64_intdigest

from brightrun.validation.facts import Facts
from brightrun.validation.lengths import FileLengths
from brightrun.validation.notes import Notes
from brightrun.validation.report import Report
from brightrun.validation.seen import SeenTable
from brightrun.validation.split import Splitter
from brightrun.validation.tokens import Tokenizer, TokenSample

_LINE_BITS = 20  # 8 MiB: half a million different records are remembered
_ANSWER_BITS = 21  # 16 MiB: a million different answers
_SHORTEST_ANSWER = 48  # bytes: shorter answers recur by themselves ("Yes, please.")
_BYTES_PER_TOKEN = 2  # fewer are rare in any script; only longer records are counted exactly


class Tally:
    """Counts over the sound lines of one file."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int | None) -> None:
        self.sample = TokenSample(tokenizer)
        self.lengths = FileLengths()
        self.splitter = Splitter()
        self.trainable = self.pairs = self.turns = self.conversations = self.size = 0
        self.duplicates = self.near_duplicates = 0
        self._max_tokens = max_tokens
        self._longest = inf if max_tokens is None else max_tokens * _BYTES_PER_TOKEN
        self._lines = SeenTable(_LINE_BITS)
        self._answers = SeenTable(_ANSWER_BITS)
        self._group = ""
        self._group_turns = 0

    def add(self, records: Sequence[Facts], first_line: int, report: Report) -> None:
        """Count records on neighbouring lines; report repetition, and length beyond a limit."""
        hashes = [xxh3_64_intdigest(facts.joined) for facts in records]
        self.sample.offer(records)
        self.lengths.add(records)
        self.splitter.add(records, hashes, first_line)
        self._count(records)
        lines = range(first_line, first_line + len(records))
        again = self._lines.remember(hashes, lines)
        partly = self._answers.remember(
            [xxh3_64_intdigest(facts.texts[place]) for facts in records for place in facts.trained],
            [line for line, facts in zip(lines, records, strict=True) for _ in facts.trained],
        )
        long = {n for n, f in zip(lines, records, strict=True) if len(f.joined) > self._longest}
        self.trainable += sum([len(facts.trained) for facts in records])
        for line in sorted(again | partly | long):
            at, note = line - first_line, Notes(report, line)
            self._examine(records[at], hashes[at] if line in again else None, line, note)
            self.trainable -= len(records[at].trained) if note.failed else 0

    def _count(self, records: Sequence[Facts]) -> None:
        self.size += sum([len(facts.joined) for facts in records])
        self.pairs += sum([facts.pairs for facts in records])
        if records[0].group:
            for facts in records:
                self._count_grouped(facts)
        else:
            self.conversations += len(records)
            self.turns += sum([facts.turns for facts in records])

    def _count_grouped(self, facts: Facts) -> None:
        """Count a conversation once that is spread over neighbouring lines."""
        if facts.group != self._group:
            self.conversations += 1
            self._group, self._group_turns = facts.group, 0
        if facts.turns > self._group_turns:
            self.turns += facts.turns - self._group_turns
            self._group_turns = facts.turns

    def _examine(self, facts: Facts, whole: int | None, line: int, note: Notes) -> None:
        """Look at a record that is long, or of which something was there before.

        `whole` is the hash of a record that was there before as a whole.
        """
        if len(facts.joined) > self._longest:
            self._check_length(facts, note)
        if whole is not None:
            earlier = self._lines.first_line(whole, line)
            self.duplicates += 1
            self.splitter.join(line, earlier)
            note("duplicate", detail=f"first on line {earlier}")
            return
        answers = [facts.texts[place] for place in facts.trained]
        long = [answer for answer in answers if len(answer) >= _SHORTEST_ANSWER]
        found = self._answers.first_lines(map(xxh3_64_intdigest, long), line)
        self._judge_nearness(list(zip(map(len, long), found, strict=True)), line, note)

    def _check_length(self, facts: Facts, note: Notes) -> None:
        tokens = self.sample.count(facts.texts)
        if self._max_tokens is not None and tokens > self._max_tokens:
            note("too_long_for_model", detail=f"{tokens} tokens, at most {self._max_tokens}")

    def _judge_nearness(self, long: Sequence[tuple[int, int]], line: int, note: Notes) -> None:
        """Half of the longer answers' length seen on earlier lines makes a near duplicate."""
        total = sum(size for size, _ in long)
        again = [(size, first) for size, first in long if 0 < first < line]
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
