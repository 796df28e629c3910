"""Adds up what the sound lines of a file hold, and finds what they repeat."""

from math import inf

from xxhash import xxh3_64_intdigest

from brightrun.validation.facts import Facts
from brightrun.validation.notes import Notes
from brightrun.validation.report import Report
from brightrun.validation.seen import SeenTable
from brightrun.validation.tokens import Tokenizer, TokenSample

_LINE_BITS = 20  # 8 MiB: a million different records are remembered
_ANSWER_BITS = 21  # 16 MiB: two million different answers
_SHORTEST_ANSWER = 48  # bytes: shorter answers recur by themselves ("Yes, please.")
_BYTES_PER_TOKEN = 2  # fewer are rare in any script; only longer records are counted exactly
_ALL_BITS = (1 << 64) - 1


class Tally:
    """Counts over the sound lines of one file."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int | None) -> None:
        self.sample = TokenSample(tokenizer)
        self.trainable = self.pairs = self.turns = self.conversations = self.size = 0
        self.duplicates = self.near_duplicates = 0
        self._max_tokens = max_tokens
        self._longest = inf if max_tokens is None else max_tokens * _BYTES_PER_TOKEN
        self._lines = SeenTable(_LINE_BITS)
        self._answers = SeenTable(_ANSWER_BITS)
        self._group = ""
        self._group_turns = 0

    def add(self, facts: Facts, line: int, report: Report) -> None:
        """Count one line; report repetition, and length where a model's limit is given."""
        self.size += facts.size
        self.pairs += facts.pairs
        if facts.group:
            self._count_grouped(facts)
        else:
            self.conversations += 1
            self.turns += facts.turns
        self.sample.offer(facts.texts)
        note = Notes(report, line)
        if facts.size > self._longest:
            self._check_length(facts, note)
        self._find_repetition(facts, line, note)
        if not note.failed:
            self.trainable += len(facts.trained)

    def _count_grouped(self, facts: Facts) -> None:
        """Count a conversation once that is spread over neighbouring lines."""
        if facts.group != self._group:
            self.conversations += 1
            self._group, self._group_turns = facts.group, 0
        if facts.turns > self._group_turns:
            self.turns += facts.turns - self._group_turns
            self._group_turns = facts.turns

    def _check_length(self, facts: Facts, note: Notes) -> None:
        tokens = self.sample.count(facts.texts)
        if self._max_tokens is not None and tokens > self._max_tokens:
            note("too_long_for_model", detail=f"{tokens} tokens, at most {self._max_tokens}")

    def _find_repetition(self, facts: Facts, line: int, note: Notes) -> None:
        """Compare the whole record by hash, then its longer answers one by one."""
        texts = facts.texts
        hashes = list(map(xxh3_64_intdigest, texts))
        whole = self._lines.first_line(hash(tuple(hashes)) & _ALL_BITS, line)
        if whole:
            self.duplicates += 1
            note("duplicate", detail=f"first on line {whole}")
            return
        long = [place for place in facts.trained if len(texts[place]) >= _SHORTEST_ANSWER]
        found = self._answers.first_lines([hashes[place] for place in long], line)
        if any(found):
            self._judge_nearness([len(texts[place]) for place in long], found, line, note)

    def _judge_nearness(self, sizes: list[int], found: list[int], line: int, note: Notes) -> None:
        """Half of the answers' length seen on earlier lines makes a near duplicate."""
        seen = sum(size for size, first in zip(sizes, found, strict=True) if first not in (0, line))
        if seen and 2 * seen >= sum(sizes):
            earlier = min(first for first in found if first)
            self.near_duplicates += 1
            note("near_duplicate", detail=f"{100 * seen // sum(sizes)} %, first on line {earlier}")

    @property
    def forgotten(self) -> int:
        """Hashes that made room for later ones; repetitions of those were not found."""
        return self._lines.forgotten + self._answers.forgotten
