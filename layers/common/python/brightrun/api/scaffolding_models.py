"""Requests and answers of the scaffolding and template routes."""

from __future__ import annotations

from typing import Literal, Self

from brightrun.api.requests import Identifier, RequestModel, ResponseModel
from brightrun.domain import scaffolding as records
from brightrun.domain.prompt_assembly import PLACEHOLDERS
from brightrun.domain.scaffolding import (
    Baseline,
    Complexity,
    Exchanges,
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


class PersonaChanges(RequestModel):
    """Fields of a persona to change; its key stays."""

    name: Label | None = None
    archetype: Label | None = None
    age_range: Label | None = None
    occupation: Label | None = None
    income_range: Label | None = None
    demographics: records.Demographics | None = None
    financial_background: Prose | None = None
    financial_situation: Prose | None = None
    communication_style: Prose | None = None
    emotional_baseline: Prose | None = None
    typical_questions: Sentences | None = None
    common_concerns: Sentences | None = None
    language_patterns: Sentences | None = None
    is_active: bool | None = None


class EmotionalArcChanges(RequestModel):
    """Fields of an emotional arc to change; its key stays."""

    name: Label | None = None
    conversation_category: Literal["core", "edge"] | None = None
    tier: Tier | None = None
    starting_emotion: Label | None = None
    starting_intensity_min: Intensity | None = None
    starting_intensity_max: Intensity | None = None
    ending_emotion: Label | None = None
    ending_intensity_min: Intensity | None = None
    ending_intensity_max: Intensity | None = None
    arc_strategy: Key | None = None
    key_principles: Sentences | None = None
    characteristic_phrases: Sentences | None = None
    response_techniques: Sentences | None = None
    avoid_tactics: Sentences | None = None
    typical_turn_count_min: Exchanges | None = None
    typical_turn_count_max: Exchanges | None = None
    complexity_baseline: Baseline | None = None
    suitable_personas: Keys | None = None
    suitable_topics: Keys | None = None
    is_active: bool | None = None


class TrainingTopicChanges(RequestModel):
    """Fields of a topic to change; its key stays."""

    name: Label | None = None
    category: Key | None = None
    complexity_level: Complexity | None = None
    description: Prose | None = None
    typical_question_examples: Sentences | None = None
    key_concepts: Labels | None = None
    suitable_personas: Keys | None = None
    suitable_emotional_arcs: Keys | None = None
    requires_specialist: bool | None = None
    is_active: bool | None = None


class TemplateChanges(RequestModel):
    """Fields of a template to change; its name stays."""

    description: Prose | None = None
    category: Key | None = None
    emotional_arc_type: Key | None = None
    tier: Tier | None = None
    template_text: TemplateText | None = None
    complexity_baseline: Baseline | None = None
    quality_threshold: Stars | None = None
    rating: Stars | None = None
    suitable_personas: Keys | None = None
    suitable_topics: Keys | None = None
    is_active: bool | None = None


class CombinationRequest(RequestModel):
    """Ids or keys of what a conversation would be made of."""

    persona_id: Identifier
    emotional_arc_id: Identifier
    training_topic_id: Identifier


class SelectTemplateRequest(RequestModel):
    """What a template is looked for: the arc's key and, if known, the rest."""

    emotional_arc_type: Identifier
    tier: Tier | None = None
    persona_type: Identifier | None = None
    topic_key: Identifier | None = None


class PersonaAnswer(ResponseModel):
    """One persona."""

    persona: records.Persona


class PersonaList(ResponseModel):
    """Personas."""

    personas: tuple[records.Persona, ...]
    count: int


class EmotionalArcAnswer(ResponseModel):
    """One emotional arc."""

    emotional_arc: records.EmotionalArc


class EmotionalArcList(ResponseModel):
    """Emotional arcs."""

    emotional_arcs: tuple[records.EmotionalArc, ...]
    count: int


class TrainingTopicAnswer(ResponseModel):
    """One topic."""

    training_topic: records.TrainingTopic


class TrainingTopicList(ResponseModel):
    """Topics."""

    training_topics: tuple[records.TrainingTopic, ...]
    count: int


class ConsultantAnswer(ResponseModel):
    """The owner's consultant."""

    consultant: records.Consultant


class CompatibilityAnswer(ResponseModel):
    """How well a combination fits; confidence from 0 to 1."""

    is_compatible: bool
    confidence: float
    warnings: tuple[str, ...]
    suggestions: tuple[str, ...]


class TemplateView(records.PromptTemplateContent, records.Record):
    """A template with the placeholders that its text uses."""

    variables: tuple[str, ...]

    @classmethod
    def of(cls, template: records.PromptTemplate) -> Self:
        """Show a stored template."""
        return cls(**template.model_dump(), variables=template.variables)


class TemplateAnswer(ResponseModel):
    """One template, and every placeholder that a template may use."""

    template: TemplateView
    available_variables: tuple[str, ...] = tuple(PLACEHOLDERS)


class TemplateList(ResponseModel):
    """Templates."""

    templates: tuple[TemplateView, ...]
    count: int


class TemplateScore(RequestModel):
    """A template and how well it fits, 0 to 1."""

    template: TemplateView
    score: float


class RankedTemplateList(ResponseModel):
    """Templates of an arc, best first."""

    templates: tuple[TemplateScore, ...]


class ResolvedTemplate(ResponseModel):
    """What Claude would be sent; `length` counts the prompt's characters."""

    prompt: str
    system_prompt: str
    length: int
