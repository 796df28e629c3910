"""A part of a dataset that is too large to count: whole conversations, always the same ones."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from brightrun.formats import PlacedRecord, RecordFile
from brightrun.sft.data import TrainingPair, named
from brightrun.sft.errors import SampleError

OVERSHOOT = 2
"""How many times the bytes aimed at a sample may take before no further conversation joins it."""


class RowSampler:
    """Lets the rows of about `most` of `size` bytes through, and counts all of them.

    A conversation is in by its name alone, so the sample does not depend on the rows' order; the
    first one of the file always is. So is every row with an error, which is counted exactly.
    """

    def __init__(self, size: int, most: int) -> None:
        self._share = most / size
        self._most = OVERSHOOT * most
        self.rows = self.size = self.sampled_rows = self.sampled_size = 0

    @property
    def factor(self) -> float:
        """How many times the rows have the bytes of those that were let through."""
        return self.size / self.sampled_size if self.sampled_size else 1.0

    def records(self, file: RecordFile) -> Iterator[PlacedRecord]:
        """The sampled rows of a file."""
        chosen: set[str] = set()
        for record in file:
            if record.reading is None:
                yield record
                continue
            key, size = named(record.reading)[0], record.size + 1
            self.rows += 1
            self.size += size
            joins = share_of(key) < self._share and self.sampled_size < self._most
            if key in chosen or joins or not chosen:
                chosen.add(key)
                self.sampled_rows += 1
                self.sampled_size += size
                yield record


def share_of(name: str) -> float:
    """A conversation's place from 0 up to 1, spread evenly and always the same."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def thinned(pairs: Sequence[TrainingPair], most: int) -> tuple[list[TrainingPair], float]:
    """The pairs of so many conversations that about `most` characters are read, and the factor.

    A pair is read with all its history. Raises SampleError when one conversation alone is far
    beyond that.
    """
    lengths: Counter[str] = Counter()
    for pair in pairs:
        lengths[pair.conversation_id] += sum(len(turn["content"]) for turn in pair.messages)
    total, kept = lengths.total(), 0
    names: set[str] = set()
    for name in sorted(lengths, key=share_of):
        if names and kept + lengths[name] > most:
            break
        names.add(name)
        kept += lengths[name]
    if kept > OVERSHOOT * most:
        raise SampleError(
            f"the conversation {min(names)} alone makes {kept} characters to read, over the "
            f"{OVERSHOOT * most} that are read at most; count it offline with `brightrun receipt`."
        )
    return [pair for pair in pairs if pair.conversation_id in names], total / kept if kept else 1.0
