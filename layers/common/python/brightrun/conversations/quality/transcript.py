"""The turns of a conversation, as the quality checks use them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class SpeakerTexts:
    """The texts of each speaker, in order."""

    client: Sequence[str]
    consultant: Sequence[str]


BEST, WORST = 5.0, 1.0
"""The limits of every score."""
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


class Finding(NamedTuple):
    """A sub-score from 1 to 5, and a sentence that explains it."""

    score: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """The turns of a conversation without blockers of the validation."""

    turns: Sequence[Mapping[str, Any]]

    def texts(self, role: str) -> list[str]:
        """The texts of a role, in order."""
        return [turn["content"] for turn in self.turns if turn["role"] == role]

    def emotions(self, role: str) -> list[tuple[str, float]]:
        """The primary emotion and intensity of each turn of a role, in order."""
        contexts = [turn["emotional_context"] for turn in self.turns if turn["role"] == role]
        return [(one["primary_emotion"], one["intensity"]) for one in contexts]

    @property
    def by_speaker(self) -> SpeakerTexts:
        """The texts of both speakers."""
        return SpeakerTexts(client=self.texts("user"), consultant=self.texts("assistant"))


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    return _WORD.findall(text)


def bounded(score: float) -> float:
    """The score, limited to 1 to 5."""
    return min(BEST, max(WORST, score))
