"""The turns of a conversation, as the quality checks read them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class SpokenTexts:
    """What each side says, turn by turn."""

    client: Sequence[str]
    consultant: Sequence[str]


BEST, WORST = 5.0, 1.0
"""The ends of every score."""
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


class Finding(NamedTuple):
    """A sub-score from 1 to 5 and the sentence behind it."""

    score: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """Turns that have passed validation's blockers."""

    turns: Sequence[Mapping[str, Any]]

    def texts(self, role: str) -> list[str]:
        """What one side says, in order."""
        return [turn["content"] for turn in self.turns if turn["role"] == role]

    def emotions(self, role: str) -> list[tuple[str, float]]:
        """Primary emotion and intensity of one side's turns, in order."""
        felt = [turn["emotional_context"] for turn in self.turns if turn["role"] == role]
        return [(one["primary_emotion"], one["intensity"]) for one in felt]

    @property
    def spoken(self) -> SpokenTexts:
        """What both sides say."""
        return SpokenTexts(client=self.texts("user"), consultant=self.texts("assistant"))


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    return _WORD.findall(text)


def bounded(score: float) -> float:
    """The score, kept between 1 and 5."""
    return min(BEST, max(WORST, score))
