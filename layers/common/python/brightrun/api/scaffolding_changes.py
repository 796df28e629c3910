"""What PATCH takes: fields of a record to change; its key stays, and what is absent stays too."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from brightrun.api.shapes import RequestModel
from brightrun.domain.scaffolding import (
    Baseline,
    Complexity,
    Demographics,
    Exchanges,
    Flag,
    Intensity,
    Key,
    Keys,
    Label,
    Labels,
    Prose,
    Sentences,
    Stars,
    TemplateText,
    Tier,
)

# A factory, so that the document shows no default: absent means unchanged, and null is no value.
_UNCHANGED: Any = Field(default_factory=lambda: None)


class Changes(RequestModel):
    """Fields to change."""

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent."""
        return self.model_dump(exclude_unset=True)


class PersonaChanges(Changes):
    """Fields of a persona to change."""

    name: Label = _UNCHANGED
    archetype: Label = _UNCHANGED
    age_range: Label = _UNCHANGED
    occupation: Label = _UNCHANGED
    income_range: Label = _UNCHANGED
    demographics: Demographics = _UNCHANGED
    financial_background: Prose = _UNCHANGED
    financial_situation: Prose = _UNCHANGED
    communication_style: Prose = _UNCHANGED
    emotional_baseline: Prose = _UNCHANGED
    typical_questions: Sentences = _UNCHANGED
    common_concerns: Sentences = _UNCHANGED
    language_patterns: Sentences = _UNCHANGED
    is_active: Flag = _UNCHANGED


class EmotionalArcChanges(Changes):
    """Fields of an emotional arc to change."""

    name: Label = _UNCHANGED
    conversation_category: Literal["core", "edge"] = _UNCHANGED
    tier: Tier = _UNCHANGED
    starting_emotion: Label = _UNCHANGED
    starting_intensity_min: Intensity = _UNCHANGED
    starting_intensity_max: Intensity = _UNCHANGED
    ending_emotion: Label = _UNCHANGED
    ending_intensity_min: Intensity = _UNCHANGED
    ending_intensity_max: Intensity = _UNCHANGED
    arc_strategy: Key = _UNCHANGED
    key_principles: Sentences = _UNCHANGED
    characteristic_phrases: Sentences = _UNCHANGED
    response_techniques: Sentences = _UNCHANGED
    avoid_tactics: Sentences = _UNCHANGED
    typical_turn_count_min: Exchanges = _UNCHANGED
    typical_turn_count_max: Exchanges = _UNCHANGED
    complexity_baseline: Baseline = _UNCHANGED
    suitable_personas: Keys = _UNCHANGED
    suitable_topics: Keys = _UNCHANGED
    is_active: Flag = _UNCHANGED


class TrainingTopicChanges(Changes):
    """Fields of a topic to change."""

    name: Label = _UNCHANGED
    category: Key = _UNCHANGED
    complexity_level: Complexity = _UNCHANGED
    description: Prose = _UNCHANGED
    typical_question_examples: Sentences = _UNCHANGED
    key_concepts: Labels = _UNCHANGED
    suitable_personas: Keys = _UNCHANGED
    suitable_emotional_arcs: Keys = _UNCHANGED
    requires_specialist: Flag = _UNCHANGED
    is_active: Flag = _UNCHANGED


class TemplateChanges(Changes):
    """Fields of a template to change; null takes one that it may lack away."""

    description: Prose | None = _UNCHANGED
    category: Key | None = _UNCHANGED
    emotional_arc_type: Key = _UNCHANGED
    tier: Tier = _UNCHANGED
    template_text: TemplateText = _UNCHANGED
    complexity_baseline: Baseline | None = _UNCHANGED
    quality_threshold: Stars | None = _UNCHANGED
    rating: Stars | None = _UNCHANGED
    suitable_personas: Keys = _UNCHANGED
    suitable_topics: Keys = _UNCHANGED
    is_active: Flag = _UNCHANGED
