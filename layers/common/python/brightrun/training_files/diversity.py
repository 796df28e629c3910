"""How much conversations differ from each other: figures of their texts, without any model.

Compression ratio and repeated phrases suffice to see sameness (arXiv 2403.00553); distinct-n is
what papers report.  Near duplicates are those of training files (duplicates.py).
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from brightrun.training_files.duplicates import Duplicate, DuplicateIndex

OPENING_WORDS = 6
"""Words of a client's first turn that count as its opening."""
PHRASE_WORDS = 8
"""Words of a phrase: shorter ones are shared by unrelated English texts."""
MOST_OPENINGS = 10
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_Hash = int


@dataclass(frozen=True, slots=True)
class RepeatedOpening:
    """The first words of clients, and how many conversations begin with them."""

    opening: str
    conversations: int


@dataclass(frozen=True, slots=True)
class Diversity:
    """Figures of `conversations` texts; None where there are no words.

    `distinct_1` and `distinct_2` are the shares of different words and pairs of words among all;
    both fall as texts grow, so compare sets of about the same size. `compression_ratio` is the
    size of all texts by their compressed size: the higher, the more they repeat; 2 to 3 is usual
    of English. `repeated_phrases` is the share of phrases of PHRASE_WORDS words that an earlier
    conversation has too. Repeated openings are those of two conversations or more.
    """

    conversations: int
    distinct_1: float | None
    distinct_2: float | None
    compression_ratio: float | None
    repeated_phrases: float | None
    repeated_openings: Sequence[RepeatedOpening]
    duplicates: Sequence[Duplicate]


class DiversityMeter:
    """Takes conversations one after the other; holds hashes of their words, not the texts.

    A conversation of a thousand words takes some 100 KB, most of it in two sets of hashes.
    """

    def __init__(self) -> None:
        self._conversations = self._words = self._pairs = self._phrases = self._again = 0
        self._different: tuple[set[str], set[_Hash]] = (set(), set())
        self._seen: set[_Hash] = set()
        self._openings: Counter[str] = Counter()
        self._compressor = zlib.compressobj()
        self._size = self._compressed = 0
        self._index = DuplicateIndex()
        self._duplicates: list[Duplicate] = []

    def add(self, conversation_id: str, turns: Sequence[str]) -> None:
        """Take a conversation, its client's first turn first."""
        self._conversations += 1
        text = "\n".join(turns).encode(errors="replace")
        self._size += len(text)
        self._compressed += len(self._compressor.compress(text))
        spoken = [_WORD.findall(turn.casefold()) for turn in turns]
        if spoken and len(spoken[0]) >= OPENING_WORDS:
            self._openings[" ".join(spoken[0][:OPENING_WORDS])] += 1
        self._add_words(spoken)
        if duplicate := self._index.closest(conversation_id, turns):
            self._duplicates.append(duplicate)
        self._index.add(conversation_id, turns)

    def _add_words(self, spoken: Sequence[Sequence[str]]) -> None:
        words, pairs = self._different
        phrases: set[_Hash] = set()
        for turn in spoken:
            self._words += len(turn)
            words.update(turn)
            of_two = list(zip(turn, turn[1:], strict=False))
            self._pairs += len(of_two)
            pairs.update(map(_hashed, of_two))
            windows = zip(*(turn[at:] for at in range(PHRASE_WORDS)), strict=False)
            phrases.update(map(_hashed, windows))
        self._phrases += len(phrases)
        self._again += len(phrases & self._seen)
        self._seen |= phrases

    def measured(self) -> Diversity:
        """The figures of all that was taken; nothing may be added afterwards."""
        compressed = self._compressed + len(self._compressor.flush())
        words, pairs = self._different
        common = self._openings.most_common(MOST_OPENINGS)
        return Diversity(
            conversations=self._conversations,
            distinct_1=_share(len(words), self._words),
            distinct_2=_share(len(pairs), self._pairs),
            compression_ratio=_share(self._size, compressed) if self._words else None,
            repeated_phrases=_share(self._again, self._phrases),
            repeated_openings=[RepeatedOpening(*one) for one in common if one[1] > 1],
            duplicates=self._duplicates,
        )


def measure(texts: Mapping[str, Sequence[str]]) -> Diversity:
    """The figures of conversations by their ids."""
    meter = DiversityMeter()
    for conversation_id, turns in texts.items():
        meter.add(conversation_id, turns)
    return meter.measured()


def evenly_spaced(ids: Sequence[str], most: int) -> list[str]:
    """At most so many of the ids, from all parts of the list; always the same ones."""
    if len(ids) <= most:
        return list(ids)
    return [ids[at * len(ids) // most] for at in range(most)]


def _hashed(words: tuple[str, ...]) -> _Hash:
    digest = hashlib.blake2b(" ".join(words).encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
