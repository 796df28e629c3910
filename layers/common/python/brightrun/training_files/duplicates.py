"""Finds conversations with the same text, by hashes of their turns."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

NEAR_DUPLICATE_OVERLAP = 0.8
"""Near duplicates share at least this part of the shorter conversation's turns, such as 7 of 8."""
_MIN_TURN_CHARACTERS = 15
"""Shorter turns are ignored: different conversations may both contain "Thank you!"."""
_NOT_A_WORD = re.compile(r"[\W_]+")
_HASH = "Q"
"""64 bits: among a million turns, the chance that any two share a hash by accident is 3e-8."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A duplicate of `same_as`; `overlap` is the share of turns in common, 0 to 1."""

    kind: Literal["exact", "near"]
    conversation_id: str
    same_as: str
    overlap: float


class DuplicateIndex:
    """The conversations of a training file, to compare others with.

    Turns are compared without case and punctuation. A conversation takes 8 bytes for each turn, and
    about 100 in the tables that find it. Only those that share a rare turn are compared, so that a
    greeting in every conversation costs nothing.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._known: set[str] = set()
        self._turns: list[array[int]] = []
        self._having: dict[int, list[int]] = {}
        self._shorter: dict[int, list[int]] = {}

    def __contains__(self, conversation_id: object) -> bool:
        return conversation_id in self._known

    def closest(self, conversation_id: str, texts: Sequence[str]) -> Duplicate | None:
        """The conversation of the index with the most turns in common, if it is a duplicate."""
        turns = _hashes(texts)
        found = [
            duplicate
            for number in sorted(self._candidates(turns))
            if (duplicate := self._compare(conversation_id, turns, number))
        ]
        return max(found, key=lambda one: (one.kind == "exact", one.overlap), default=None)

    def add(self, conversation_id: str, texts: Sequence[str]) -> None:
        """Put a conversation into the index, with the texts of its turns."""
        self._add(conversation_id, _hashes(texts))

    def dump(self) -> dict[str, Any]:
        """The index as JSON values, for `load`."""
        turns = b"".join(turns.tobytes() for turns in self._turns)
        return {
            "ids": self._ids,
            "lengths": [len(turns) for turns in self._turns],
            "turns": base64.b64encode(turns).decode(),
        }

    @classmethod
    def load(cls, dumped: dict[str, Any]) -> DuplicateIndex:
        """The index that `dump` wrote."""
        index = cls()
        turns = array(_HASH, base64.b64decode(dumped["turns"]))
        start = 0
        for conversation_id, length in zip(dumped["ids"], dumped["lengths"], strict=True):
            index._add(conversation_id, turns[start : start + length])
            start += length
        return index

    def _add(self, conversation_id: str, turns: array[int]) -> None:
        number = len(self._ids)
        self._ids.append(conversation_id)
        self._known.add(conversation_id)
        self._turns.append(turns)
        for turn in self._rarest(set(turns)):
            self._shorter.setdefault(turn, []).append(number)
        for turn in set(turns):
            self._having.setdefault(turn, []).append(number)

    def _candidates(self, turns: array[int]) -> set[int]:
        """Those that may share NEAR_DUPLICATE_OVERLAP of the turns of the shorter of the two.

        Whoever shares k of n turns has one of any n-k+1 of them: a longer one has one of the rarest
        of these turns, and one of the rarest of a shorter one's turns is among these.
        """
        distinct = set(turns)
        found: set[int] = set()
        for turn in self._rarest(distinct):
            found.update(self._having.get(turn, ()))
        for turn in distinct:
            found.update(self._shorter.get(turn, ()))
        return found

    def _rarest(self, distinct: set[int]) -> list[int]:
        least_shared = math.ceil(NEAR_DUPLICATE_OVERLAP * len(distinct) - 1e-9)
        by_rarity = sorted(distinct, key=lambda turn: (len(self._having.get(turn, ())), turn))
        return by_rarity[: len(distinct) - least_shared + 1]

    def _compare(self, key: str, turns: array[int], number: int) -> Duplicate | None:
        other, same_as = self._turns[number], self._ids[number]
        if turns == other:
            return Duplicate("exact", key, same_as, 1.0)
        mine, theirs = set(turns), set(other)
        overlap = len(mine & theirs) / min(len(mine), len(theirs))
        if overlap < NEAR_DUPLICATE_OVERLAP:
            return None
        return Duplicate("near", key, same_as, round(overlap, 2))


def _hashes(texts: Sequence[str]) -> array[int]:
    turns = (_NOT_A_WORD.sub(" ", text.casefold()).strip() for text in texts)
    return array(
        _HASH,
        b"".join(
            hashlib.blake2b(turn.encode(), digest_size=8).digest()
            for turn in turns
            if len(turn) >= _MIN_TURN_CHARACTERS
        ),
    )
