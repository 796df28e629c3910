"""Finds scaffolding by id or key among the built-in records and the owner's own."""

from __future__ import annotations

import difflib
from typing import Any

from brightrun.core.errors import UnknownScaffoldingError
from brightrun.core.fields import DEFAULT_DOMAIN
from brightrun.core.ids import NIL_UUID
from brightrun.scaffolding.builtin import records_of_all_domains
from brightrun.scaffolding.matching import TemplateCriteria, select_template
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    R,
    Record,
    TrainingTopic,
)
from brightrun.scaffolding.repository import ScaffoldingRepository

NEAR_MATCHES = 3


class ScaffoldingCatalog:
    """A snapshot of owners' scaffolding; create one per request, since it caches what it reads.

    Inactive records are found by id or key too. An owner's edited version replaces the built-in
    record.
    """

    def __init__(self, repository: ScaffoldingRepository) -> None:
        self._repository = repository
        self._records: dict[tuple[str, type[Record]], tuple[Any, ...]] = {}
        self._indexes: dict[tuple[str, type[Record]], dict[str, Any]] = {}

    def of_all_domains(self, owner_id: str, record_type: type[R]) -> tuple[R, ...]:
        """Return all records of one kind: the built-in ones in their order, then the owner's."""
        records = self._records.get((owner_id, record_type))
        if records is None:
            owned = {one.id: one for one in self._repository.owned(owner_id, record_type)}
            shipped = [owned.pop(one.id, one) for one in records_of_all_domains(record_type)]
            records = (*shipped, *owned.values())
            self._records[owner_id, record_type] = records
        return records

    def all(
        self, owner_id: str, record_type: type[R], domain: str = DEFAULT_DOMAIN
    ) -> tuple[R, ...]:
        """Return the records of one kind that belong to a domain, in the same order."""
        records = self.of_all_domains(owner_id, record_type)
        return tuple(one for one in records if one.domain == domain)

    def active(
        self, owner_id: str, record_type: type[R], domain: str = DEFAULT_DOMAIN
    ) -> tuple[R, ...]:
        """Return the active records of one kind that belong to a domain."""
        return tuple(one for one in self.all(owner_id, record_type, domain) if one.is_active)

    def find(self, owner_id: str, record_type: type[R], id_or_key: str) -> R | None:
        """Return the record with an id, else with a key, else None."""
        index: dict[str, R] | None = self._indexes.get((owner_id, record_type))
        if index is None:
            records = self.of_all_domains(owner_id, record_type)
            # If a later release ships a key that an owner already uses, the owner's record wins.
            index = {one.key: one for one in records} | {one.id: one for one in records}
            self._indexes[owner_id, record_type] = index
        return index.get(id_or_key)

    def named(
        self, owner_id: str, persona: str, emotional_arc: str, training_topic: str
    ) -> tuple[Persona | None, EmotionalArc | None, TrainingTopic | None]:
        """Return the persona, arc and topic of ids or keys; None for each that there is none of."""
        return (
            self.find(owner_id, Persona, persona),
            self.find(owner_id, EmotionalArc, emotional_arc),
            self.find(owner_id, TrainingTopic, training_topic),
        )

    def get(self, owner_id: str, record_type: type[R], id_or_key: str) -> R:
        """Return the record with an id or key; raises UnknownScaffoldingError with near matches."""
        record = self.find(owner_id, record_type, id_or_key)
        if record is None:
            near = self.near_matches(owner_id, record_type, id_or_key)
            raise UnknownScaffoldingError(record_type.kind, id_or_key, near)
        return record

    def near_matches(self, owner_id: str, record_type: type[Record], key: str) -> list[str]:
        """Return up to NEAR_MATCHES keys similar to this one, the most similar first."""
        keys = [one.key for one in self.of_all_domains(owner_id, record_type)]
        return difflib.get_close_matches(key, keys, n=NEAR_MATCHES)

    def persona(self, owner_id: str, id_or_key: str) -> Persona:
        """Return a persona; raises UnknownScaffoldingError."""
        return self.get(owner_id, Persona, id_or_key)

    def emotional_arc(self, owner_id: str, id_or_key: str) -> EmotionalArc:
        """Return an emotional arc; raises UnknownScaffoldingError."""
        return self.get(owner_id, EmotionalArc, id_or_key)

    def training_topic(self, owner_id: str, id_or_key: str) -> TrainingTopic:
        """Return a topic; raises UnknownScaffoldingError."""
        return self.get(owner_id, TrainingTopic, id_or_key)

    def template(self, owner_id: str, id_or_name: str) -> PromptTemplate:
        """Return a template by its id or name; raises UnknownScaffoldingError."""
        return self.get(owner_id, PromptTemplate, id_or_name)

    def consultant(self, owner_id: str, domain: str = DEFAULT_DOMAIN) -> Consultant:
        """Return the owner's consultant of a domain; every owner has exactly one."""
        return self.all(owner_id, Consultant, domain)[0]

    def templates_for_arc(self, owner_id: str, arc_key: str) -> tuple[PromptTemplate, ...]:
        """Return the active templates of an arc."""
        templates = self.of_all_domains(owner_id, PromptTemplate)
        return tuple(
            one for one in templates if one.is_active and one.emotional_arc_type == arc_key
        )

    def choose_template(
        self, owner_id: str, template_id: str | None, criteria: TemplateCriteria
    ) -> PromptTemplate:
        """Return the template with an id; select one if it is None or the NIL UUID.

        Raises UnknownScaffoldingError or NoTemplateForArcError.
        """
        if template_id and template_id != NIL_UUID:
            return self.template(owner_id, template_id)
        return select_template(self.templates_for_arc(owner_id, criteria.arc_key), criteria)
