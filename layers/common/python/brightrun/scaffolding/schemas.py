"""Requests and responses of the routes under /api/scaffolding and /api/templates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import Field

from brightrun.core.errors import InvalidInputError
from brightrun.core.fields import Flag
from brightrun.http.schemas import Identifier, NestedModel, RequestModel, ResponseModel
from brightrun.scaffolding.model import (
    Baseline,
    Complexity,
    Consultant,
    Demographics,
    EmotionalArc,
    Exchanges,
    Intensity,
    Key,
    Keys,
    Label,
    Labels,
    Persona,
    PromptTemplateContent,
    Prose,
    R,
    Record,
    Sentences,
    Stars,
    TemplateText,
    Tier,
    TrainingTopic,
)
from brightrun.scaffolding.prompts import PLACEHOLDERS

if TYPE_CHECKING:
    from brightrun.scaffolding.matching import RankedTemplate
    from brightrun.scaffolding.model import PromptTemplate


RecordName = Annotated[
    str, Path(pattern=r"^[^\x00-\x1f\x7f]{1,150}$", max_length=150, description="The id or key.")
]
"""Templates go by their names, which are words as people write them."""
IsActive = Annotated[Literal["true", "false", "all"], Query()]
_VERSION = '^([0-9]{1,18}|"[0-9]{1,18}")$'
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=20,
        description="The version that the caller has seen.",
        json_schema_extra={"pattern": _VERSION},
    ),
]


def seen_version(if_match: str | None) -> int | None:
    """Read the version of an If-Match header, with or without quotes; None for none.

    Raises InvalidInputError.
    """
    if if_match is None:
        return None
    if not re.fullmatch(_VERSION, if_match):
        raise InvalidInputError(
            f"If-Match must be the version number of the record, such as 3; it is '{if_match}'."
        )
    return int(if_match.strip('"'))


def with_activity(records: Iterable[R], is_active: str) -> tuple[R, ...]:
    """Keep the records that are active, inactive, or all of them."""
    return tuple(
        one for one in records if is_active == "all" or one.is_active is (is_active == "true")
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


class TemplateView(PromptTemplateContent, Record):
    """A template with the placeholders that its text uses."""

    variables: tuple[str, ...]

    @classmethod
    def from_domain(cls, template: PromptTemplate) -> Self:
        """Show a stored template."""
        return cls(**template.model_dump(), variables=template.variables)


class TemplateResponse(ResponseModel):
    """One template, and every placeholder that a template may use."""

    template: TemplateView
    available_variables: tuple[str, ...] = tuple(PLACEHOLDERS)

    @classmethod
    def from_domain(cls, template: PromptTemplate) -> Self:
        """Show a stored template."""
        return cls(template=TemplateView.from_domain(template))


class TemplateList(ResponseModel):
    """Templates."""

    templates: tuple[TemplateView, ...]
    count: int


class TemplateScore(NestedModel):
    """A template and how well it fits, 0 to 1."""

    template: TemplateView
    score: float


class RankedTemplateList(ResponseModel):
    """Templates of an arc, best first."""

    templates: tuple[TemplateScore, ...]

    @classmethod
    def from_domain(cls, ranked: list[RankedTemplate]) -> Self:
        """Show a ranking."""
        return cls(
            templates=tuple(
                TemplateScore(template=TemplateView.from_domain(one.template), score=one.score)
                for one in ranked
            )
        )


class ResolvedTemplate(ResponseModel):
    """What Claude would be sent; `length` counts the prompt's characters."""

    prompt: str
    system_prompt: str
    length: int


class PersonaResponse(ResponseModel):
    """One persona."""

    persona: Persona


class PersonaList(ResponseModel):
    """Personas."""

    personas: tuple[Persona, ...]
    count: int


class EmotionalArcResponse(ResponseModel):
    """One emotional arc."""

    emotional_arc: EmotionalArc


class EmotionalArcList(ResponseModel):
    """Emotional arcs."""

    emotional_arcs: tuple[EmotionalArc, ...]
    count: int


class TrainingTopicResponse(ResponseModel):
    """One topic."""

    training_topic: TrainingTopic


class TrainingTopicList(ResponseModel):
    """Topics."""

    training_topics: tuple[TrainingTopic, ...]
    count: int


class ConsultantResponse(ResponseModel):
    """The owner's consultant."""

    consultant: Consultant


class CompatibilityResponse(ResponseModel):
    """How well a combination fits; confidence from 0 to 1."""

    is_compatible: bool
    confidence: float
    warnings: tuple[str, ...]
    suggestions: tuple[str, ...]
