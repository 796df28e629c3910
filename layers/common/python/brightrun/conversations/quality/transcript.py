"""The turns of a conversation, as the quality checks use them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from brightrun.core.languages import ENGLISH


@dataclass(frozen=True, slots=True)
class SpeakerTexts:
    """The texts of each speaker, in order."""

    client: Sequence[str]
    consultant: Sequence[str]


BEST, WORST = 5.0, 1.0
"""The limits of every score."""
_SHINGLE = 4
_FEWEST_WORDS = 20
KEPT_TEXTS = 64
"""Texts of which is kept what several checks of one conversation want."""
_COMMON_WORDS = """
the of and to a in is you that it he was for on are as with his they i at be this have from or one
had by not but what all were we when your can there an which she do how if will about up out so me
my would could should no yes them their then than more
"""
_ENGLISH = frozenset(_COMMON_WORDS.split())
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese."""
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


class Utterance(NamedTuple):
    """What one turn says; turns are counted from 1."""

    number: int
    role: str
    text: str


class Finding(NamedTuple):
    """A sub-score from 1 to 5, and a sentence that explains it."""

    score: float
    sentence: str


class Unknown(NamedTuple):
    """The sentence that says why a check has no sub-score."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """The turns of a conversation without blockers of the validation.

    `language` is the one that was asked for, an ISO 639-1 code; None if none was.
    """

    turns: Sequence[Mapping[str, Any]]
    language: str | None = None

    @property
    def is_english(self) -> bool:
        """Whether it is in English: as it was asked to be, and by its first turns' beginnings."""
        texts = [turn["content"][:300] for turn in self.turns[:20]]
        return self.language in {None, ENGLISH} and is_english(words_of(" ".join(texts)))

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


def utterances(turns: Sequence[Any]) -> list[Utterance]:
    """The texts of turns that may not have been validated; what has no text is left out."""
    return [
        Utterance(number, str(turn.get("role")), turn["content"])
        for number, turn in enumerate(turns, start=1)
        if isinstance(turn, Mapping) and isinstance(turn.get("content"), str)
    ]


@lru_cache(KEPT_TEXTS)
def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, in order."""
    return tuple(_WORD.findall(text))


def count_words(text: str) -> int:
    """The number of words of a text that is not looked at again."""
    return len(_WORD.findall(text))


def is_english(words: Sequence[str]) -> bool:
    """Whether a sixth of the words are among English's commonest; a few words count as English."""
    common = sum(word.lower() in _ENGLISH for word in words)
    return len(words) < _FEWEST_WORDS or common >= len(words) / 6


def is_spaced(text: str) -> bool:
    """Whether the text is of a script with spaces between words, unlike Chinese or Thai."""
    return 2 * len(_UNSPACED.findall(text)) <= sum(map(len, words_of(text)))


def phrases_of(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The four-word phrases of a text, in order; any two English texts share shorter ones."""
    return list(zip(*(words[skipped:] for skipped in range(_SHINGLE)), strict=False))


def bounded(score: float) -> float:
    """The score, limited to 1 to 5."""
    return min(BEST, max(WORST, score))
