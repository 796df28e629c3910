"""The built-in scaffolding records, read from package data.

Ids never change: v1's where they are known, else UUID version 5 of
NAMESPACE and "{kind}:{key}".
"""

from __future__ import annotations

import json
import uuid
from functools import cache
from importlib import resources
from typing import Any, cast

from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    R,
    Record,
    Tier,
    TrainingTopic,
)

NAMESPACE = uuid.UUID("b6a1c9d4-3c57-5e0e-8f4b-2d7e91a0c3f8")
_FILES: dict[type[Record], str] = {
    Persona: "personas.json",
    EmotionalArc: "emotional_arcs.json",
    TrainingTopic: "training_topics.json",
    PromptTemplate: "prompt_templates.json",
    Consultant: "consultants.json",
}
_ARC_GUIDANCE = "[arc guidance]"


def builtin_records(record_type: type[R]) -> tuple[R, ...]:
    """Return the built-in records of one kind, in the order of the file; read once per process."""
    return cast("tuple[R, ...]", _read(record_type))


def tier_of_arc(key: str) -> Tier | None:
    """The tier of a built-in emotional arc; None if there is none of this key."""
    arcs = (arc for arc in builtin_records(EmotionalArc) if arc.key == key)
    return next((arc.tier for arc in arcs), None)


@cache
def _read(record_type: type[Record]) -> tuple[Record, ...]:
    rows: list[dict[str, Any]] = json.loads(_data(_FILES[record_type]))
    if record_type is PromptTemplate:
        rows = [{**row, "template_text": _template_text(row["emotional_arc_type"])} for row in rows]
    return tuple(record_type.model_validate(row) for row in rows)


def _template_text(arc_key: str) -> str:
    """Insert an arc's guidance into the frame that all built-in templates share."""
    return _data("templates/frame.md").replace(
        _ARC_GUIDANCE, _data(f"templates/{arc_key}.md").strip()
    )


def _data(name: str) -> str:
    folder = resources.files("brightrun") / "scaffolding/data"
    return (folder / name).read_text("utf-8")
