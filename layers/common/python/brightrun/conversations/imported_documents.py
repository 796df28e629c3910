"""Reads the conversations of a document to import: raw, enriched, or a training.json.

A document with pairs is converted back to the conversation that it was made from, so that it passes
the same checks as a new one.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brightrun.conversations.model import system_prompts
from brightrun.core.errors import InvalidInputError

MOST_PROMPT_CHARACTERS = 50_000
"""The prompt is part of every training pair."""
_DATASET_PREFIX = re.compile(r"^[a-z0-9]+_conversation_")
_KEYS = (
    ("persona_key", "persona_archetype"),
    ("emotional_arc_key", "emotional_arc_key"),
    ("training_topic_key", "training_topic_key"),
)
_METADATA = ("client_persona", "session_context", "conversation_phase", "expected_outcome")
_EMOTIONS = (
    ("primary_emotion", "primary"),
    ("secondary_emotion", "secondary"),
    ("intensity", "intensity"),
)
_RECREATED = "its pairs are recreated from its turns, with new scores, skills and ids"


@dataclass(frozen=True, slots=True)
class ImportedConversation:
    """One conversation of a file: the document to store, and the source that it was read from.

    `place` is its position in the file; `conversation_id` is None if the file has no usable id.
    """

    place: str
    document: dict[str, Any]
    source: dict[str, Any]
    conversation_id: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class UnreadableConversation:
    """One conversation of a file that cannot be read; `code` names the reason for machines."""

    place: str
    reason: str
    code: str


ReadResult = ImportedConversation | UnreadableConversation


def read_conversations(document: Mapping[str, Any]) -> list[ReadResult]:
    """Read the conversations of a file; raises InvalidInputError if it has none of the formats.

    Pairs are judged by the rules of all tools, so that what cannot be trained on is not imported.
    """
    if isinstance(document.get("conversations"), list) and "training_file_metadata" in document:
        return _read_training_json(document)
    if isinstance(document.get("training_pairs"), list):
        return [_read_enriched(dict(document))]
    if "turns" in document and "conversation_metadata" in document:
        return [_read_raw(dict(document))]
    raise InvalidInputError(
        "The document has none of the formats that can be imported: a raw conversation has "
        "conversation_metadata and turns, an enriched one training_pairs, a training.json "
        "training_file_metadata and conversations.",
        details={"fields": sorted(document)[:20]},
    )


def _read_training_json(document: Mapping[str, Any]) -> list[ReadResult]:
    refused: dict[str, UnreadableConversation] = {}
    for pointer, problems in _refused_pairs(document):
        _, _, number, *inside = pointer.split("/")
        place = f"conversation {int(number) + 1}"
        refused.setdefault(place, _refusal(place, inside, problems))
    places = [f"conversation {number}" for number in range(1, len(document["conversations"]) + 1)]
    return [
        refused.get(place) or _read_entry(place, entry)
        for place, entry in zip(places, document["conversations"], strict=True)
    ]


def _refusal(place: str, inside: Sequence[str], problems: Any) -> UnreadableConversation:
    where = f"/{'/'.join(inside)}: " if inside else ""
    return UnreadableConversation(place, where + problems.reason(), problems.errors[0].code)


def _refused_pairs(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    # Imported when it is needed: few requests of the function import.
    from brightrun.formats import refused_pairs

    return refused_pairs(document)


def _read_raw(document: dict[str, Any]) -> ReadResult:
    place = "the document"
    if not isinstance(document["turns"], list):
        return UnreadableConversation(place, "/turns is not a list", "wrong_type")
    if not document["turns"]:
        return UnreadableConversation(place, "/turns is empty", "empty_turns")
    if not isinstance(document["conversation_metadata"], dict):
        reason = "/conversation_metadata is not an object"
        return UnreadableConversation(place, reason, "wrong_type")
    parameters = _texts(document.get("input_parameters"))
    keys = {key: parameters.get(key, "") for key, _ in _KEYS}
    return ImportedConversation(place, document, document, keys=keys)


def _read_enriched(document: dict[str, Any]) -> ReadResult:
    place = "the document"
    for pointer, problems in _refused_pairs(document):
        return _refusal(place, pointer.split("/")[1:], problems)
    name = _texts(document.get("dataset_metadata")).get("dataset_name", "")
    parameters = _texts(document.get("input_parameters"))
    return _read_pairs(place, document, _DATASET_PREFIX.sub("", name), parameters)


def _read_entry(place: str, entry: dict[str, Any]) -> ReadResult:
    metadata = _object(entry.get("conversation_metadata"))
    parameters = _texts(metadata.get("scaffolding"))
    named = str(metadata.get("conversation_id") or "")
    return _read_pairs(place, entry, named, parameters)


def _read_pairs(
    place: str, part: dict[str, Any], named: str, parameters: Mapping[str, str]
) -> ReadResult:
    pairs = part["training_pairs"]
    if not pairs:
        return UnreadableConversation(place, "/training_pairs is empty", "empty_turns")
    metadata = _texts(pairs[0].get("conversation_metadata"))
    prompts = system_prompts(pairs)
    if len(prompts[0]) > MOST_PROMPT_CHARACTERS:
        reason = f"a system prompt is longer than {MOST_PROMPT_CHARACTERS} characters"
        return UnreadableConversation(place, reason, "line_too_long")
    warnings = [_RECREATED]
    if len(prompts) > 1:
        warnings.append(f"its pairs have {len(prompts)} system prompts; the first is kept")
    document: dict[str, Any] = {
        "conversation_metadata": {name: metadata[name] for name in _METADATA if name in metadata},
        "turns": [_turn(number, pair) for number, pair in enumerate(pairs, 1)],
    }
    if isinstance(part.get("input_parameters"), dict):
        document["input_parameters"] = part["input_parameters"]
    return ImportedConversation(
        place=place,
        document=document,
        source=part,
        conversation_id=_uuid(named, warnings),
        keys={key: parameters.get(key) or metadata.get(source, "") for key, source in _KEYS},
        warnings=tuple(warnings),
    )


def _turn(number: int, pair: Mapping[str, Any]) -> dict[str, Any]:
    """The turn that a pair was made from; v1 makes a pair for every turn."""
    answers = pair.get("target_response") is not None
    turn: dict[str, Any] = {
        "turn_number": number,
        "role": "assistant" if answers else "user",
        "content": pair["target_response"] if answers else pair["current_user_input"],
    }
    emotions = _object(_object(pair.get("emotional_context")).get("detected_emotions"))
    if emotions:
        turn["emotional_context"] = {
            name: emotions[source]
            for name, source in _EMOTIONS
            if emotions.get(source) is not None and emotions[source] != ""
        }
    return turn


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(values: Any) -> dict[str, str]:
    return {name: value for name, value in _object(values).items() if isinstance(value, str)}


def _uuid(named: str, warnings: list[str]) -> str | None:
    try:
        return str(uuid.UUID(named))
    except ValueError:
        warnings.append(f"its id '{named[:100]}' is not a UUID; it gets a new one")
        return None
