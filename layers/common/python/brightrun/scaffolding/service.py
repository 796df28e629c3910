"""Try scaffolding out before anything is spent: do records fit, which template, what prompt."""

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
from brightrun.scaffolding.prompts import PLACEHOLDERS, Ingredients, assemble_prompt
from brightrun.scaffolding.repository import ScaffoldingRepository
from brightrun.scaffolding.templates import require_known

MAX_OWN_RECORDS = 200
"""Records of one kind that an owner can add: so many templates still fit one answer's 6 MB."""
_REFERENCES: Mapping[str, type[Record]] = {
    "suitable_personas": Persona,
    "suitable_topics": TrainingTopic,
    "suitable_emotional_arcs": EmotionalArc,
    "emotional_arc_type": EmotionalArc,
}
"""Fields that hold keys of other records, and of which kind."""


class ScaffoldingEditor:
    """The use cases that change scaffolding, and the catalog that they are read from."""

    def __init__(self, repository: ScaffoldingRepository, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock

    def catalog(self) -> ScaffoldingCatalog:
        """Make a fresh snapshot for one request."""
        return ScaffoldingCatalog(self._repository)

    def create(self, owner_id: str, record_type: type[R], content: Content) -> R:
        """Store a new record under a key that is free.

        Raises DuplicateKeyError, and InvalidInputError for a key of another record that does not
        exist, a placeholder that nobody supplies, or more than MAX_OWN_RECORDS.
        """
        catalog, now = self.catalog(), self._clock()
        stamps = {"id": time_ordered_id(now), "origin": "own", "created_at": iso(now)}
        fields = {**content.model_dump(), **stamps, "updated_at": iso(now)}
        record = read_record(record_type, fields)
        _require_room(catalog, owner_id, record)
        _require_sound(catalog, owner_id, record)
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
        """Change some fields; of a built-in record the owner gets a version of their own.

        `expected_version` is the version the caller has seen, None for whichever is stored. Raises
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
        _require_sound(catalog, owner_id, record)
        self._repository.replace(owner_id, seen, record)
        return record

    def deactivate(self, owner_id: str, record_type: type[R], id_or_key: str) -> R:
        """Take a record out of the lists and of "all"; conversations made with it stay.

        Doing it again changes nothing. Raises UnknownScaffoldingError and VersionConflictError.
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


def _require_room(catalog: ScaffoldingCatalog, owner_id: str, record: Record) -> None:
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


def _require_sound(catalog: ScaffoldingCatalog, owner_id: str, record: Record) -> None:
    """Refuse what would otherwise show only when conversations are written."""
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
    ingredients = Ingredients(
        persona=catalog.persona(owner_id, persona_id),
        arc=catalog.emotional_arc(owner_id, emotional_arc_id),
        topic=catalog.training_topic(owner_id, training_topic_id),
        consultant=catalog.consultant(owner_id),
        tier=template.tier,
    )
    return assemble_prompt(template, ingredients)


def rank_for_arc(
    catalog: ScaffoldingCatalog, owner_id: str, wanted: TemplateCriteria
) -> list[RankedTemplate]:
    """Rank the active templates of an arc; raises UnknownScaffoldingError for the arc."""
    arc_key = catalog.emotional_arc(owner_id, wanted.arc_key).key
    templates = catalog.templates_for_arc(owner_id, arc_key)
    return rank_templates(templates, replace(wanted, arc_key=arc_key))


def select_for_arc(
    catalog: ScaffoldingCatalog, owner_id: str, wanted: TemplateCriteria
) -> PromptTemplate:
    """Choose a template as a batch would.

    Raises UnknownScaffoldingError for the arc and NoTemplateForArcError.
    """
    arc_key = catalog.emotional_arc(owner_id, wanted.arc_key).key
    return catalog.choose_template(owner_id, None, replace(wanted, arc_key=arc_key))
