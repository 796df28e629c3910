"""The v4 files around the pairs, and their entries: training.json, enriched JSON and JSONL."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from brightrun.formats.errors import UnreadableFileError
from brightrun.formats.model import Format
from brightrun.formats.v4 import (
    FORMAT_SPEC,
    RULES,
    VERSION,
    example_of,
    lines_of,
    pair_of_line,
    row_of,
)

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


def read_document(document: Any, format_: Format) -> V4Document:
    """Read the parsed value of a whole file; raises UnreadableFileError on another shape."""
    if format_.read_document is None:
        raise UnreadableFileError(f"{format_.title} holds one record per line.")
    try:
        read: V4Document = format_.read_document(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableFileError(
            f"This {format_.title} lacks a part it must have ({type(error).__name__}: {error})."
            " Export it again from the source."
        ) from error
    return read


def _read_training(document: dict[str, Any]) -> V4Document:
    header = document["training_file_metadata"]
    conversations = [
        V4Conversation(
            entry["conversation_metadata"]["conversation_id"],
            list(entry["training_pairs"]),
            entry["conversation_metadata"],
        )
        for entry in document["conversations"]
    ]
    return V4Document(
        header["file_name"], conversations, header, document.get("consultant_profile", {})
    )


def _read_enriched(document: dict[str, Any]) -> V4Document:
    about = document.get("dataset_metadata", {})
    name = about.get("dataset_name", "enriched")
    metadata = {
        "created_date": about.get("created_date"),
        "quality_tier": about.get("quality_tier"),
    }
    conversation = V4Conversation(
        name.removeprefix("fp_conversation_"), list(document["training_pairs"]), metadata
    )
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
        "source_file": f"fp_conversation_{conversation.conversation_id}.json",
        "created_date": conversation.metadata.get("created_date"),
        "total_turns": len(conversation.pairs),
        "quality_tier": conversation.metadata.get("quality_tier"),
        "scaffolding": {key: first.get(source, "") for key, source in _SCAFFOLDING},
    }


def _header(
    document: V4Document, entries: list[dict[str, Any]], created: str | None
) -> dict[str, Any]:
    scaffolding = [entry["conversation_metadata"]["scaffolding"] for entry in entries]
    return {
        "file_name": document.file_name,
        "version": VERSION,
        "created_date": created,
        "last_updated": created,
        "format_spec": FORMAT_SPEC,
        "vertical": "financial_planning_consultant",
        "total_conversations": len(entries),
        "total_training_pairs": document.total_pairs,
        "quality_summary": _quality(list(_pairs(document))),
        "scaffolding_distribution": {
            name: dict(Counter(found[key] for found in scaffolding if found[key]))
            for name, key in _DISTRIBUTIONS
        },
    }


def _pairs(document: V4Document) -> Iterator[dict[str, Any]]:
    for conversation in document.conversations:
        yield from conversation.pairs


def _quality(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarise the scores that the pairs carry; null where none does, never made up."""
    about = [pair.get("training_metadata") or {} for pair in pairs]
    scores = [found["quality_score"] for found in about if found.get("quality_score") is not None]
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
    read=example_of,
    write=lines_of,
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
    read=example_of,
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
        "system_prompt": 2,
    },
    described="a brightrun-lora-v4 pair (target_response)",
    api_names=_API_NAMES,
    read=example_of,
    write=lines_of,
    read_row=row_of,
    rules=RULES,
    pairs_as_stored=True,
    one_record_per_conversation=False,
)
