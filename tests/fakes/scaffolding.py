"""Scaffolding records in memory, and records to test with."""

from __future__ import annotations

from typing import Any

from brightrun.core.errors import DuplicateKeyError, VersionConflictError
from brightrun.scaffolding.builtin import builtin_records
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    R,
    Record,
    TrainingTopic,
)


class InMemoryScaffolding:
    """Owners' records; `reads` counts the calls of `owned`."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, type[Record]], dict[str, Any]] = {}
        self.reads = 0

    def owned(self, owner_id: str, record_type: type[R]) -> tuple[R, ...]:
        self.reads += 1
        rows = self._rows.get((owner_id, record_type), {})
        return tuple(rows[record_id] for record_id in sorted(rows))

    def add(self, owner_id: str, record: Record) -> None:
        rows = self._rows.setdefault((owner_id, type(record)), {})
        if any(one.key == record.key and one.origin == "own" for one in rows.values()):
            raise DuplicateKeyError("taken", details={record.key_field: record.key})
        rows[record.id] = record

    def replace(self, owner_id: str, seen: Record, record: Record) -> None:
        rows = self._rows.setdefault((owner_id, type(record)), {})
        stored = rows.get(record.id)
        expected = None if seen.origin == "built_in" else seen.version
        if (stored.version if stored else None) != expected:
            details = stored.model_dump(mode="json") if stored else None
            raise VersionConflictError("changed", details=details)
        rows[record.id] = record


def persona(key: str = "overwhelmed_avoider") -> Persona:
    return _builtin(Persona, key)


def arc(key: str = "confusion_to_clarity") -> EmotionalArc:
    return _builtin(EmotionalArc, key)


def topic(key: str = "roth_ira_conversion") -> TrainingTopic:
    return _builtin(TrainingTopic, key)


def consultant() -> Consultant:
    return builtin_records(Consultant)[0]


def template(arc_key: str = "confusion_to_clarity", **changes: object) -> PromptTemplate:
    """The built-in template of an arc, with some fields changed."""
    found = next(
        one for one in builtin_records(PromptTemplate) if one.emotional_arc_type == arc_key
    )
    return found.model_copy(update=changes)


def _builtin(record_type: type[R], key: str) -> R:
    return next(one for one in builtin_records(record_type) if one.key == key)
