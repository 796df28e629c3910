"""The kinds of scaffolding records, and finding them by id or key."""

from dataclasses import dataclass

from cli.client import ApiClient, Document, segment
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


SYSTEM_FIELDS = frozenset({"id", "version", "origin", "created_at", "updated_at", "variables"})
"""What the server adds to a record; the rest is what people write."""


def example_record(client: ApiClient, kind: Kind) -> Document:
    """A record that `create` takes: the first there is, with only the fields that people write.

    Its key is new, so that it can be created as it is.
    """
    records: list[Document] = client.get(kind.path, {"is_active": "all"})[kind.list_key]
    content = {name: value for name, value in records[0].items() if name not in SYSTEM_FIELDS}
    return {**content, "is_active": True, kind.key_field: f"example_{kind.noun}"}
