"""The emotional arc that a conversation was asked to follow, and how well it does."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.domain.scaffolding import EmotionalArc
from brightrun.domain.valence import emotion_fit, same_feeling

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
