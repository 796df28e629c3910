"""The contents of training.json and training.jsonl, in v1's formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brightrun.conversations.model import ConversationRecord
from brightrun.core.errors import InvalidInputError
from brightrun.formats import (
    FORMAT_SPEC,
    V4_JSON,
    VERSION,
    FormatError,
    V4Conversation,
    V4Document,
    compact,
    indented,
    is_trainable,
    line_of_pair,
    loads,
    meta_line,
    read_document,
    training_document,
)
from brightrun.training_files.model import QualitySummary

TARGET_MODEL = "claude-sonnet-4-5"
"""The value in every file of v1; nothing reads it."""
VERTICAL = "financial_planning_consultant"
_DISTRIBUTIONS = (
    ("personas", "persona_key"),
    ("emotional_arcs", "emotional_arc_key"),
    ("training_topics", "training_topic_key"),
)
_ARCHETYPE_SEPARATOR = " - "


@dataclass(frozen=True, slots=True)
class TrainingTexts:
    """A file's two texts and their counts."""

    json: str
    jsonl: str
    conversation_count: int
    total_training_pairs: int
    trainable_pairs: int
    scaffolding_distribution: dict[str, dict[str, int]]


def training_texts(
    document: V4Document, quality: QualitySummary, *, created_at: str, updated_at: str
) -> TrainingTexts:
    """Render both files; timestamps are ISO 8601 with milliseconds."""
    document.header = _header(document, quality, created_at, updated_at)
    lines = [meta_line(document.file_name, document.total_pairs)]
    lines += [
        line_of_pair(pair, one.conversation_id)
        for one in document.conversations
        for pair in one.pairs
        if pair["target_response"] is not None
    ]
    return TrainingTexts(
        json=indented(training_document(document, None)),
        jsonl="\n".join(compact(line) for line in lines),
        conversation_count=len(document.conversations),
        total_training_pairs=document.total_pairs,
        trainable_pairs=sum(is_trainable(line) for line in lines),
        scaffolding_distribution=document.header["scaffolding_distribution"],
    )


def conversation_entry(record: ConversationRecord, enriched: Mapping[str, Any]) -> V4Conversation:
    """Create a conversation's entry in training.json; its pairs are those of its enriched file."""
    pairs = list(enriched["training_pairs"])
    metadata = {
        "conversation_id": record.conversation_id,
        "source_file": f"fp_conversation_{record.conversation_id}.json",
        "created_date": record.created_at[:10],
        "total_turns": len(pairs),
        "quality_tier": enriched["dataset_metadata"]["quality_tier"],
        "scaffolding": _scaffolding(record, enriched),
    }
    return V4Conversation(record.conversation_id, pairs, metadata)


def scores_of(record: ConversationRecord, enriched: Mapping[str, Any]) -> list[float]:
    """The conversation's quality score, or without one those of its pairs."""
    if record.quality_score is not None:
        return [record.quality_score]
    scores = (pair["training_metadata"].get("quality_score") for pair in enriched["training_pairs"])
    return [score for score in scores if score is not None]


def read_training_json(text: str) -> V4Document:
    """Read a training.json back; raises InvalidInputError."""
    try:
        return read_document(loads(text), V4_JSON)
    except FormatError as error:
        raise InvalidInputError(error.message) from error


def turn_texts(pairs: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The text of each turn of a conversation; there is one pair for each turn."""
    return tuple(
        pair["current_user_input"] if pair["target_response"] is None else pair["target_response"]
        for pair in pairs
    )


def _scaffolding(record: ConversationRecord, enriched: Mapping[str, Any]) -> dict[str, str]:
    parameters: Mapping[str, str] = enriched.get("input_parameters") or {}
    metadata: Mapping[str, str] = enriched["training_pairs"][0]["conversation_metadata"]
    client, _, _ = metadata.get("client_persona", "").partition(_ARCHETYPE_SEPARATOR)
    return {
        "persona_key": record.persona_key,
        "persona_name": parameters.get("persona_name") or client,
        "emotional_arc_key": record.emotional_arc_key,
        "emotional_arc": parameters.get("emotional_arc_name") or metadata.get("emotional_arc", ""),
        "training_topic_key": record.training_topic_key,
        "training_topic": parameters.get("training_topic_name")
        or metadata.get("training_topic", ""),
    }


def _header(
    document: V4Document, quality: QualitySummary, created_at: str, updated_at: str
) -> dict[str, Any]:
    conversations = len(document.conversations)
    reviewed = round(100 * quality.human_reviewed / conversations, 1)
    scaffoldings = [one.metadata["scaffolding"] for one in document.conversations]
    return {
        "file_name": document.file_name,
        "version": VERSION,
        "created_date": created_at,
        "last_updated": updated_at,
        "format_spec": FORMAT_SPEC,
        "target_model": TARGET_MODEL,
        "vertical": VERTICAL,
        "total_conversations": conversations,
        "total_training_pairs": document.total_pairs,
        "quality_summary": {
            "avg_quality_score": _json_number(quality.average),
            "min_quality_score": _json_number(quality.lowest),
            "max_quality_score": _json_number(quality.highest),
            "human_reviewed_count": quality.human_reviewed,
            "human_reviewed_percentage": _json_number(reviewed),
        },
        "scaffolding_distribution": {
            name: dict(Counter(one[key] for one in scaffoldings if one[key]))
            for name, key in _DISTRIBUTIONS
        },
    }


def _json_number(number: float | None) -> float | None:
    """A whole number as an int, without decimal point, as v1 writes it."""
    return int(number) if number is not None and number == int(number) else number
