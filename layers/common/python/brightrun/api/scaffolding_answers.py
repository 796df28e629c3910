"""What the scaffolding routes answer."""

from __future__ import annotations

from brightrun.api.shapes import Answer
from brightrun.domain.scaffolding import Consultant, EmotionalArc, Persona, TrainingTopic


class PersonaAnswer(Answer):
    """One persona."""

    persona: Persona


class PersonaList(Answer):
    """Personas."""

    personas: tuple[Persona, ...]
    count: int


class EmotionalArcAnswer(Answer):
    """One emotional arc."""

    emotional_arc: EmotionalArc


class EmotionalArcList(Answer):
    """Emotional arcs."""

    emotional_arcs: tuple[EmotionalArc, ...]
    count: int


class TrainingTopicAnswer(Answer):
    """One topic."""

    training_topic: TrainingTopic


class TrainingTopicList(Answer):
    """Topics."""

    training_topics: tuple[TrainingTopic, ...]
    count: int


class ConsultantAnswer(Answer):
    """The owner's consultant."""

    consultant: Consultant


class CompatibilityAnswer(Answer):
    """How well a combination fits; confidence from 0 to 1."""

    is_compatible: bool
    confidence: float
    warnings: tuple[str, ...]
    suggestions: tuple[str, ...]
