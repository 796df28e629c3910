"""Requests and responses of the routes under /api/scaffolding and /api/templates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from pydantic import ConfigDict, Field, create_model

from brightrun.core.errors import InvalidInputError
from brightrun.http.schemas import Identifier, NestedModel, RequestModel, ResponseModel
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
    Tier,
    TrainingTopic,
    TrainingTopicContent,
)
from brightrun.scaffolding.prompts import PLACEHOLDERS

if TYPE_CHECKING:
    pass


RecordName = Annotated[
    str, Path(pattern=r"^[^\x00-\x1f\x7f]{1,150}$", max_length=150, description="The id or key.")
]
"""Ids, and keys or names; the name of a template may hold spaces."""
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


class Changes(RequestModel):
    """Fields to change; absent fields stay as they are."""

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent."""
        return self.model_dump(exclude_unset=True)


# A factory instead of a default, so that the OpenAPI document shows none: null is not a value.
_UNCHANGED: Any = Field(default_factory=lambda: None)


def _changes_to(content: type[Content], key: str) -> type[Changes]:
    """Make every field of a content optional, and leave out its key, which never changes."""
    types = get_type_hints(content, include_extras=True)
    fields = {name: (types[name], _UNCHANGED) for name in content.model_fields if name != key}
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
    PersonaChanges = _changes_to(PersonaContent, "persona_key")
    EmotionalArcChanges = _changes_to(EmotionalArcContent, "arc_key")
    TrainingTopicChanges = _changes_to(TrainingTopicContent, "topic_key")
    PromptTemplateChanges = _changes_to(PromptTemplateContent, "template_name")


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
    """One template, and every placeholder that a template may use."""

    template: TemplateView
    available_variables: tuple[str, ...] = tuple(PLACEHOLDERS)


class TemplateList(ResponseModel):
    """Templates."""

    templates: tuple[TemplateView, ...]
    count: int


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
