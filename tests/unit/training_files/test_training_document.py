"""The two texts of a training file, compared with v1's formats and a real file."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from brightrun.formats.v4_files import V4Document
from brightrun.training_files.document import (
    conversation_entry,
    read_training_json,
    scores_of,
    training_texts,
    turn_texts,
)
from brightrun.training_files.model import QualitySummary
from brightrun.validation.validator import validate
from tests.fakes.training_files import an_enriched_record, an_enriched_text

FIRST, SECOND = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
MADE, GROWN = "2026-11-21T12:00:00.000Z", "2026-11-22T12:00:00.000Z"
EQ_12 = Path(__file__).resolve().parents[4] / "shared/data/eq-12.training.json"


def enriched(conversation_id: str, *texts: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(an_enriched_text(conversation_id, *texts))
    return document


def texts_of(*conversation_ids: str, quality: QualitySummary | None = None) -> Any:
    entries = [
        conversation_entry(an_enriched_record(one), enriched(one)) for one in conversation_ids
    ]
    document = V4Document("First", entries, consultant=enriched(FIRST)["consultant_profile"])
    summed = quality or QualitySummary().plus([4.0, 3.5], human_reviewed=True)
    return training_texts(document, summed, created_at=MADE, updated_at=GROWN)


def test_training_json_has_v1s_fields_in_v1s_order() -> None:
    document = json.loads(texts_of(FIRST, SECOND).json)
    assert list(document) == ["training_file_metadata", "consultant_profile", "conversations"]
    assert document["training_file_metadata"] == {
        "file_name": "First",
        "version": "4.0.0",
        "created_date": MADE,
        "last_updated": GROWN,
        "format_spec": "brightrun-lora-v4",
        "target_model": "claude-sonnet-4-5",
        "vertical": "financial_planning_consultant",
        "total_conversations": 2,
        "total_training_pairs": 8,
        "quality_summary": {
            "avg_quality_score": 3.75,
            "min_quality_score": 3.5,
            "max_quality_score": 4,
            "human_reviewed_count": 1,
            "human_reviewed_percentage": 50,
        },
        "scaffolding_distribution": {
            "personas": {"overwhelmed_avoider": 2},
            "emotional_arcs": {"confusion_to_clarity": 2},
            "training_topics": {"roth_ira_conversion": 2},
        },
    }


def test_a_conversations_entry_has_its_metadata_and_its_pairs() -> None:
    entry = json.loads(texts_of(FIRST).json)["conversations"][0]
    assert entry["training_pairs"] == enriched(FIRST)["training_pairs"]
    assert entry["conversation_metadata"] == {
        "conversation_id": FIRST,
        "source_file": f"fp_conversation_{FIRST}.json",
        "created_date": "2026-11-21",
        "total_turns": 4,
        "quality_tier": enriched(FIRST)["dataset_metadata"]["quality_tier"],
        "scaffolding": {
            "persona_key": "overwhelmed_avoider",
            "persona_name": "Marcus Chen",
            "emotional_arc_key": "confusion_to_clarity",
            "emotional_arc": enriched(FIRST)["training_pairs"][0]["conversation_metadata"][
                "emotional_arc"
            ],
            "training_topic_key": "roth_ira_conversion",
            "training_topic": enriched(FIRST)["training_pairs"][0]["conversation_metadata"][
                "training_topic"
            ],
        },
    }


def test_training_jsonl_holds_the_pairs_with_a_target_under_ids_of_their_own() -> None:
    made = texts_of(FIRST, SECOND)
    lines = [json.loads(line) for line in made.jsonl.split("\n")]
    assert lines[0] == {"_meta": {"file_name": "First", "total_pairs": 8, "version": "4.0.0"}}
    assert [line["conversation_id"] for line in lines[1:]] == [FIRST, FIRST, SECOND, SECOND]
    pair = enriched(FIRST)["training_pairs"][1]
    assert lines[1] == {**pair, "id": f"{pair['id']}_aaaaaaaa", "conversation_id": FIRST}
    assert list(lines[1]) == list(pair)
    assert len({line["id"] for line in lines[1:]}) == made.trainable_pairs == 4
    assert not made.jsonl.endswith("\n")


def test_the_validator_finds_training_jsonl_ready() -> None:
    result = validate(io.BytesIO(texts_of(FIRST, SECOND).jsonl.encode()))
    assert (result.status, result.errors, result.trainable_pairs) == ("ready", [], 4)


def test_text_in_other_alphabets_is_not_escaped() -> None:
    hard = ('مرحبا "quoted" \\ back', "נדבר — 🙂\nnext line")
    entry = conversation_entry(an_enriched_record(FIRST), enriched(FIRST, *hard))
    made = training_texts(
        V4Document("Größe", [entry]), QualitySummary(), created_at=MADE, updated_at=MADE
    )
    assert "مرحبا" in made.jsonl
    assert json.loads(made.jsonl.split("\n")[1])["target_response"] == hard[1]
    assert turn_texts(json.loads(made.json)["conversations"][0]["training_pairs"]) == hard


def test_a_conversation_without_a_score_counts_with_the_scores_of_its_pairs() -> None:
    document = enriched(FIRST)
    scores = [pair["training_metadata"]["quality_score"] for pair in document["training_pairs"]]
    assert scores_of(an_enriched_record(FIRST, quality_score=None), document) == scores
    assert scores_of(an_enriched_record(FIRST, quality_score=4.3), document) == [4.3]


@pytest.mark.skipif(not EQ_12.exists(), reason="v1's eq-12 files are not here")
def test_the_real_file_is_rebuilt_byte_by_byte() -> None:
    text = EQ_12.read_text(encoding="utf-8")
    document = read_training_json(text)
    quality = QualitySummary().plus([3], human_reviewed=False)
    made = "2025-12-09T20:18:49.303Z"
    texts = training_texts(document, quality, created_at=made, updated_at=made)
    assert texts.json == text
    assert texts.jsonl.encode() == EQ_12.with_suffix(".jsonl").read_bytes()
    assert (texts.total_training_pairs, texts.trainable_pairs) == (89, 44)
