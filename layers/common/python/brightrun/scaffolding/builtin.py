"""The built-in scaffolding records of the installed domain packs, read from package data.

Ids never change: v1's where they are known, else UUID version 5 of
NAMESPACE and "{kind}:{key}".
"""

from __future__ import annotations

import json
import uuid
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from brightrun.core.fields import DEFAULT_DOMAIN
from brightrun.scaffolding.domain import folder_of, installed_domains
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    R,
    Record,
    TrainingTopic,
)

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

NAMESPACE = uuid.UUID("b6a1c9d4-3c57-5e0e-8f4b-2d7e91a0c3f8")
FILES: dict[type[Record], str] = {
    Persona: "personas.json",
    EmotionalArc: "emotional_arcs.json",
    TrainingTopic: "training_topics.json",
    PromptTemplate: "prompt_templates.json",
    Consultant: "consultants.json",
}
ARC_GUIDANCE = "[arc guidance]"
FRAME = "templates/frame.md"


def builtin_records(record_type: type[R], domain: str = DEFAULT_DOMAIN) -> tuple[R, ...]:
    """Return a domain's records of one kind, in the order of the file; read once per process."""
    return cast("tuple[R, ...]", _read(record_type, domain))


def records_of_all_domains(record_type: type[R]) -> tuple[R, ...]:
    """Return the records of one kind of all installed domains, those of the default one first."""
    return tuple(
        chain.from_iterable(builtin_records(record_type, one) for one in installed_domains())
    )


@cache
def _read(record_type: type[Record], domain: str) -> tuple[Record, ...]:
    return read_records(folder_of(domain), record_type, domain)


def read_records(folder: Traversable, record_type: type[R], domain: str) -> tuple[R, ...]:
    """Read the records of one kind from the folder of a pack.

    Raises OSError, ValueError for a file that is no JSON, and pydantic's ValidationError.
    """
    rows: list[dict[str, Any]] = json.loads((folder / FILES[record_type]).read_text("utf-8"))
    if record_type is PromptTemplate:
        frame = (folder / FRAME).read_text("utf-8")
        rows = [{**row, "template_text": _template_text(folder, frame, row)} for row in rows]
    return tuple(
        record_type.model_validate({"id": derived_id(record_type, row), **row, "domain": domain})
        for row in rows
    )


def derived_id(record_type: type[Record], row: dict[str, Any]) -> str:
    """The id of a record whose file states none; a template's is derived from its arc's key."""
    if record_type is PromptTemplate:
        return str(uuid.uuid5(NAMESPACE, f"prompt_template:{row['emotional_arc_type']}"))
    kind = record_type.kind.replace(" ", "_")
    return str(uuid.uuid5(NAMESPACE, f"{kind}:{row[record_type.key_field]}"))


def _template_text(folder: Traversable, frame: str, row: dict[str, Any]) -> str:
    """Insert an arc's guidance into the frame that all templates of a pack share."""
    guidance = (folder / f"templates/{row['emotional_arc_type']}.md").read_text("utf-8")
    return frame.replace(ARC_GUIDANCE, guidance.strip())
