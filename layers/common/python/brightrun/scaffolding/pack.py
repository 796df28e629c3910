"""What a pack's `domain.toml` holds, and the checks of it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    create_model,
    model_validator,
)

from brightrun.scaffolding.fields import Key, Label, Prose, Sentence, Sentences

FIELD_TYPES: dict[str, Any] = {"line": Label, "text": Prose, "lines": Sentences}
CORE_FIELDS = frozenset(
    {
        "domain",
        "persona_key",
        "name",
        "archetype",
        "age_range",
        "occupation",
        "demographics",
        "communication_style",
        "emotional_baseline",
        "typical_questions",
        "common_concerns",
        "language_patterns",
        "is_active",
        "id",
        "version",
        "origin",
        "created_at",
        "updated_at",
    }
)
"""What every persona has, whatever its domain."""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"it is no regular expression: {error}") from error
    return pattern


Pattern = Annotated[
    str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_compiles)
]
Patterns = Annotated[tuple[Pattern, ...], Field(min_length=1)]


class PackPart(BaseModel):
    """A part of a pack; unknown fields are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class PersonaField(PackPart):
    """A field that personas of this domain have beyond the core.

    `kind` is one line, a text, or a list of lines; `placeholder` names it in templates.
    """

    name: Key
    label: Label
    kind: Literal["line", "text", "lines"]
    placeholder: Key


class PersonaFields(PackPart):
    """The fields beyond the core; `background` and `situation` name two texts among them."""

    background: Key
    situation: Key
    fields: Annotated[tuple[PersonaField, ...], Field(min_length=2, max_length=20)]

    @model_validator(mode="after")
    def _names_its_fields(self) -> PersonaFields:
        kinds = {field.name: field.kind for field in self.fields}
        if len(kinds) < len(self.fields) or CORE_FIELDS & set(kinds):
            raise ValueError("two fields of a persona have the same name, or one that all have")
        for name in (self.background, self.situation):
            if kinds.get(name) != "text":
                raise ValueError(f"{name} has to be a field of the kind text")
        return self


class CrisisResource(PackPart):
    """Whom to turn to in a crisis, in one country (ISO 3166, such as GB); `pattern` finds it."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    name: Label
    contact: Sentence
    pattern: Pattern


class SafetyRule(PackPart):
    """What the consultant's turns must hold, or must not.

    `applies_to` holds keys of arcs, "crisis" for a client in one, or "always". A turn keeps the
    rule if one pattern of each group is found in it; `is_forbidden` turns the rule round. Patterns
    ignore case. `kept` and `broken` are the sentences that a score states.
    """

    applies_to: Annotated[tuple[Key, ...], Field(min_length=1)]
    kept: Sentence
    broken: Sentence
    patterns: tuple[Patterns, ...] = ()
    is_forbidden: bool = False
    names_crisis_resource: bool = False

    @model_validator(mode="after")
    def _has_patterns(self) -> SafetyRule:
        if bool(self.patterns) == self.names_crisis_resource:
            raise ValueError("a rule has either patterns or names_crisis_resource")
        return self


class Safety(PackPart):
    """The rules, and the arcs whose client is in a crisis from the start."""

    crisis_arcs: tuple[Key, ...] = ()
    rules: tuple[SafetyRule, ...] = ()


class JudgeWording(PackPart):
    """How the rubric of a judgement speaks of the consultant, and its question on soundness."""

    consultant: Label
    soundness: Sentence


class DomainPack(PackPart):
    """What a domain is beyond its records.

    `vertical` and `file_prefix` stand in its files. `own_topic_pattern` is found in a consultant
    of this domain: topics that an owner adds beside another consultant have no safety rules.
    """

    key: Key
    name: Label
    vertical: Key
    file_prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+_conversation$")]
    general_note: Sentence
    specialist_note: Sentence
    persona: PersonaFields
    judge: JudgeWording
    crisis_resources: Annotated[tuple[CrisisResource, ...], Field(min_length=1)]
    safety: Safety
    own_topic_pattern: Pattern | None = None

    @cached_property
    def persona_model(self) -> type[BaseModel]:
        """Checks a persona's fields beyond the core; errors name the field."""
        fields: dict[str, Any] = {
            one.name: (FIELD_TYPES[one.kind], Field(title=one.label)) for one in self.persona.fields
        }
        return create_model(
            "PersonaFieldsOfDomain", __config__=ConfigDict(extra="forbid"), **fields
        )

    @property
    def crisis_lines(self) -> tuple[str, ...]:
        """The crisis resources, one sentence for each country."""
        return tuple(f"{one.country}: {one.name}, {one.contact}" for one in self.crisis_resources)
