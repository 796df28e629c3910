"""A training file rendered as a whole in memory: what is written as a stream must equal it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brightrun.formats import compact, indented, is_trainable
from brightrun.training_files.document import conversation_entry, scores_of
from brightrun.training_files.model import QualitySummary
from brightrun.training_files.selection import SelectedConversation


@dataclass(frozen=True)
class Texts:
    json: str
    jsonl: str
    trainable_pairs: int


def whole_document(
    name: str, selected: Sequence[SelectedConversation], *, created: str, updated: str
) -> Texts:
    """Both texts, by one call of the JSON encoder each line or document."""
    entries = [conversation_entry(one) for one in selected]
    pairs = [(one.conversation_id, pair) for one in entries for pair in one.pairs]
    document = {
        "training_file_metadata": _header(name, selected, created, updated),
        "consultant_profile": selected[0].enriched["consultant_profile"],
        "conversations": [
            {"conversation_metadata": one.metadata, "training_pairs": one.pairs} for one in entries
        ],
    }
    lines = [
        {**pair, "id": f"{pair['id']}_{owner[:8]}", "conversation_id": owner}
        for owner, pair in pairs
        if pair["target_response"] is not None
    ]
    meta = {"_meta": {"file_name": name, "total_pairs": len(pairs), "version": "4.0.0"}}
    return Texts(
        json=indented(document),
        jsonl="\n".join(compact(line) for line in (meta, *lines)),
        trainable_pairs=sum(map(is_trainable, lines)),
    )


def _header(
    name: str, selected: Sequence[SelectedConversation], created: str, updated: str
) -> dict[str, Any]:
    quality = QualitySummary()
    for one in selected:
        reviewed = one.record.reviewed_at is not None
        quality = quality.plus(scores_of(one), human_reviewed=reviewed)
    records = [one.record for one in selected]
    return {
        "file_name": name,
        "version": "4.0.0",
        "created_date": created,
        "last_updated": updated,
        "format_spec": "brightrun-lora-v4",
        "target_model": "claude-sonnet-4-5",
        "vertical": "financial_planning_consultant",
        "total_conversations": len(records),
        "total_training_pairs": sum(len(one.enriched["training_pairs"]) for one in selected),
        "quality_summary": {
            "avg_quality_score": _number(quality.average),
            "min_quality_score": _number(quality.lowest),
            "max_quality_score": _number(quality.highest),
            "human_reviewed_count": quality.human_reviewed,
            "human_reviewed_percentage": _number(
                round(100 * quality.human_reviewed / len(records), 1)
            ),
        },
        "scaffolding_distribution": {
            "personas": _counted(one.persona_key for one in records),
            "emotional_arcs": _counted(one.emotional_arc_key for one in records),
            "training_topics": _counted(one.training_topic_key for one in records),
        },
    }


def _counted(keys: Any) -> Mapping[str, int]:
    return dict(Counter(key for key in keys if key))


def _number(number: float | None) -> float | None:
    return int(number) if number is not None and number == int(number) else number
