"""The kinds of scaffolding records, and finding them by id or key."""

from dataclasses import dataclass
from typing import Any

from cli.client import ApiClient, Document, segment
from cli.errors import NotFoundError
from cli.render import Column

ALL = "all"


@dataclass(frozen=True)
class Kind:
    """One kind of record: its route, the names it has in answers, and what a table shows."""

    noun: str
    path: str
    list_key: str
    record_key: str
    key_field: str
    columns: tuple[Column, ...]


def _columns(key_field: str, *others: Column) -> tuple[Column, ...]:
    return Column("Key", key_field, whole=True), Column("Name", "name"), *others


PERSONAS = Kind(
    "persona",
    "/api/scaffolding/personas",
    "personas",
    "persona",
    "persona_key",
    _columns("persona_key", Column("Archetype", "archetype"), Column("Active", "is_active")),
)
ARCS = Kind(
    "arc",
    "/api/scaffolding/emotional-arcs",
    "emotional_arcs",
    "emotional_arc",
    "arc_key",
    _columns("arc_key", Column("Tier", "tier"), Column("Active", "is_active")),
)
TOPICS = Kind(
    "topic",
    "/api/scaffolding/training-topics",
    "training_topics",
    "training_topic",
    "topic_key",
    _columns(
        "topic_key",
        Column("Category", "category"),
        Column("Level", "complexity_level"),
        Column("Active", "is_active"),
    ),
)
TEMPLATES = Kind(
    "template",
    "/api/templates",
    "templates",
    "template",
    "template_name",
    (
        Column("Id", "id", whole=True),
        Column("Name", "template_name"),
        Column("Arc", "emotional_arc_type"),
        Column("Tier", "tier"),
        Column("Active", "is_active"),
    ),
)


def find_record(client: ApiClient, kind: Kind, reference: str) -> Document:
    """Return one record by id or key; raises NotFoundError when there is none."""
    record: Document = client.get(f"{kind.path}/{segment(reference)}")[kind.record_key]
    return record


def find_id(client: ApiClient, kind: Kind, reference: str | None) -> str | None:
    """Return a record's id by id or key, or None for None, as an unused filter has it."""
    return None if reference is None else str(find_record(client, kind, reference)["id"])


def choose_records(client: ApiClient, kind: Kind, references: list[str]) -> list[Document]:
    """Return the active records named by id or key, each once, or all of them for "all".

    Raises NotFoundError naming what is missing and what there is.
    """
    active: list[Document] = []
    for page in client.pages(kind.path, kind.list_key):
        active.extend(page[kind.list_key])
    if ALL in references:
        return active
    by_name: dict[Any, Document] = {}
    for record in active:
        by_name[record[kind.key_field]] = by_name[record["id"]] = record
    missing = [reference for reference in references if reference not in by_name]
    if missing:
        known = ", ".join(str(record[kind.key_field]) for record in active)
        raise NotFoundError(
            f"There is no active {kind.noun} {', '.join(map(repr, missing))}.",
            hint=f"Active ones: {known or 'none'}.",
            details={"kind": kind.noun, "missing": missing},
        )
    chosen = {by_name[reference]["id"]: by_name[reference] for reference in references}
    return list(chosen.values())
