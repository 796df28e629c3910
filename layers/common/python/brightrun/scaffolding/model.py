"""The scaffolding records: personas, emotional arcs, topics, templates and the consultant.

A `...Content` has the fields that people write; the record of the same name adds the system's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from brightrun.core.errors import InvalidInputError
from brightrun.core.fields import LINES, Flag, ReadableText
from brightrun.scaffolding.templates import placeholders

Tier = Literal["template", "scenario", "edge_case"]
Complexity = Literal["beginner", "intermediate", "advanced"]
Origin = Literal["built_in", "edited", "own"]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=100)]
Label = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=150),
    # Bars and angle brackets delimit labels in the <scaffolding> block of a prompt.
    ReadableText(without="|<>"),
]
Sentence = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), LINES
]
Prose = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), LINES
]
TemplateText = Annotated[str, StringConstraints(min_length=1, max_length=20_000), LINES]
Sentences = Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=20)]
Labels = Annotated[tuple[Label, ...], Field(min_length=1, max_length=20)]
Keys = Annotated[
    tuple[Key, ...], Field(max_length=200, description="Keys of what fits; empty: everything fits.")
]
# Strict: neither "3" nor true is a number. Rounded to four decimals, since DynamoDB cannot store
# numbers below 1e-130.
_ROUNDED = AfterValidator(lambda number: round(number, 4))
Intensity = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False), _ROUNDED]
Exchanges = Annotated[
    int, Field(strict=True, ge=1, le=12, description="User turns, each with its answer.")
]
Baseline = Annotated[int, Field(strict=True, ge=1, le=10)]
Stars = Annotated[float, Field(strict=True, ge=0, le=5, allow_inf_nan=False), _ROUNDED]


class Content(BaseModel):
    """The fields that people write; unknown fields, and those of the system, are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Record(Content):
    """The system's fields of every record.

    `origin` is built_in as shipped, edited for an owner's version of a built-in, own otherwise.
    `version` counts edits from 1. Timestamps are ISO 8601, None for built-in records.
    """

    kind: ClassVar[str]
    key_field: ClassVar[str]

    id: str
    version: int = 1
    origin: Origin = "built_in"
    created_at: str | None = None
    updated_at: str | None = None
    is_active: Flag = True

    @property
    def key(self) -> str:
        """The key, which is unique among the owner's records of this kind and never changes."""
        return str(getattr(self, self.key_field))


class Demographics(Content):
    """The client's age, gender, family and location."""

    age: Annotated[int, Field(strict=True, ge=18, le=110)]
    gender: Label | None = None
    family_status: Label | None = None
    location: Label | None = None


class PersonaContent(Content):
    """A fictional client."""

    persona_key: Key
    name: Label
    archetype: Label
    age_range: Label
    occupation: Label
    income_range: Label
    demographics: Demographics
    financial_background: Prose
    financial_situation: Prose
    communication_style: Prose
    emotional_baseline: Prose
    typical_questions: Sentences
    common_concerns: Sentences
    language_patterns: Sentences
    is_active: Flag = True


class Persona(PersonaContent, Record):
    """A persona, as stored."""

    kind = "persona"
    key_field = "persona_key"


class EmotionalArcContent(Content):
    """How the client's emotion changes; intensities from 0 to 1, length in exchanges."""

    arc_key: Key
    name: Label
    conversation_category: Literal["core", "edge"] = "core"
    tier: Tier = "template"
    starting_emotion: Label
    starting_intensity_min: Intensity
    starting_intensity_max: Intensity
    ending_emotion: Label
    ending_intensity_min: Intensity
    ending_intensity_max: Intensity
    arc_strategy: Key
    key_principles: Sentences
    characteristic_phrases: Sentences
    response_techniques: Sentences
    avoid_tactics: Sentences
    typical_turn_count_min: Exchanges
    typical_turn_count_max: Exchanges
    complexity_baseline: Baseline
    suitable_personas: Keys = ()
    suitable_topics: Keys = ()
    is_active: Flag = True

    @model_validator(mode="after")
    def _ranges_run_upwards(self) -> Self:
        for name in ("starting_intensity", "ending_intensity", "typical_turn_count"):
            low, high = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if low > high:
                raise ValueError(f"{name}_min ({low:g}) is over {name}_max ({high:g})")
        return self


class EmotionalArc(EmotionalArcContent, Record):
    """An emotional arc, as stored."""

    kind = "emotional arc"
    key_field = "arc_key"


class TrainingTopicContent(Content):
    """The subject of a conversation."""

    topic_key: Key
    name: Label
    category: Key
    complexity_level: Complexity
    description: Prose
    typical_question_examples: Sentences
    key_concepts: Labels
    suitable_personas: Keys = ()
    suitable_emotional_arcs: Keys = ()
    requires_specialist: Flag = False
    is_active: Flag = True


class TrainingTopic(TrainingTopicContent, Record):
    """A topic, as stored."""

    kind = "training topic"
    key_field = "topic_key"


class PromptTemplateContent(Content):
    """A prompt for Claude; `emotional_arc_type` is the key of the arc that it is for."""

    template_name: Label
    description: Prose | None = None
    category: Key | None = None
    emotional_arc_type: Key
    tier: Tier = "template"
    template_text: TemplateText
    complexity_baseline: Baseline | None = None
    quality_threshold: Stars | None = None
    rating: Stars | None = None
    suitable_personas: Keys = ()
    suitable_topics: Keys = ()
    is_active: Flag = True


class PromptTemplate(PromptTemplateContent, Record):
    """A prompt template, as stored."""

    kind = "template"
    key_field = "template_name"

    @property
    def variables(self) -> tuple[str, ...]:
        """The placeholders of the text, in order; raises TemplateSyntaxError."""
        return placeholders(self.template_text, self.template_name)


class CorePhilosophy(Content):
    """The five principles, numbered as in the enriched files."""

    principle_1: Sentence
    principle_2: Sentence
    principle_3: Sentence
    principle_4: Sentence
    principle_5: Sentence


FiveSentences = Annotated[tuple[Sentence, ...], Field(min_length=5, max_length=5)]


class CommunicationStyle(Content):
    """The consultant's tone, five techniques and five things to avoid, as in enriched files."""

    tone: Sentence
    techniques: FiveSentences
    avoid: FiveSentences


class ConsultantContent(Content):
    """The persona of the assistant; `system_prompt` is Claude's system prompt."""

    name: Label
    business: Label
    expertise: Sentence
    years_experience: Annotated[int, Field(strict=True, ge=0, le=80)]
    core_philosophy: CorePhilosophy
    communication_style: CommunicationStyle
    system_prompt: Annotated[str, StringConstraints(min_length=100, max_length=4000), LINES]


class Consultant(ConsultantContent, Record):
    """The consultant, as stored; an owner has exactly one."""

    kind = "consultant"
    key_field = "consultant_key"

    consultant_key: Key


R = TypeVar("R", bound=Record)


def read_record(record_type: type[R], fields: Mapping[str, Any]) -> R:
    """Create a record from plain values; raises InvalidInputError listing every invalid field."""
    try:
        return record_type.model_validate(fields)
    except ValidationError as error:
        details = [
            {"field": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
            for fault in error.errors()
        ]
        faults = "; ".join(": ".join(filter(None, fault.values())) for fault in details)
        raise InvalidInputError(
            f"The {record_type.kind} is not valid: {faults}.", details=details
        ) from error
