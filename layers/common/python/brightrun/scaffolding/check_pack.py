"""Checks the folder of a domain pack, and renders its prompts, without a server."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from brightrun.core.errors import InvalidInputError
from brightrun.scaffolding.builtin import (
    FILES,
    FRAME,
    read_records,
    records_of_all_domains,
)
from brightrun.scaffolding.domain import PACK_FILE, installed
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    Record,
    TrainingTopic,
)
from brightrun.scaffolding.pack import DomainPack
from brightrun.scaffolding.prompts import PromptContext, assemble_prompt, placeholders_of

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_NEEDED = (
    "persona_name",
    "persona_communication_style",
    "persona_language_patterns",
    "starting_emotion",
    "ending_emotion",
    "arc_key_principles",
    "topic_name",
    "topic_description",
    "consultant_name",
)
"""Placeholders without which a part of the scaffolding never reaches Claude."""
_APPLIES_TO = {"crisis", "always"}
Records = dict[type[Record], tuple[Any, ...]]


def pack_faults(folder: Traversable) -> list[str]:
    """Everything that is wrong with a pack, each with its file; empty for one that can be used."""
    try:
        with installed(folder) as pack:
            return list(_faults(folder, pack))
    except ValidationError as error:
        return [f"{PACK_FILE}: {fault}" for fault in _named(error)]
    except (OSError, tomllib.TOMLDecodeError) as error:
        return [f"{PACK_FILE}: it cannot be read: {error}"]


def preview_pack(
    folder: Traversable,
    persona: str | None = None,
    arc: str | None = None,
    topic: str | None = None,
    language: str = "en",
) -> tuple[str, str]:
    """Render the system and user prompt for a persona, an arc and a topic of a pack without faults.

    They are named by their keys, by default the first of each kind. Raises InvalidInputError for
    a key that is not there.
    """
    with installed(folder) as pack:
        records: Records = {kind: read_records(folder, kind, pack.key) for kind in FILES}
        chosen = _chosen(records[EmotionalArc], arc)
        context = PromptContext(
            persona=_chosen(records[Persona], persona),
            arc=chosen,
            topic=_chosen(records[TrainingTopic], topic),
            consultant=records[Consultant][0],
            tier=chosen.tier,
            language=language,
        )
        prompt = assemble_prompt(_template_of(records, chosen.key), context)
        return prompt.system, prompt.user


def _chosen(records: tuple[Any, ...], key: str | None) -> Any:
    named = [one for one in records if key in {None, one.key}]
    if not named:
        keys = ", ".join(one.key for one in records)
        raise InvalidInputError(f"There is no {key} in this pack; there are {keys}.")
    return named[0]


def _template_of(records: Records, arc_key: str) -> PromptTemplate:
    found = (one for one in records[PromptTemplate] if one.emotional_arc_type == arc_key)
    template: PromptTemplate = next(found)
    return template


def _faults(folder: Traversable, pack: DomainPack) -> Iterator[str]:
    records: Records = {}
    for kind, name in FILES.items():
        faults = list(_file_faults(folder, kind, pack.key))
        yield from (f"{name}: {fault}" for fault in faults)
        if not faults:
            records[kind] = read_records(folder, kind, pack.key)
    if len(records) < len(FILES):
        return  # What refers to the records cannot be judged.
    faults = [*_key_faults(pack, records), *_reference_faults(pack, records)]
    faults += _template_faults(pack, records[PromptTemplate])
    yield from faults
    if not faults:
        yield from _render_faults(records)


def _file_faults(folder: Traversable, kind: type[Record], domain: str) -> Iterator[str]:
    """What keeps a file from being read: each wrong field of each record."""
    try:
        rows = json.loads((folder / FILES[kind]).read_text("utf-8"))
        if not isinstance(rows, list) or not rows:
            yield "it has to be a list of one record at least"
            return
        if kind is PromptTemplate:
            (folder / FRAME).read_text("utf-8")
        for number, row in enumerate(rows, start=1):
            yield from _record_faults(folder, kind, domain, number, row)
    except OSError as error:
        yield f"it cannot be read: {error}"
    except ValueError as error:
        yield f"it is no JSON: {error}"


def _record_faults(
    folder: Traversable, kind: type[Record], domain: str, number: int, row: Any
) -> Iterator[str]:
    key = row.get(kind.key_field) if isinstance(row, dict) else None
    where = f"record {number} ({key})" if key else f"record {number}"
    try:
        if kind is PromptTemplate:
            text = (folder / f"templates/{row['emotional_arc_type']}.md").read_text("utf-8")
            row = {**row, "template_text": text}
        kind.model_validate({"id": "-", **row, "domain": domain})
    except ValidationError as error:
        yield from (f"{where}: {fault}" for fault in _named(error))
    except (KeyError, TypeError):
        yield f"{where}: it is no record, or names no arc"


def _named(error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        where = ".".join(map(str, fault["loc"]))
        yield f"{where}: {fault['msg']}" if where else fault["msg"]


def _key_faults(pack: DomainPack, records: Records) -> Iterator[str]:
    """Keys that are there twice, in this pack or in another installed one."""
    for kind, found in records.items():
        others = [one for one in records_of_all_domains(kind) if one.domain != pack.key]
        counts = Counter([*(one.key for one in found), *{one.key for one in others}])
        for one in found:
            if counts[one.key] > 1:
                yield f"{FILES[kind]}: the key {one.key} is there twice, or in another pack"
    if len(records[Consultant]) != 1:
        yield f"{FILES[Consultant]}: a domain has one consultant"


def _reference_faults(pack: DomainPack, records: Records) -> Iterator[str]:
    """Keys of records that do not exist, and arcs without a template."""
    keys = {kind: {one.key for one in found} for kind, found in records.items()}
    lists = {
        "suitable_personas": keys[Persona],
        "suitable_topics": keys[TrainingTopic],
        "suitable_emotional_arcs": keys[EmotionalArc],
    }
    for (kind, found), (field, known) in itertools.product(records.items(), lists.items()):
        for one in found:
            for key in sorted(set(getattr(one, field, ())) - known):
                yield f"{FILES[kind]}: {one.key}: {field}: there is no {key}"
    served = {one.emotional_arc_type for one in records[PromptTemplate]}
    for key in sorted(keys[EmotionalArc] ^ served):
        lacking = "an arc" if key in served else "a template"
        yield f"{FILES[PromptTemplate]}: the arc {key} is without {lacking}"
    named = {key for rule in pack.safety.rules for key in rule.applies_to} - _APPLIES_TO
    for key in sorted({*named, *pack.safety.crisis_arcs} - keys[EmotionalArc]):
        yield f"{PACK_FILE}: safety: there is no arc {key}"
    if not pack.safety.rules:
        yield f"{PACK_FILE}: safety.rules is empty"


def _template_faults(pack: DomainPack, templates: Iterable[PromptTemplate]) -> Iterator[str]:
    """Placeholders that are unknown, or missing, so that something never reaches a prompt."""
    known = set(placeholders_of(pack))
    for template in templates:
        where = f"the template of the arc {template.emotional_arc_type}"
        try:
            used = set(template.variables)
        except InvalidInputError as error:
            yield f"{where}: {error.message}"
            continue
        missing = _missing_placeholders(pack, template.template_text, used)
        for what, names in (("unknown", sorted(used - known)), ("missing", missing)):
            yield from (f"{where}: {what} placeholder {{{{{name}}}}}" for name in names)


def _missing_placeholders(pack: DomainPack, text: str, used: set[str]) -> Iterator[str]:
    yield from (name for name in _NEEDED if name not in used)
    core = {
        pack.persona.background: "persona_background",
        pack.persona.situation: "persona_situation",
    }
    for field in pack.persona.fields:
        if used.isdisjoint({field.placeholder, core.get(field.name, "")}):
            yield field.placeholder
    named = all(one.name in text for one in pack.crisis_resources)
    if "crisis_resources" not in used and not named:
        yield "crisis_resources"


def _render_faults(records: Records) -> Iterator[str]:
    """What cannot be rendered, each reason once."""
    seen: dict[str, None] = {}
    for persona, arc, topic in itertools.product(
        records[Persona], records[EmotionalArc], records[TrainingTopic]
    ):
        context = PromptContext(persona, arc, topic, records[Consultant][0], arc.tier)
        try:
            assemble_prompt(_template_of(records, arc.key), context)
        except InvalidInputError as error:
            seen[error.message] = None
    yield from seen
