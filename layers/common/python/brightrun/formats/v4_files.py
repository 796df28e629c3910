"""The v4 files around the pairs, and their entries: training.json, enriched JSON and JSONL."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from brightrun.formats.errors import UnreadableFileError
from brightrun.formats.fields import name_of
from brightrun.formats.model import Format
from brightrun.formats.rules import pointer
from brightrun.formats.v4 import (
    FORMAT_SPEC,
    NULLABLE,
    RULES,
    TEXTS,
    VERSION,
    keeps,
    line_of_pair,
    lines_of,
    pair_of_line,
)

_TRAINING_PARTS = (("training_file_metadata", dict), ("conversations", list))
_DATASET_PREFIX = re.compile(r"^[a-z0-9]+_conversation_")
_SCAFFOLDING = (
    ("persona_key", "persona_archetype"),
    ("persona_name", "client_persona"),
    ("emotional_arc_key", "emotional_arc_key"),
    ("emotional_arc", "emotional_arc"),
    ("training_topic_key", "training_topic_key"),
    ("training_topic", "training_topic"),
)
_DISTRIBUTIONS = (
    ("personas", "persona_key"),
    ("emotional_arcs", "emotional_arc_key"),
    ("training_topics", "training_topic_key"),
)


@dataclass(slots=True)
class V4Conversation:
    """A conversation's metadata and its pairs as they are stored."""

    conversation_id: str
    pairs: list[dict[str, Any]]
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class V4Document:
    """A whole v4 file in memory; a file of 500 MB needs about four times that."""

    file_name: str
    conversations: list[V4Conversation]
    header: dict[str, Any] = field(default_factory=dict)
    consultant: dict[str, Any] = field(default_factory=dict)

    @property
    def total_pairs(self) -> int:
        """All pairs, those without a target included: what total_training_pairs always meant."""
        return sum(len(conversation.pairs) for conversation in self.conversations)


def stored_pairs(value: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]] | None:
    """The pairs of a whole file of ours, or of one conversation of it, as JSONL lines hold them.

    Each comes with its pointer; an entry that lacks a part stands for itself. None for what is no
    such file.
    """
    conversations = value.get("conversations")
    if "training_file_metadata" in value and isinstance(conversations, list):
        return _of_entries(conversations)
    if isinstance(value.get("training_pairs"), list):
        return _of_entry("", dict(value))
    return None


def _of_entries(entries: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, entry in enumerate(entries):
        yield from _of_entry(pointer("conversations", number), entry)


def _of_entry(place: str, entry: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if missing_part(entry):
        yield place, entry
        return
    for number, pair in enumerate(entry["training_pairs"]):
        spot = place + pointer("training_pairs", number)
        yield spot, line_of_pair(pair, _named(entry)) if isinstance(pair, dict) else pair


def _named(entry: Mapping[str, Any]) -> str:
    """The id of a conversation: an entry of a training.json has it, an enriched file its name."""
    about = entry.get("conversation_metadata")
    if about is not None:
        return name_of(about.get("conversation_id")) if isinstance(about, dict) else ""
    name = str(_about(entry).get("dataset_name", "enriched"))
    return _DATASET_PREFIX.sub("", name)


def _about(enriched: Mapping[str, Any]) -> Mapping[str, Any]:
    about = enriched.get("dataset_metadata")
    return about if isinstance(about, dict) else {}


def missing_part(entry: Any) -> str:
    """What a whole file, or an entry of one, lacks; empty if its pairs can be read."""
    if not isinstance(entry, dict):
        return "it is no object"
    if "training_file_metadata" in entry:
        whole = all(isinstance(entry.get(name), kind) for name, kind in _TRAINING_PARTS)
        return "" if whole else "Missing training_file_metadata or conversations"
    if not isinstance(entry.get("training_pairs"), list):
        return "Missing training_pairs"
    if "conversation_metadata" in entry and not _named(entry):
        return "Missing conversation_metadata/conversation_id"
    return ""


def read_document(document: Any, format_: Format) -> V4Document:
    """Read the parsed value of a whole file; raises UnreadableFileError on another shape."""
    if format_.read_document is None:
        raise UnreadableFileError(f"{format_.title} holds one record per line.")
    missing = missing_part(document)
    if missing:
        raise UnreadableFileError(f"This {format_.title} lacks a part: {missing}.")
    read: V4Document = format_.read_document(document)
    return read


def _read_training(document: dict[str, Any]) -> V4Document:
    header = document["training_file_metadata"]
    for number, entry in enumerate(document["conversations"]):
        if missing := missing_part(entry):
            raise UnreadableFileError(f"{missing} at {pointer('conversations', number)}.")
    conversations = [
        V4Conversation(_named(entry), list(entry["training_pairs"]), entry["conversation_metadata"])
        for entry in document["conversations"]
    ]
    profile = document.get("consultant_profile", {})
    return V4Document(str(header.get("file_name", "training")), conversations, header, profile)


def _read_enriched(document: dict[str, Any]) -> V4Document:
    about = _about(document)
    name = str(about.get("dataset_name", "enriched"))
    metadata = {name: about.get(name) for name in ("created_date", "quality_tier", "vertical")}
    metadata["source_file"] = f"{name}.json"
    conversation = V4Conversation(_named(document), list(document["training_pairs"]), metadata)
    return V4Document(name, [conversation], {}, document.get("consultant_profile", {}))


def meta_line(file_name: str, total_pairs: int) -> dict[str, Any]:
    """The first line of a JSONL file, as v1 writes it."""
    return {"_meta": {"file_name": file_name, "total_pairs": total_pairs, "version": VERSION}}


def document_of_lines(
    lines: Iterable[Mapping[str, Any]], file_name: str, created: str | None
) -> dict[str, Any]:
    """Gather JSONL lines into a training.json document, conversations in order of appearance."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        grouped.setdefault(str(line["conversation_id"]), []).append(pair_of_line(line))
    found = [V4Conversation(key, pairs) for key, pairs in grouped.items()]
    return training_document(V4Document(file_name, found), created)


def training_document(document: V4Document, created: str | None) -> dict[str, Any]:
    """Build the training.json of a document; `created` is an ISO-8601 time or None if unknown."""
    entries = [
        {
            "conversation_metadata": _conversation_metadata(conversation),
            "training_pairs": conversation.pairs,
        }
        for conversation in document.conversations
    ]
    header = document.header or _header(document, entries, created)
    return {
        "training_file_metadata": header,
        "consultant_profile": document.consultant,
        "conversations": entries,
    }


def _conversation_metadata(conversation: V4Conversation) -> dict[str, Any]:
    if "conversation_id" in conversation.metadata:
        return conversation.metadata
    first = conversation.pairs[0].get("conversation_metadata", {}) if conversation.pairs else {}
    return {
        "conversation_id": conversation.conversation_id,
        "source_file": conversation.metadata.get(
            "source_file", f"{conversation.conversation_id}.json"
        ),
        "created_date": conversation.metadata.get("created_date"),
        "total_turns": len(conversation.pairs),
        "quality_tier": conversation.metadata.get("quality_tier"),
        "scaffolding": {key: first.get(source, "") for key, source in _SCAFFOLDING},
    }


def _header(
    document: V4Document, entries: list[dict[str, Any]], created: str | None
) -> dict[str, Any]:
    scaffolding = [_scaffolding(entry["conversation_metadata"]) for entry in entries]
    return {
        "file_name": document.file_name,
        "version": VERSION,
        "created_date": created,
        "last_updated": created,
        "format_spec": FORMAT_SPEC,
        "vertical": _vertical(document),
        "total_conversations": len(entries),
        "total_training_pairs": document.total_pairs,
        "quality_summary": _quality(list(_pairs(document))),
        "scaffolding_distribution": {
            name: dict(Counter(found[key] for found in scaffolding if found.get(key)))
            for name, key in _DISTRIBUTIONS
        },
    }


def _vertical(document: V4Document) -> str:
    """The vertical that all conversations state; unknown if it is not one and the same."""
    stated = {conversation.metadata.get("vertical") for conversation in document.conversations}
    vertical = stated.pop() if len(stated) == 1 else None
    return vertical if isinstance(vertical, str) else "unknown"


def _scaffolding(about: Mapping[str, Any]) -> dict[str, str]:
    """The names in a conversation's scaffolding; what else a file holds there is not counted."""
    found = about.get("scaffolding")
    names = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in names if isinstance(value, str)}


def _pairs(document: V4Document) -> Iterator[dict[str, Any]]:
    for conversation in document.conversations:
        yield from conversation.pairs


def _quality(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarise the scores that the pairs carry; null where none does, never made up."""
    about = [pair.get("training_metadata") or {} for pair in pairs]
    given = [found.get("quality_score") for found in about]
    scores = [
        score for score in given if isinstance(score, int | float) and not isinstance(score, bool)
    ]
    reviewed = sum(found.get("human_reviewed") is True for found in about)
    return {
        "avg_quality_score": round(sum(scores) / len(scores), 2) if scores else None,
        "min_quality_score": min(scores, default=None),
        "max_quality_score": max(scores, default=None),
        "human_reviewed_count": reviewed,
        "human_reviewed_percentage": round(100 * reviewed / len(pairs), 1) if pairs else 0,
    }


_API_NAMES = ("brightrun_lora_v4", "brightrun_lora_v3")
V4_JSON = Format(
    name="v4-json",
    title="brightrun-lora-v4 JSON",
    keys={"training_file_metadata": 0},
    api_names=_API_NAMES,
    write=lines_of,
    keeps=keeps,
    pairs_as_stored=True,
    one_record_per_conversation=False,
    read_document=_read_training,
    write_document=document_of_lines,
)
ENRICHED = Format(
    name="enriched",
    title="enriched conversation JSON",
    keys={"dataset_metadata": 0, "training_pairs": 0},
    api_names=_API_NAMES,
    pairs_as_stored=True,
    one_record_per_conversation=False,
    read_document=_read_enriched,
)
V4_JSONL = Format(
    name="v4-jsonl",
    title="brightrun-lora-v4 JSONL",
    keys={
        "_meta": 0,
        "target_response": 0,
        "conversation_history": 0,
        "current_user_input": 0,
    },
    described="a brightrun-lora-v4 pair (target_response)",
    api_names=_API_NAMES,
    write=lines_of,
    keeps=keeps,
    rules=RULES,
    texts=TEXTS,
    nullable=NULLABLE,
    pairs_as_stored=True,
    one_record_per_conversation=False,
)
