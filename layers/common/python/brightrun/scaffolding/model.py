"""The scaffolding records: personas, emotional arcs, topics, templates and the consultant.

A `...Content` has the fields that people write; the record of the same name adds the system's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar

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
from brightrun.core.fields import DEFAULT_DOMAIN, LINES, Flag, Tier
from brightrun.scaffolding.domain import (
    DomainKey,
    domain_pack,
    fields_of_domains,
    installed_domains,
    installed_packs,
)
from brightrun.scaffolding.fields import (
    Key,
    Label,
    Labels,
    Prose,
    Sentence,
    Sentences,
    TemplateText,
)
from brightrun.scaffolding.templates import placeholders

if TYPE_CHECKING:
    from brightrun.scaffolding.pack import DomainPack

Complexity = Literal["beginner", "intermediate", "advanced"]
Origin = Literal["built_in", "edited", "own"]
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


class DomainContent(Content):
    """The content of a record, which belongs to one domain; it never changes to another."""

    domain: DomainKey = DEFAULT_DOMAIN

    @property
    def pack(self) -> DomainPack:
        """The pack of the domain."""
        return domain_pack(self.domain)


class Record(DomainContent):
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


def with_fields_of_domains(schema: dict[str, Any]) -> None:
    """Add to a persona's JSON schema the fields of every domain, and which a domain requires."""
    schema["additionalProperties"] = False
    conditions: dict[str, Any] = {}
    for pack in installed_packs():
        fields = pack.persona_model.model_json_schema()
        schema["properties"] |= fields["properties"]
        if pack.key == DEFAULT_DOMAIN:
            conditions = {"required": fields["required"]}
        else:
            named = {"required": ["domain"], "properties": {"domain": {"const": pack.key}}}
            required = {"required": fields["required"]}
            conditions = {"if": named, "then": required, "else": conditions}
    if "persona_key" in schema["properties"]:
        schema |= {"allOf": [conditions]} if "if" in conditions else {}


class PersonaContent(DomainContent):
    """A fictional client: the fields of every domain, and those that its own domain adds."""

    model_config = ConfigDict(extra="allow", json_schema_extra=with_fields_of_domains)

    persona_key: Key
    name: Label
    archetype: Label
    age_range: Label
    occupation: Label
    demographics: Demographics
    communication_style: Prose
    emotional_baseline: Prose
    typical_questions: Sentences
    common_concerns: Sentences
    language_patterns: Sentences
    is_active: Flag = True

    @model_validator(mode="before")
    @classmethod
    def _has_the_fields_of_its_domain(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        domain = data.get("domain", DEFAULT_DOMAIN)
        if domain not in installed_domains():
            return data  # The check of the field itself says so.
        added = {name: value for name, value in data.items() if name not in cls.model_fields}
        more = added.keys() - domain_pack(domain).persona_model.model_fields.keys()
        if foreign := more and sorted(more & fields_of_domains().keys()):
            raise ValueError(f"a persona of the domain {domain} has no {', '.join(foreign)}")
        return {**data, **domain_pack(domain).persona_model.model_validate(added).model_dump()}

    def field(self, name: str) -> Any:
        """The value of a field that the domain adds."""
        return (self.__pydantic_extra__ or {})[name]

    @property
    def background(self) -> str:
        """What the client brings along, under whatever name the domain has for it."""
        return str(self.field(self.pack.persona.background))

    @property
    def situation(self) -> str:
        """Where the client stands, under whatever name the domain has for it."""
        return str(self.field(self.pack.persona.situation))


class Persona(PersonaContent, Record):
    """A persona, as stored."""

    # Of several bases, the last one's configuration counts.
    model_config = PersonaContent.model_config

    kind = "persona"
    key_field = "persona_key"


class EmotionalArcContent(DomainContent):
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


class TrainingTopicContent(DomainContent):
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


class PromptTemplateContent(DomainContent):
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


class ConsultantContent(DomainContent):
    """The persona of the assistant; `system_prompt` is Claude's system prompt."""

    name: Label
    business: Label
    expertise: Sentence
    years_experience: Annotated[int, Field(strict=True, ge=0, le=80)]
    core_philosophy: CorePhilosophy
    communication_style: CommunicationStyle
    system_prompt: Annotated[str, StringConstraints(min_length=100, max_length=4000), LINES]


class Consultant(ConsultantContent, Record):
    """The consultant, as stored; an owner has exactly one in each domain."""

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
