"""What one block of a file holds, in lists of numbers that are cheap to send to another process."""

from collections.abc import Sequence

import msgspec
from xxhash import xxh3_64_intdigest

from brightrun.validation.facts import Facts
from brightrun.validation.report import Findings


class Survey(msgspec.Struct, gc=False):
    """The sound records of a block, and what was found in it.

    `lines`, `hashes`, `sizes` (bytes of text), `turns` and `answers` (how many train) have an entry
    for each record, and so has `groups` in formats that spread a conversation over lines; the lists
    that begin with `answer_` have one for each answer that trains.  `too_long` are the lines of
    those that the model would cut off; `records` counts the sound and the others.
    """

    findings: Findings
    records: int
    too_long: list[int] = []
    pairs: int = 0
    lines: list[int] = []
    hashes: list[int] = []
    sizes: list[int] = []
    turns: list[int] = []
    answers: list[int] = []
    groups: list[str] = []
    answer_hashes: list[int] = []
    answer_sizes: list[int] = []
    answer_lines: list[int] = []
    pair_sizes: list[int] = []
    all_pairs: bool = True
    sample: list[tuple[int, str]] = []

    def describe(self, records: Sequence[Facts], lines: list[int]) -> None:
        """Fill the lists from what was kept of each sound record."""
        trained = [facts.texts[place] for facts in records for place in facts.trained]
        self.pairs = sum([facts.pairs for facts in records])
        self.lines = lines
        self.hashes = [xxh3_64_intdigest(facts.joined) for facts in records]
        self.sizes = [len(facts.joined) for facts in records]
        self.turns = [facts.turns for facts in records]
        self.answers = [len(facts.trained) for facts in records]
        if records[0].group:
            self.groups = [facts.group for facts in records]
        self.answer_hashes = list(map(xxh3_64_intdigest, trained))
        self.answer_sizes = list(map(len, trained))
        self.answer_lines = [
            line for line, count in zip(lines, self.answers, strict=True) for _ in range(count)
        ]
