"""Named emotions: positive, negative or neutral, and how well a conversation follows its arc."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from brightrun.scaffolding.model import EmotionalArc

Valence = Literal["positive", "negative", "mixed"]
# One family a line: words that name the same feeling to somebody who compares two labels. The
# first word of each line names the family. The original's own words are all here (part 1.3 of its
# formats), and every emotion of the built-in arcs.
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


def valence(emotion: str) -> Valence:
    """Say what an emotion's name is, whatever its case; unknown and two-sided names are mixed.

    Only whole words count: "hopeless" holds "hope", and is negative.
    """
    words = _words(emotion)
    positive = any(word in _POSITIVE_WORDS for word in words)
    negative = any(word in _NEGATIVE_WORDS for word in words)
    if positive == negative:
        return "mixed"
    return "positive" if positive else "negative"


def emotion_fit(observed: str, declared: str) -> float:
    """Say how well a named emotion fits a declared one, from 0 (its opposite) to 1 (the same).

    Words of one family are the same feeling; else feelings of the same valence fit 0.6, of
    opposite valence 0, and where one of them is mixed 0.4.
    """
    if same_feeling(observed, declared):
        return 1.0
    found, wanted = valence(observed), valence(declared)
    if "mixed" in {found, wanted}:
        return 0.4
    return 0.6 if found == wanted else 0.0


def same_feeling(one: str, other: str) -> bool:
    """Whether two names have a word of the same family, as "overwhelm" and "overwhelmed" have."""
    return bool(_named(one) & _named(other))


def _words(emotion: str) -> list[str]:
    return _WORD.findall(emotion.casefold())


def _named(emotion: str) -> set[str]:
    """The families of an emotion's words; a word of no family stands for itself."""
    return {
        _POSITIVE_WORDS.get(word) or _NEGATIVE_WORDS.get(word) or word for word in _words(emotion)
    }


UNDECIDED = 0.4
"""What `emotion_fit` gives where a name tells no valence; below it two feelings contradict."""


@dataclass(frozen=True, slots=True)
class DeclaredArc:
    """What the client feels at the start and at the end; intensities from 0 to 1."""

    starting_emotion: str
    ending_emotion: str
    starting_intensity: tuple[float, float]
    ending_intensity: tuple[float, float]

    def start_fit(self, felt: str) -> float:
        """How well the client's first emotion fits, from 0 to 1."""
        return _fit(felt, self.starting_emotion, self.ending_emotion)

    def end_fit(self, felt: str) -> float:
        """How well the client's last emotion fits, from 0 to 1."""
        return _fit(felt, self.ending_emotion, self.starting_emotion)


def declared_arc(arc: EmotionalArc | None) -> DeclaredArc | None:
    """What an arc promises about the client's feelings; None where no arc is known."""
    if arc is None:
        return None
    return DeclaredArc(
        starting_emotion=arc.starting_emotion,
        ending_emotion=arc.ending_emotion,
        starting_intensity=(arc.starting_intensity_min, arc.starting_intensity_max),
        ending_intensity=(arc.ending_intensity_min, arc.ending_intensity_max),
    )


def _fit(felt: str, declared: str, other_end: str) -> float:
    """Fit of an emotion, 0 where it is the one of the arc's other end."""
    if same_feeling(felt, other_end) and not same_feeling(felt, declared):
        return 0.0
    return emotion_fit(felt, declared)
