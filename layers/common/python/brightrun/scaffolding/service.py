"""Edits scaffolding, and tries it out: rates combinations, ranks templates and renders prompts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from brightrun.claude.model import Prompt
from brightrun.core.errors import (
    DuplicateKeyError,
    InvalidInputError,
    NoTemplateForArcError,
    VersionConflictError,
)
from brightrun.core.fields import DEFAULT_DOMAIN, Tier
from brightrun.core.ids import time_ordered_id
from brightrun.core.payloads import bytes_within_payload
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
from brightrun.scaffolding.prompts import (
    PromptContext,
    PromptPreview,
    assemble_prompt,
    placeholders_of,
    preview_prompt,
)
from brightrun.scaffolding.repository import ScaffoldingRepository
from brightrun.scaffolding.templates import require_known

MAX_OWN_RECORDS = 200
"""Records of one kind that an owner can add."""
MAX_OWN_BYTES = 4 * 1024 * 1024
"""Of an owner's records of one kind together, which are listed in one answer of up to 6 MB."""
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
        record that does not exist, an unknown placeholder, or more than MAX_OWN_RECORDS records
        or MAX_OWN_BYTES of them.
        """
        catalog, now = self.catalog(), self._clock()
        stamps = {"id": time_ordered_id(now), "origin": "own", "created_at": iso(now)}
        fields = {**content.model_dump(), **stamps, "updated_at": iso(now)}
        record = read_record(record_type, fields)
        _require_free_key(catalog, owner_id, record)
        _require_valid_references(catalog, owner_id, record)
        _require_room(catalog, owner_id, record)
        self._repository.add(owner_id, record)
        return record

    def edit(
        self,
        owner_id: str,
        record_type: type[R],
        id_or_key: str,
        changes: Mapping[str, Any],
        seen_versions: frozenset[int] | None = None,
    ) -> R:
        """Change some fields; editing a built-in record creates the owner's own version of it.

        `seen_versions` are those that the caller has read, None for any. Raises
        UnknownScaffoldingError, VersionConflictError, and InvalidInputError as `create` does.
        """
        catalog = self.catalog()
        seen = catalog.get(owner_id, record_type, id_or_key)
        _require_seen(seen, seen_versions)
        stamps = {
            "version": seen.version + 1,
            "origin": "edited" if seen.origin == "built_in" else seen.origin,
            "updated_at": iso(self._clock()),
        }
        record = read_record(record_type, {**seen.model_dump(), **changes, **stamps})
        _require_valid_references(catalog, owner_id, record)
        if _size(record) > _size(seen):
            _require_room(catalog, owner_id, record)
        self._repository.replace(owner_id, seen, record)
        return record

    def deactivate(
        self,
        owner_id: str,
        record_type: type[R],
        id_or_key: str,
        seen_versions: frozenset[int] | None = None,
    ) -> R:
        """Hide a record from lists and from the choice "all"; its conversations stay.

        Repeating it changes nothing. Raises UnknownScaffoldingError and VersionConflictError.
        """
        record = self.catalog().get(owner_id, record_type, id_or_key)
        _require_seen(record, seen_versions)
        if not record.is_active:
            return record
        return self.edit(owner_id, record_type, record.id, {"is_active": False})

    def put_consultant(
        self,
        owner_id: str,
        content: ConsultantContent,
        seen_versions: frozenset[int] | None = None,
    ) -> Consultant:
        """Replace the owner's consultant; raises VersionConflictError."""
        current = self.catalog().consultant(owner_id, content.domain)
        return self.edit(owner_id, Consultant, current.id, content.model_dump(), seen_versions)


def _require_seen(record: Record, versions: frozenset[int] | None) -> None:
    if versions is not None and record.version not in versions:
        raise VersionConflictError(
            f"The {record.kind} '{record.key}' is at version {record.version}, which If-Match does "
            "not name. Read it again and repeat the change.",
            details=record.model_dump(mode="json"),
        )


def _require_free_key(catalog: ScaffoldingCatalog, owner_id: str, record: Record) -> None:
    existing = catalog.of_all_domains(owner_id, type(record))
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


def _require_room(catalog: ScaffoldingCatalog, owner_id: str, record: Record) -> None:
    known = catalog.of_all_domains(owner_id, type(record))
    others = [one for one in known if one.origin != "built_in" and one.id != record.id]
    together = sum(map(_size, (record, *others)))
    if together > MAX_OWN_BYTES:
        raise InvalidInputError(
            f"Your records of the kind '{record.kind}' would have "
            f"{together / 1_000_000:.1f} MB together; "
            f"{MAX_OWN_BYTES / 1_000_000:.1f} MB are the most. Shorten one of them, or this one."
        )


def _size(record: Record) -> int:
    return bytes_within_payload(record.model_dump_json(exclude={"is_active", "version"}))


def _require_valid_references(catalog: ScaffoldingCatalog, owner_id: str, record: Record) -> None:
    """Raise InvalidInputError for what would fail only when conversations are generated."""
    for field, record_type in _REFERENCES.items():
        value = getattr(record, field, ())
        for key in (value,) if isinstance(value, str) else value:
            _require_key(catalog, owner_id, field, record_type, key)
    if isinstance(record, PromptTemplate):
        known = placeholders_of(record.pack)
        require_known(record.template_text, record.template_name, known)


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
    """Rate a combination of ids or keys, and select its template as a batch does.

    What does not exist, a record or a template for the arc, makes it incompatible.
    """
    persona, arc, topic = catalog.named(owner_id, persona_id, emotional_arc_id, training_topic_id)
    domain = topic.domain if topic else DEFAULT_DOMAIN
    choices = Choices(
        arcs=catalog.active(owner_id, EmotionalArc, domain),
        topics=catalog.active(owner_id, TrainingTopic, domain),
    )
    advice = check_compatibility(persona, arc, topic, choices)
    if persona is None or arc is None or topic is None:
        return advice
    criteria = TemplateCriteria(arc.key, arc.tier, persona.key, topic.key)
    try:
        template = catalog.choose_template(owner_id, None, criteria)
    except NoTemplateForArcError as error:
        return replace(advice, is_compatible=False, warnings=(*advice.warnings, error.message))
    return replace(advice, template=template)


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
    combination = Combination(persona_id, emotional_arc_id, training_topic_id)
    return assemble_prompt(template, combination.context(catalog, owner_id, template.tier))


@dataclass(frozen=True, slots=True)
class Combination:
    """A persona, an arc and a topic, each by its id or key."""

    persona_id: str
    emotional_arc_id: str
    training_topic_id: str

    def context(
        self, catalog: ScaffoldingCatalog, owner_id: str, tier: Tier | None = None
    ) -> PromptContext:
        """Find the records; the tier is by default the arc's. Raises UnknownScaffoldingError."""
        arc = catalog.emotional_arc(owner_id, self.emotional_arc_id)
        topic = catalog.training_topic(owner_id, self.training_topic_id)
        return PromptContext(
            persona=catalog.persona(owner_id, self.persona_id),
            arc=arc,
            topic=topic,
            consultant=catalog.consultant(owner_id, topic.domain),
            tier=tier or arc.tier,
        )


@dataclass(frozen=True, slots=True)
class TemplatePreview:
    """What Claude would be sent, and the template it is made of; None for a draft."""

    prompt: PromptPreview
    tier: Tier
    template: PromptTemplate | None


def preview_template(
    catalog: ScaffoldingCatalog,
    owner_id: str,
    combination: Combination,
    *,
    template_id: str | None,
    template_text: str | None,
    tier: Tier | None,
) -> TemplatePreview:
    """Render a stored template, or the text of a draft, as far as its placeholders have values.

    Without either, a template is selected as a batch does. Raises UnknownScaffoldingError,
    NoTemplateForArcError and TemplateSyntaxError.
    """
    context = combination.context(catalog, owner_id, tier)
    if template_text is not None:
        return TemplatePreview(preview_prompt(template_text, context), context.tier, None)
    criteria = TemplateCriteria(
        context.arc.key, context.tier, context.persona.key, context.topic.key
    )
    template = catalog.choose_template(owner_id, template_id, criteria)
    return TemplatePreview(preview_prompt(template.template_text, context), context.tier, template)


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
