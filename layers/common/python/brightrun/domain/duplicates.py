"""Conversations that say the same: identical texts, and texts that share most of their turns."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

NEAR = 0.8
"""The share of the shorter conversation's turns that the other one says too, from which on they are
near duplicates: in 8 turns, 7 are the same."""
_SHORTEST = 15
"""Characters from which on a turn counts: "Thank you so much." may well stand in two."""

_NOT_A_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A pair of conversations; `overlap` is the share of turns that they have in common."""

    kind: Literal["exact", "near"]
    conversation_id: str
    same_as: str
    overlap: float


def duplicates_among(
    texts: Mapping[str, Sequence[str]], against: Mapping[str, Sequence[str]] | None = None
) -> list[Duplicate]:
    """Compare conversations (id to its turns) with one another and with those they join.

    Turns are compared by their words, without case and punctuation. Only conversations that share
    a turn are compared, so time and memory grow with the turns, not with the square of them.
    """
    words = {key: _turns(said) for key, said in {**(against or {}), **texts}.items()}
    holders: dict[str, list[str]] = defaultdict(list)
    found = []
    for key, turns in words.items():
        said = set(turns)
        if key in texts:
            shared = Counter(other for turn in said for other in holders[turn])
            found += [
                duplicate
                for other, count in shared.items()
                if (duplicate := _compared(key, other, count, words))
            ]
        for turn in said:
            holders[turn].append(key)
    return found


def _compared(
    key: str, other: str, shared: int, words: Mapping[str, Sequence[str]]
) -> Duplicate | None:
    if words[key] == words[other]:
        return Duplicate("exact", key, other, 1.0)
    overlap = shared / min(len(set(words[key])), len(set(words[other])))
    return Duplicate("near", key, other, round(overlap, 2)) if overlap >= NEAR else None


def _turns(said: Sequence[str]) -> tuple[str, ...]:
    turns = (_NOT_A_WORD.sub(" ", turn.casefold()).strip() for turn in said)
    return tuple(turn for turn in turns if len(turn) >= _SHORTEST)
