"""Edits scaffolding, and tries it out: rates combinations, ranks templates and renders prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from brightrun.claude.model import Prompt
from brightrun.core.errors import DuplicateKeyError, InvalidInputError, VersionConflictError
from brightrun.core.ids import time_ordered_id
from brightrun.core.timestamps import Clock, iso
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from brightrun.scaffolding.matching import (
    Choices,
    Compatibility,
    RankedTemplate,
    TemplateCriteria,
    check_compatibility,
    rank_templates,
)
from brightrun.scaffolding.model import (
    Consultant,
    ConsultantContent,
    Content,
    EmotionalArc,
    Persona,
    PromptTemplate,
    R,
    Record,
    TrainingTopic,
    read_record,
)
from brightrun.scaffolding.prompts import PLACEHOLDERS, PromptContext, assemble_prompt
from brightrun.scaffolding.repository import ScaffoldingRepository
from brightrun.scaffolding.templates import require_known

MAX_OWN_RECORDS = 200
"""Records of one kind that an owner can add; so many templates still fit a response of 6 MB."""
_REFERENCES: Mapping[str, type[Record]] = {
    "suitable_personas": Persona,
    "suitable_topics": TrainingTopic,
    "suitable_emotional_arcs": EmotionalArc,
    "emotional_arc_type": EmotionalArc,
}
"""Fields that hold keys of other records, and the kind of those records."""


class ScaffoldingEditor:
    """Creates, edits and deactivates an owner's records."""

    def __init__(self, repository: ScaffoldingRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock

    def catalog(self) -> ScaffoldingCatalog:
        """Create a snapshot for one request."""
        return ScaffoldingCatalog(self._repository)

    def create(self, owner_id: str, record_type: type[R], content: Content) -> R:
        """Store a new record.

        Raises DuplicateKeyError if its key is taken, and InvalidInputError for a reference to a
        record that does not exist, an unknown placeholder, or more than MAX_OWN_RECORDS records.
        """
        catalog, now = self.catalog(), self._clock()
        stamps = {"id": time_ordered_id(now), "origin": "own", "created_at": iso(now)}
        fields = {**content.model_dump(), **stamps, "updated_at": iso(now)}
        record = read_record(record_type, fields)
        _require_free_key(catalog, owner_id, record)
        _require_valid_references(catalog, owner_id, record)
        self._repository.add(owner_id, record)
        return record

    def edit(
        self,
        owner_id: str,
        record_type: type[R],
        id_or_key: str,
        changes: Mapping[str, Any],
        expected_version: int | None = None,
    ) -> R:
        """Change some fields; editing a built-in record creates the owner's own version of it.

        `expected_version` is the version that the caller has read, None for any. Raises
        UnknownScaffoldingError, VersionConflictError, and InvalidInputError as `create` does.
        """
        catalog = self.catalog()
        seen = catalog.get(owner_id, record_type, id_or_key)
        if expected_version not in {None, seen.version}:
            raise VersionConflictError(
                f"The {seen.kind} '{seen.key}' is at version {seen.version}, not "
                f"{expected_version}. Read it again and repeat the change.",
                details=seen.model_dump(mode="json"),
            )
        stamps = {
            "version": seen.version + 1,
            "origin": "edited" if seen.origin == "built_in" else seen.origin,
            "updated_at": iso(self._clock()),
        }
        record = read_record(record_type, {**seen.model_dump(), **changes, **stamps})
        _require_valid_references(catalog, owner_id, record)
        self._repository.replace(owner_id, seen, record)
        return record

    def deactivate(self, owner_id: str, record_type: type[R], id_or_key: str) -> R:
        """Hide a record from lists and from the choice "all"; its conversations stay.

        Repeating it changes nothing. Raises UnknownScaffoldingError and VersionConflictError.
        """
        record = self.catalog().get(owner_id, record_type, id_or_key)
        if not record.is_active:
            return record
        return self.edit(owner_id, record_type, record.id, {"is_active": False})

    def put_consultant(
        self, owner_id: str, content: ConsultantContent, expected_version: int | None = None
    ) -> Consultant:
        """Replace the owner's consultant; raises VersionConflictError."""
        current = self.catalog().consultant(owner_id)
        return self.edit(owner_id, Consultant, current.id, content.model_dump(), expected_version)


def _require_free_key(catalog: ScaffoldingCatalog, owner_id: str, record: Record) -> None:
    existing = catalog.all(owner_id, type(record))
    if any(one.key == record.key for one in existing):
        raise DuplicateKeyError(
            f"There is a {record.kind} with the {record.key_field} '{record.key}' already. "
            "Choose another, or change that one.",
            details={record.key_field: record.key},
        )
    if sum(one.origin == "own" for one in existing) >= MAX_OWN_RECORDS:
        raise InvalidInputError(
            f"You have {MAX_OWN_RECORDS} records of the kind '{record.kind}', the most there can "
            "be. Change one that you no longer use."
        )


def _require_valid_references(catalog: ScaffoldingCatalog, owner_id: str, record: Record) -> None:
    """Raise InvalidInputError for what would fail only when conversations are generated."""
    for field, record_type in _REFERENCES.items():
        value = getattr(record, field, ())
        for key in (value,) if isinstance(value, str) else value:
            _require_key(catalog, owner_id, field, record_type, key)
    if isinstance(record, PromptTemplate):
        require_known(record.template_text, record.template_name, PLACEHOLDERS)


def _require_key(
    catalog: ScaffoldingCatalog, owner_id: str, field: str, record_type: type[Record], key: str
) -> None:
    if catalog.find(owner_id, record_type, key) is not None:
        return
    near = catalog.near_matches(owner_id, record_type, key)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    sentence = f"there is no {record_type.kind} with the key '{key}'.{hint}"
    raise InvalidInputError(f"{field}: {sentence}", details=[{"field": field, "message": sentence}])


def rate_combination(
    catalog: ScaffoldingCatalog,
    owner_id: str,
    *,
    persona_id: str,
    emotional_arc_id: str,
    training_topic_id: str,
) -> Compatibility:
    """Rate a combination of ids or keys; records that do not exist make it incompatible."""
    return check_compatibility(
        catalog.find(owner_id, Persona, persona_id),
        catalog.find(owner_id, EmotionalArc, emotional_arc_id),
        catalog.find(owner_id, TrainingTopic, training_topic_id),
        Choices(
            arcs=catalog.active(owner_id, EmotionalArc),
            topics=catalog.active(owner_id, TrainingTopic),
        ),
    )


def resolve_template(
    catalog: ScaffoldingCatalog,
    owner_id: str,
    template_id: str,
    *,
    persona_id: str,
    emotional_arc_id: str,
    training_topic_id: str,
) -> Prompt:
    """Render a template for a combination of ids or keys.

    Raises UnknownScaffoldingError, and the errors of `prompts.assemble_prompt`.
    """
    template = catalog.template(owner_id, template_id)
    context = PromptContext(
        persona=catalog.persona(owner_id, persona_id),
        arc=catalog.emotional_arc(owner_id, emotional_arc_id),
        topic=catalog.training_topic(owner_id, training_topic_id),
        consultant=catalog.consultant(owner_id),
        tier=template.tier,
    )
    return assemble_prompt(template, context)


def rank_for_arc(
    catalog: ScaffoldingCatalog, owner_id: str, criteria: TemplateCriteria
) -> list[RankedTemplate]:
    """Rank the active templates of an arc; raises UnknownScaffoldingError for the arc."""
    arc_key = catalog.emotional_arc(owner_id, criteria.arc_key).key
    templates = catalog.templates_for_arc(owner_id, arc_key)
    return rank_templates(templates, replace(criteria, arc_key=arc_key))


def select_for_arc(
    catalog: ScaffoldingCatalog, owner_id: str, criteria: TemplateCriteria
) -> PromptTemplate:
    """Select a template as a batch does.

    Raises UnknownScaffoldingError for the arc and NoTemplateForArcError.
    """
    arc_key = catalog.emotional_arc(owner_id, criteria.arc_key).key
    return catalog.choose_template(owner_id, None, replace(criteria, arc_key=arc_key))
