"""Reads the original's files: raw conversations, enriched files and training.json.

A file with pairs is turned back into the conversation it was made from, so that it goes through the
same checks as a new one; what only the old file said stays in the copy that is kept of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from brightrun.errors import InvalidInputError

Shape = Literal["raw", "enriched", "training_json"]

MOST_PROMPT_CHARACTERS = 50_000
"""The prompt is kept on the row, which holds 400 KB."""

_DATASET_PREFIX = "fp_conversation_"
_KEYS = (
    ("persona_key", "persona_archetype"),
    ("emotional_arc_key", "emotional_arc_key"),
    ("training_topic_key", "training_topic_key"),
)
_METADATA = ("client_persona", "session_context", "conversation_phase", "expected_outcome")
_REMADE = "its pairs are made anew from its turns; scores, skills and ids are ours"


@dataclass(frozen=True, slots=True)
class ImportedConversation:
    """One conversation of a file: as we store it, as it came, and what is worth knowing about it.

    `place` says where in the file it stood; `conversation_id` is None where the file names none.
    """

    place: str
    shape: Shape
    document: dict[str, Any]
    original: dict[str, Any]
    conversation_id: str | None = None
    system_prompt: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class UnreadableConversation:
    """One conversation of a file that cannot be read, and why."""

    place: str
    reason: str


Read = ImportedConversation | UnreadableConversation


def read_conversations(document: Mapping[str, Any]) -> list[Read]:
    """Take a file apart; raises InvalidInputError when it is none of the three."""
    if isinstance(document.get("conversations"), list) and "training_file_metadata" in document:
        return list(_of_training_json(document["conversations"]))
    if isinstance(document.get("training_pairs"), list):
        return [_guarded("the document", _of_enriched, dict(document))]
    if "turns" in document and "conversation_metadata" in document:
        return [_guarded("the document", _of_raw, dict(document))]
    raise InvalidInputError(
        "This is none of the files that can be imported: a raw conversation has "
        "conversation_metadata and turns, an enriched one training_pairs, a training.json "
        "training_file_metadata and conversations.",
        details={"fields": sorted(document)[:20]},
    )


def _guarded(place: str, read: Any, part: Any) -> Read:
    try:
        found: Read = read(place, part)
    except KeyError as error:
        return UnreadableConversation(place, f"the field {error} is missing")
    except (TypeError, AttributeError, ValueError, IndexError) as error:
        return UnreadableConversation(place, f"it is not shaped as its format says ({error})")
    return found


def _of_training_json(entries: Sequence[Any]) -> Iterator[Read]:
    for number, entry in enumerate(entries, 1):
        yield _guarded(f"conversation {number}", _of_entry, entry)


def _of_raw(place: str, document: dict[str, Any]) -> ImportedConversation:
    if not isinstance(document["turns"], list) or not document["turns"]:
        raise ValueError("turns is not a list with something in it")
    if not isinstance(document["conversation_metadata"], dict):
        raise ValueError("conversation_metadata is not an object")
    asked = _texts(document.get("input_parameters") or {})
    keys = {key: asked.get(key, "") for key, _ in _KEYS}
    return ImportedConversation(place, "raw", document, document, keys=keys)


def _of_enriched(place: str, document: dict[str, Any]) -> ImportedConversation:
    name = str(document.get("dataset_metadata", {}).get("dataset_name", ""))
    asked = _texts(document.get("input_parameters") or {})
    named = name.removeprefix(_DATASET_PREFIX)
    return _of_pairs(place, "enriched", document, named, asked)


def _of_entry(place: str, entry: dict[str, Any]) -> ImportedConversation:
    about = entry["conversation_metadata"]
    asked = _texts(about.get("scaffolding") or {})
    return _of_pairs(place, "training_json", entry, str(about["conversation_id"]), asked)


def _of_pairs(
    place: str, shape: Shape, part: dict[str, Any], named: str, asked: Mapping[str, str]
) -> ImportedConversation:
    pairs = part["training_pairs"]
    told = _texts(pairs[0]["conversation_metadata"])
    prompts = list(dict.fromkeys(str(pair["system_prompt"]) for pair in pairs))
    warnings = [_REMADE]
    if len(prompts[0]) > MOST_PROMPT_CHARACTERS:
        raise ValueError(f"a system prompt is longer than {MOST_PROMPT_CHARACTERS} characters")
    if len(prompts) > 1:
        warnings.append(f"its pairs have {len(prompts)} system prompts; the first is kept")
    document: dict[str, Any] = {
        "conversation_metadata": {name: told[name] for name in _METADATA if name in told},
        "turns": [_turn(number, pair) for number, pair in enumerate(pairs, 1)],
    }
    if "input_parameters" in part:
        document["input_parameters"] = part["input_parameters"]
    return ImportedConversation(
        place=place,
        shape=shape,
        document=document,
        original=part,
        conversation_id=_uuid(named, warnings),
        system_prompt=prompts[0],
        keys={key: asked.get(key) or told.get(source, "") for key, source in _KEYS},
        warnings=tuple(warnings),
    )


def _turn(number: int, pair: Mapping[str, Any]) -> dict[str, Any]:
    """The turn that a pair was made for: there is a pair for every turn (part 1.3)."""
    felt = pair["emotional_context"]["detected_emotions"]
    answers = pair["target_response"] is not None
    context = {"primary_emotion": felt["primary"]}
    if felt.get("secondary"):
        context["secondary_emotion"] = felt["secondary"]
    return {
        "turn_number": number,
        "role": "assistant" if answers else "user",
        "content": pair["target_response"] if answers else pair["current_user_input"],
        "emotional_context": {**context, "intensity": felt["intensity"]},
    }


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _uuid(named: str, warnings: list[str]) -> str | None:
    try:
        return str(uuid.UUID(named))
    except ValueError:
        warnings.append(f"its id '{named[:100]}' is no UUID; it gets one of ours")
        return None
