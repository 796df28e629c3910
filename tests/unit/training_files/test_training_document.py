"""The two texts of a training file, compared with v1's formats and a real file."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from brightrun.core.errors import InvalidInputError
from brightrun.formats import V4Conversation
from brightrun.training_files.document import (
    CLOSING,
    Origin,
    StoredDocument,
    Totals,
    conversation_entry,
    entry_bytes,
    line_bytes,
    meta_bytes,
    opening,
    scores_of,
    turn_texts,
)
from brightrun.training_files.model import QualitySummary
from brightrun.training_files.selection import SelectedConversation
from brightrun.validation.validator import validate
from tests.fakes.training_files import an_enriched_record, an_enriched_text

FIRST, SECOND = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
MADE, GROWN = "2026-11-21T12:00:00.000Z", "2026-11-22T12:00:00.000Z"
EQ_12 = Path(__file__).resolve().parents[4] / "shared/data/eq-12.training.json"


def enriched(conversation_id: str, *texts: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(an_enriched_text(conversation_id, *texts))
    return document


def selected(conversation_id: str, *texts: str, **changes: Any) -> SelectedConversation:
    record = an_enriched_record(conversation_id, **changes)
    return SelectedConversation(record, enriched(conversation_id, *texts))


@dataclass(frozen=True)
class Written:
    """Both texts, put together of their pieces."""

    json: str
    jsonl: str
    totals: Totals


def written(
    name: str,
    entries: Iterable[V4Conversation],
    consultant: Mapping[str, Any],
    quality: QualitySummary,
    *,
    created: str = MADE,
    updated: str = GROWN,
) -> Written:
    totals, document, lines = Totals(quality=quality), b"", b""
    for entry in entries:
        document += entry_bytes(entry, is_first=totals.conversations == 0)
        lines += line_bytes(entry)
        totals.add(entry)
    origin = Origin(consultant, "financial_planning_consultant")
    start = opening(name, origin, totals, created=created, updated=updated)
    whole = start + document + CLOSING
    return Written(whole.decode(), (meta_bytes(name, totals) + lines).decode(), totals)


def texts_of(*conversation_ids: str) -> Written:
    entries = [conversation_entry(selected(one)) for one in conversation_ids]
    quality = QualitySummary().plus([4.0, 3.5], human_reviewed=True)
    return written("First", entries, enriched(FIRST)["consultant_profile"], quality)


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
    assert len({line["id"] for line in lines[1:]}) == made.totals.trainable == 4
    assert not made.jsonl.endswith("\n")


def test_the_validator_finds_training_jsonl_ready() -> None:
    result = validate(io.BytesIO(texts_of(FIRST, SECOND).jsonl.encode()))
    assert (result.status, result.errors, result.trainable_pairs) == ("ready", [], 4)


def test_text_in_other_alphabets_is_not_escaped() -> None:
    hard = ('مرحبا "quoted" \\ back', "נדבר — 🙂\nnext line")
    made = written("Größe", [conversation_entry(selected(FIRST, *hard))], {}, QualitySummary())
    assert "مرحبا" in made.jsonl
    assert json.loads(made.jsonl.split("\n")[1])["target_response"] == hard[1]
    assert turn_texts(json.loads(made.json)["conversations"][0]["training_pairs"]) == hard


def test_a_conversation_without_a_score_counts_with_the_scores_of_its_pairs() -> None:
    document = enriched(FIRST)
    scores = [pair["training_metadata"]["quality_score"] for pair in document["training_pairs"]]
    assert scores_of(selected(FIRST, quality_score=None)) == scores
    assert scores_of(selected(FIRST, quality_score=4.3)) == [4.3]


@pytest.mark.skipif(not EQ_12.exists(), reason="v1's eq-12 files are not here")
def test_the_real_file_is_rebuilt_byte_by_byte() -> None:
    text = EQ_12.read_bytes()
    stored = StoredDocument(blocks(text, 1000))
    head = stored.opening()
    quality = QualitySummary().plus([3], human_reviewed=False)
    made = "2025-12-09T20:18:49.303Z"
    texts = written(
        head["training_file_metadata"]["file_name"],
        stored.entries(),
        head["consultant_profile"],
        quality,
        created=made,
        updated=made,
    )
    assert texts.json.encode() == text
    assert texts.jsonl.encode() == EQ_12.with_suffix(".jsonl").read_bytes()
    assert (texts.totals.pairs, texts.totals.trainable) == (89, 44)


def blocks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stored_document_is_read_from_any_of_its_conversations_on(size: int) -> None:
    hard = ("[\n    }, {", '\n  "conversations": [\n    ', "]}", "\n    }\n  ]\n}")
    entries = [conversation_entry(selected(FIRST, *hard)), conversation_entry(selected(SECOND))]
    text = written("First", entries, {"name": "Elena"}, QualitySummary()).json.encode()
    stored = StoredDocument(blocks(text, size))
    assert stored.opening()["consultant_profile"] == {"name": "Elena"}
    starts, found = [stored.position], []
    for entry in stored.entries():
        starts.append(stored.position)
        found.append(entry)
    assert found == entries
    for at, start in enumerate(starts):
        rest = StoredDocument(blocks(text[start:], size), start)
        assert [one.conversation_id for one in rest.entries()] == [FIRST, SECOND][at:]


@pytest.mark.parametrize(
    "damaged", [b"", b"{}", b"no json", b'{\n  "conversations": [\n    {"a": ']
)
def test_what_is_no_training_json_is_refused(damaged: bytes) -> None:
    stored = StoredDocument(blocks(damaged, 10))
    with pytest.raises(InvalidInputError):
        assert [stored.opening(), *stored.entries()]
