"""What one block of a file holds, in lists of numbers that are cheap to send to another process."""

from collections.abc import Sequence

import msgspec
from xxhash import xxh3_64_intdigest

from brightrun.validation.record_summary import RecordSummary
from brightrun.validation.report import Findings


class BlockResult(msgspec.Struct, gc=False):
    """The sound records of a block, and what was found in it.

    `lines`, `hashes`, `sizes` (bytes of text), `turns` and `answers` (how many train) have an entry
    for each record, and so has `groups` where records name their conversation; the lists that begin
    with `answer_` have one for each answer that trains.  `too_long` are the lines of those that the
    model would cut off; `records` counts the sound and the others.
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

    def describe(self, records: Sequence[RecordSummary], lines: list[int]) -> None:
        """Fill the lists from what was kept of each sound record."""
        trained = [summary.texts[place] for summary in records for place in summary.trained]
        self.pairs = sum([summary.pairs for summary in records])
        self.lines = lines
        self.hashes = [xxh3_64_intdigest(summary.joined) for summary in records]
        self.sizes = [len(summary.joined) for summary in records]
        self.turns = [summary.turns for summary in records]
        self.answers = [len(summary.trained) for summary in records]
        groups = [summary.group for summary in records]
        if any(groups):
            self.groups = groups
        self.answer_hashes = list(map(xxh3_64_intdigest, trained))
        self.answer_sizes = list(map(len, trained))
        self.answer_lines = [
            line for line, count in zip(lines, self.answers, strict=True) for _ in range(count)
        ]
