"""How long conversations and pairs are, from counts in bins of fixed width."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain

import msgspec

from brightrun.validation.block_result import BlockResult
from brightrun.validation.record_summary import RecordSummary
from brightrun.validation.tokens import scattered

BIN_BYTES = 32  # of text as JSON: about 8 tokens of English
_BIN_BITS = BIN_BYTES.bit_length() - 1
_SHARES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}
ALL_MEASURED = 4096  # lines whose pairs are all measured; of those after them one in eight
_ONE_IN = 8
_TOGETHER = 4096  # lengths counted at once
METHOD = (
    f"bytes in bins of {BIN_BYTES}, scaled to tokens; each at most one bin too long;"
    f" pairs of one line in {_ONE_IN} after some {ALL_MEASURED}"
)


class Lengths(msgspec.Struct, frozen=True):
    """Tokens that a share of all have at most: p50 is the one in the middle, max the longest."""

    p50: int = 0
    p90: int = 0
    p95: int = 0
    p99: int = 0
    max: int = 0


class LengthBins:
    """Counts lengths in bytes; lines of at most 2 MiB make at most 65,536 bins."""

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()
        self._waiting: list[int] = []

    def add(self, sizes: Iterable[int], weight: int = 1) -> None:
        """Count some lengths, each as often as its weight says."""
        self._waiting += [size >> _BIN_BITS for size in sizes] * weight
        if len(self._waiting) >= _TOGETHER:
            self._count()

    def _count(self) -> None:
        self._bins.update(self._waiting)
        self._waiting.clear()

    def lengths(self, longest: int, tokens_per_byte: float) -> Lengths:
        """The percentiles in tokens, each too long by one bin at most; `longest` is exact."""
        self._count()
        numbers = sorted(self._bins)
        reached = list(accumulate(self._bins[number] for number in numbers))
        found = {"max": longest}
        for name, share in _SHARES.items() if reached else ():
            at = next(at for at, count in enumerate(reached) if count >= share * reached[-1])
            found[name] = min((numbers[at] + 1) * BIN_BYTES, longest)
        return Lengths(**{name: round(size * tokens_per_byte) for name, size in found.items()})


def pair_sizes(records: Sequence[RecordSummary], lines: Sequence[int], every: bool) -> list[int]:
    """How long the pairs of some records are in bytes: of every record, or of one line in eight."""
    measured = records
    if not every:
        measured = [records[at] for at, line in enumerate(lines) if not scattered(line) % _ONE_IN]
    return list(chain.from_iterable(map(_pair_ends, measured)))


def _pair_ends(summary: RecordSummary) -> list[int]:
    ends = list(accumulate(map(len, summary.texts)))
    return [ends[place] for place in summary.trained]


class FileLengths:
    """The lengths of a file's conversations, all of them, and of its pairs.

    A pair is an answer that trains with all that stands before it in its record: what the model
    holds to learn it.  Of a conversation in several records the longest one counts.
    """

    def __init__(self) -> None:
        self._conversations = LengthBins()
        self._pairs = LengthBins()
        self._longest = 0
        self._group, self._group_size = "", 0

    def add(self, result: BlockResult) -> None:
        """Take in the sizes of a result; records of one conversation stand next to each other."""
        sizes = result.sizes
        self._longest = max(self._longest, *sizes)
        if result.groups:
            sizes = list(chain.from_iterable(map(self._ended, result.groups, sizes)))
        self._conversations.add(sizes)
        self._pairs.add(result.pair_sizes, 1 if result.all_pairs else _ONE_IN)

    def _ended(self, group: str, size: int) -> tuple[int, ...]:
        """The sizes of conversations that ended: the one before, and a record that names none."""
        if group and group == self._group:
            self._group_size = max(self._group_size, size)
            return ()
        ended = (self._group_size,) if self._group else ()
        self._group, self._group_size = group, size
        return ended if group else (*ended, size)

    def per_conversation(self, tokens_per_byte: float) -> Lengths:
        """The lengths of whole conversations; to be asked once, at the end of the file."""
        if self._group:
            self._conversations.add((self._group_size,))
            self._group = ""
        return self._conversations.lengths(self._longest, tokens_per_byte)

    def per_pair(self, tokens_per_byte: float) -> Lengths:
        """The lengths of pairs; the longest is that of a whole record."""
        return self._pairs.lengths(self._longest, tokens_per_byte)
