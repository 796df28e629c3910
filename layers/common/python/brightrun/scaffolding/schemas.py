"""Requests and responses of the routes under /api/scaffolding and /api/templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_type_hints

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import ConfigDict, Field, create_model

from brightrun.core.fields import Tier
from brightrun.http.schemas import (
    Identifier,
    NestedModel,
    PageCount,
    RequestModel,
    ResponseModel,
)
from brightrun.scaffolding.combination_schemas import CombinationRequest
from brightrun.scaffolding.domain import DomainKey, fields_of_domains, installed_domains
from brightrun.scaffolding.fields import TemplateText
from brightrun.scaffolding.model import (
    Consultant,
    Content,
    EmotionalArc,
    EmotionalArcContent,
    Persona,
    PersonaContent,
    PromptTemplateContent,
    R,
    Record,
    TrainingTopic,
    TrainingTopicContent,
)
from brightrun.scaffolding.pack import DomainPack, PersonaField
from brightrun.scaffolding.prompts import placeholders_of
from brightrun.scaffolding.service import TemplatePreview
from brightrun.scaffolding.templates import MAX_RESOLVED_CHARS

if TYPE_CHECKING:
    pass


RecordName = Annotated[
    str, Path(pattern=r"^[^\x00-\x1f\x7f]{1,150}$", max_length=150, description="The id or key.")
]
"""Ids, and keys or names; the name of a template may hold spaces."""
IsActive = Annotated[Literal["true", "false", "all"], Query()]
Domain = Annotated[DomainKey, Query(json_schema_extra={"enum": list(installed_domains())})]


def with_activity(records: Iterable[R], is_active: str) -> tuple[R, ...]:
    """Keep the records that are active, inactive, or all of them."""
    return tuple(
        one for one in records if is_active == "all" or one.is_active is (is_active == "true")
    )


class Changes(RequestModel):
    """Fields to change; absent fields stay as they are."""

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent."""
        return self.model_dump(exclude_unset=True)


# A factory instead of a default, so that the OpenAPI document shows none: null is not a value.
_UNCHANGED: Any = Field(default_factory=lambda: None)


def _changes_to(
    content: type[Content], key: str, more: Mapping[str, Any] | None = None
) -> type[Changes]:
    """Make every field of a content optional, but for its key and domain, which never change."""
    hints = get_type_hints(content, include_extras=True)
    types = {name: hints[name] for name in content.model_fields if name not in {key, "domain"}}
    fields = {name: (kind, _UNCHANGED) for name, kind in {**types, **(more or {})}.items()}
    name = content.__name__.replace("Content", "Changes")
    doc = "Fields to change; absent ones stay as they are, null clears one that may be null."
    return create_model(  # type: ignore[call-overload,no-any-return]
        name, __base__=Changes, __module__=__name__, __doc__=doc, **fields
    )


if TYPE_CHECKING:
    PersonaChanges = Changes
    EmotionalArcChanges = Changes
    TrainingTopicChanges = Changes
    PromptTemplateChanges = Changes
else:
    PersonaChanges = _changes_to(PersonaContent, "persona_key", fields_of_domains())
    EmotionalArcChanges = _changes_to(EmotionalArcContent, "arc_key")
    TrainingTopicChanges = _changes_to(TrainingTopicContent, "topic_key")
    PromptTemplateChanges = _changes_to(PromptTemplateContent, "template_name")


class DomainView(NestedModel):
    """A domain: what its personas have beyond the core, and where it knows help in a crisis.

    `countries` are ISO 3166 codes.
    """

    key: str
    name: str
    persona_fields: tuple[PersonaField, ...]
    countries: tuple[str, ...]

    @classmethod
    def from_domain(cls, pack: DomainPack) -> Self:
        """Show an installed pack."""
        return cls(
            key=pack.key,
            name=pack.name,
            persona_fields=pack.persona.fields,
            countries=tuple(one.country for one in pack.crisis_resources),
        )


class DomainList(ResponseModel):
    """The installed domains, the default one first."""

    domains: tuple[DomainView, ...]
    count: PageCount


class SelectTemplateRequest(RequestModel):
    """The arc by its key, and what else the template should fit."""

    emotional_arc_type: Identifier
    tier: Tier | None = None
    persona_type: Identifier | None = None
    topic_key: Identifier | None = None


class TemplateView(PromptTemplateContent, Record):
    """A template, and the placeholders that its text uses."""

    model_config = ConfigDict(from_attributes=True)

    variables: tuple[str, ...]


class TemplateResponse(ResponseModel):
    """One template, and every placeholder that a template of its domain may use."""

    template: TemplateView
    available_variables: tuple[str, ...] = Field(
        default_factory=lambda data: placeholders_of(data["template"].pack)
    )


class TemplateList(ResponseModel):
    """Templates."""

    templates: tuple[TemplateView, ...]
    count: PageCount


class TemplateScore(NestedModel):
    """A template, and how well it fits, from 0 to 1."""

    template: TemplateView
    score: float


class RankedTemplateList(ResponseModel):
    """Templates of an arc, best first."""

    templates: tuple[TemplateScore, ...]


class ResolvedTemplate(ResponseModel):
    """The prompt that Claude would be sent; `length` is its number of characters."""

    prompt: str
    system_prompt: str
    length: int


class PersonaResponse(ResponseModel):
    """One persona."""

    persona: Persona


class PersonaList(ResponseModel):
    """Personas."""

    personas: tuple[Persona, ...]
    count: PageCount


class EmotionalArcResponse(ResponseModel):
    """One emotional arc."""

    emotional_arc: EmotionalArc


class EmotionalArcList(ResponseModel):
    """Emotional arcs."""

    emotional_arcs: tuple[EmotionalArc, ...]
    count: PageCount


class TrainingTopicResponse(ResponseModel):
    """One topic."""

    training_topic: TrainingTopic


class TrainingTopicList(ResponseModel):
    """Topics."""

    training_topics: tuple[TrainingTopic, ...]
    count: PageCount


class ConsultantResponse(ResponseModel):
    """The owner's consultant."""

    consultant: Consultant


class TemplateReference(NestedModel):
    """A template by its name."""

    id: str
    template_name: str
    tier: Tier


class CompatibilityResponse(ResponseModel):
    """How well a combination fits; confidence from 0 to 1.

    `template` is the one that a batch selects; without one, the combination is not compatible.
    """

    is_compatible: bool
    confidence: float
    warnings: tuple[str, ...]
    suggestions: tuple[str, ...]
    template: TemplateReference | None


class PreviewRequest(CombinationRequest):
    """POST /api/templates/preview: a stored template, the text of a draft, or neither.

    Without either, a template is selected as a batch does; the tier is by default the arc's.
    """

    template_id: Identifier | None = None
    template_text: TemplateText | None = None
    tier: Tier | None = None


class PreviewResponse(ResponseModel):
    """What Claude would be sent; placeholders without a value stay in `prompt` as `{{name}}`.

    They are listed in `unresolved`: a batch refuses a template that has any. `length` is in
    characters, of which a batch refuses more than `max_length`. `template` is null for a draft.
    """

    prompt: str
    system_prompt: str
    length: int
    max_length: int
    unresolved: tuple[str, ...]
    tier: Tier
    template: TemplateReference | None

    @classmethod
    def from_domain(cls, preview: TemplatePreview) -> Self:
        """Show a preview."""
        prompt = preview.prompt
        return cls(
            prompt=prompt.user,
            system_prompt=prompt.system,
            length=len(prompt.user),
            max_length=MAX_RESOLVED_CHARS,
            unresolved=prompt.unresolved,
            tier=preview.tier,
            template=preview.template,
        )
