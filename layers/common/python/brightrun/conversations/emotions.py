"""Classifies emotion names, and measures how well a conversation follows its arc."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from brightrun.scaffolding.model import EmotionalArc

Valence = Literal["positive", "negative", "mixed"]
# One family a line: words that mean the same emotion when two labels are compared. The first word
# names the family. All of v1's words are here, and every emotion of the built-in arcs.
_POSITIVE = """
hope hopeful hopefulness
relief relieved
excitement excited enthusiasm enthusiastic eagerness eager
joy joyful happiness happy delight delighted
confidence confident assurance assured certainty certain
gratitude grateful thankful thankfulness appreciation appreciative
pride proud accomplishment accomplished
determination determined resolve resolved resolute motivation motivated commitment committed
calm calmness calmer peace peaceful serenity composure steadiness steady grounded
optimism optimistic
clarity clear understanding comprehension insight recognition
empowerment empowered empowering agency capable
acceptance accepting accepted
compassion compassionate empathy empathetic care caring kindness warmth warm
permission permitted
focused focus
alignment aligned unity united
trust trusting safety safe secure security
validation validated reassurance reassured reassuring comfort comforted
encouragement encouraged encouraging support supported supportive
respect respectful patience patient
readiness ready
"""
_NEGATIVE = """
shame ashamed shameful
fear fearful afraid scared terror terrified dread
anxiety anxious nervousness nervous
guilt guilty
anger angry rage furious fury hostility hostile contempt resentment resentful
frustration frustrated irritation irritated exasperation
overwhelm overwhelmed overwhelming
sadness sad grief sorrow grieving
embarrassment embarrassed humiliation humiliated
worry worried concern concerned
stress stressed tension tense pressure
despair despairing hopeless hopelessness desperation desperate
panic panicked panicking
confusion confused bewilderment bewildered
helplessness helpless powerless powerlessness
loneliness lonely isolation isolated
exhaustion exhausted weariness weary tiredness tired
doubt doubtful uncertainty uncertain insecurity insecure
regret remorse
disappointment disappointed hurt
distrust mistrust suspicion suspicious
"""


def _families(lines: str) -> dict[str, str]:
    families = (line.split() for line in lines.strip().splitlines())
    return {word: family[0] for family in families for word in family}


_POSITIVE_WORDS = _families(_POSITIVE)
_NEGATIVE_WORDS = _families(_NEGATIVE)
_WORD = re.compile(r"[a-z]+")


UNDECIDED = 0.4
"""The fit of an emotion without a clear valence; below it, two emotions contradict each other."""


def valence(emotion: str) -> Valence:
    """Classify an emotion's name, ignoring case; unknown and ambiguous names are mixed.

    Only whole words count: "hopeless" is negative, although it contains "hope".
    """
    words = _words(emotion)
    positive = any(word in _POSITIVE_WORDS for word in words)
    negative = any(word in _NEGATIVE_WORDS for word in words)
    if positive == negative:
        return "mixed"
    return "positive" if positive else "negative"


def emotion_fit(observed: str, declared: str) -> float:
    """Rate how well an observed emotion fits a declared one, from 0 (opposite) to 1 (the same).

    Words of one family are the same emotion. Other emotions of the same valence give 0.6, of
    opposite valence 0, and UNDECIDED if one of them is mixed.
    """
    if same_emotion(observed, declared):
        return 1.0
    found, wanted = valence(observed), valence(declared)
    if "mixed" in {found, wanted}:
        return UNDECIDED
    return 0.6 if found == wanted else 0.0


def same_emotion(one: str, other: str) -> bool:
    """Whether two names share a word family, such as "overwhelm" and "overwhelmed"."""
    return bool(_families_of(one) & _families_of(other))


def _words(emotion: str) -> list[str]:
    return _WORD.findall(emotion.casefold())


def _families_of(emotion: str) -> set[str]:
    """The families of an emotion's words; a word without a family is its own."""
    return {
        _POSITIVE_WORDS.get(word) or _NEGATIVE_WORDS.get(word) or word for word in _words(emotion)
    }


@dataclass(frozen=True, slots=True)
class DeclaredArc:
    """The client's emotions at the start and at the end; intensities from 0 to 1."""

    starting_emotion: str
    ending_emotion: str
    starting_intensity: tuple[float, float]
    ending_intensity: tuple[float, float]

    def start_fit(self, observed: str) -> float:
        """How well the client's first emotion fits, from 0 to 1."""
        return _fit(observed, self.starting_emotion, self.ending_emotion)

    def end_fit(self, observed: str) -> float:
        """How well the client's last emotion fits, from 0 to 1."""
        return _fit(observed, self.ending_emotion, self.starting_emotion)


def declared_arc(arc: EmotionalArc | None) -> DeclaredArc | None:
    """The emotions that an arc declares; None if the arc is not known."""
    if arc is None:
        return None
    return DeclaredArc(
        starting_emotion=arc.starting_emotion,
        ending_emotion=arc.ending_emotion,
        starting_intensity=(arc.starting_intensity_min, arc.starting_intensity_max),
        ending_intensity=(arc.ending_intensity_min, arc.ending_intensity_max),
    )


def _fit(observed: str, declared: str, other_end: str) -> float:
    """The fit of an emotion, 0 if it is that of the arc's other end."""
    if same_emotion(observed, other_end) and not same_emotion(observed, declared):
        return 0.0
    return emotion_fit(observed, declared)
