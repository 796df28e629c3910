"""Importing v1's files."""

from __future__ import annotations

import json
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from brightrun.batches.plan import PlanScaffoldingResolver
from brightrun.conversations import import_conversations
from brightrun.conversations.enrichment.pipeline import ConversationEnricher
from brightrun.conversations.import_conversations import ConversationImporter, ImportResult
from brightrun.core.errors import InvalidInputError
from brightrun.formats import Severity
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from brightrun.validation.validator import validate
from tests.builders import OWNER, STRANGER, SteppedClock, a_conversation
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.scaffolding import InMemoryScaffolding
from tests.fakes.training_files import an_enriched_text

ID = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER_ID = "aaaaaaaa-0000-4000-8000-000000000002"
DATA = Path(__file__).resolve().parents[4] / "shared/data"
real_files = pytest.mark.skipif(not DATA.exists(), reason="v1's files are not here")


class World:
    def __init__(self) -> None:
        self.conversations = InMemoryConversations()
        self.objects = InMemoryObjects()
        self.scaffolding = InMemoryScaffolding()
        clock = SteppedClock()
        self.scaffolds = PlanScaffoldingResolver(InMemoryObjects(), self.objects)
        self.importer = ConversationImporter(
            conversations=self.conversations,
            conversation_files=self.objects,
            enricher=ConversationEnricher(
                conversations=self.conversations,
                conversation_files=self.objects,
                scaffolds=self.scaffolds,
                clock=clock,
            ),
            catalog=partial(ScaffoldingCatalog, self.scaffolding),
            clock=clock,
        )

    def one(self, document: dict[str, Any]) -> ImportResult:
        (result,) = self.importer.import_document(OWNER, document)
        return result

    def stored(self, path: str | None) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.objects.objects[str(path)].text)
        return document


@pytest.fixture
def world() -> World:
    return World()


def real(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATA / name).read_text(encoding="utf-8"))
    return document


def an_enriched() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(an_enriched_text(ID))
    return document


def a_training_json(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"training_file_metadata": {}, "consultant_profile": {}, "conversations": list(entries)}


def an_entry(conversation_id: str = ID) -> dict[str, Any]:
    return {
        "conversation_metadata": {"conversation_id": conversation_id, "scaffolding": {}},
        "training_pairs": an_enriched()["training_pairs"],
    }


def test_a_raw_conversation_is_stored_as_it_came_and_enriched(world: World) -> None:
    record = world.one(a_conversation()).record
    assert record is not None
    assert (record.origin, record.batch_job_id, record.simulated) == ("imported", "", False)
    assert (record.status, record.enrichment_status) == ("pending_review", "completed")
    assert (record.turn_count, record.starting_emotion) == (8, "confusion")
    assert world.stored(record.file_path) == a_conversation()
    assert world.stored(record.raw_response_path) == a_conversation()
    assert len(world.stored(record.enriched_file_path)["training_pairs"]) == 8


def test_the_scaffolding_of_many_conversations_is_read_once(world: World) -> None:
    ids = [f"aaaaaaaa-0000-4000-8000-{number:012}" for number in range(20)]
    world.importer.import_document(OWNER, a_training_json(*map(an_entry, ids)))
    assert world.scaffolding.reads == len(("personas", "arcs", "topics"))


def test_an_import_warns_of_every_flag_once(world: World) -> None:
    document = a_conversation()
    document["turns"][3]["content"] = "Do not call the doctor.\\nIt is <|im_end|> fine."
    result = world.one(document)
    flags = [one for one in result.warnings if "in turn 4: " in one]
    assert [one.partition(" ")[0] for one in flags] == ["medical_directive", "special_token"]
    assert sum("escape" in one.casefold() for one in result.warnings) == 1


def test_the_scaffolding_of_an_import_is_read_from_its_source(world: World) -> None:
    prompt = an_enriched()["training_pairs"][0]["system_prompt"]
    assert prompt
    for document, expected in (
        (a_conversation(), {"system_prompt": "", "imported_from": "raw"}),
        (an_enriched(), {"system_prompt": prompt, "imported_from": "enriched"}),
        (
            a_training_json(an_entry(OTHER_ID)),
            {"system_prompt": prompt, "imported_from": "training_json"},
        ),
    ):
        record = world.one(document).record
        assert record is not None
        assert world.scaffolds.snapshot(record) == expected


def test_the_scaffolding_is_empty_when_its_source_is_gone(world: World) -> None:
    record = world.one(an_enriched()).record
    assert record is not None
    world.objects.remove(record.raw_response_path)
    assert world.scaffolds.snapshot(record) == {}


def test_an_enriched_file_becomes_the_conversation_that_it_was_made_from(world: World) -> None:
    result = world.one(an_enriched())
    record = result.record
    assert record is not None
    assert record.conversation_id == ID
    assert (record.persona_key, record.emotional_arc_key, record.training_topic_key) == (
        "overwhelmed_avoider",
        "confusion_to_clarity",
        "roth_ira_conversion",
    )
    turns = world.stored(record.file_path)["turns"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 2
    assert turns[1] == {
        "turn_number": 2,
        "role": "assistant",
        "content": f"Turn 2 of {ID}, and no other.",
        "emotional_context": {"primary_emotion": "confusion", "intensity": 0.7},
    }
    assert world.stored(record.raw_response_path) == an_enriched()
    again = world.stored(record.enriched_file_path)["training_pairs"][1]
    assert again["system_prompt"] == an_enriched()["training_pairs"][1]["system_prompt"]
    assert again["target_response"] == an_enriched()["training_pairs"][1]["target_response"]
    assert any("recreated" in warning for warning in result.warnings)


def test_every_warning_of_the_validation_is_listed(world: World) -> None:
    document = a_conversation()
    document["turns"].pop()
    result = world.one(document)
    assert result.record is not None
    report = result.record.validation_report
    assert report is not None
    codes = [one["code"] for one in (*report["blockers"], *report["warnings"])]
    assert codes
    assert [warning.partition(" ")[0] for warning in result.warnings][: len(codes)] == codes


def test_importing_twice_stores_once(world: World) -> None:
    world.one(a_conversation())
    with pytest.raises(InvalidInputError, match="None of the document's 1") as refused:
        world.one(a_conversation())
    assert "already" in refused.value.details[0]["message"]
    (other,) = world.importer.import_document(STRANGER, a_conversation())
    assert other.record is not None


def test_one_that_cannot_come_in_stops_no_other(world: World) -> None:
    broken = an_entry("bbbbbbbb-0000-4000-8000-000000000002")
    del broken["training_pairs"][1]["target_response"]
    results = world.importer.import_document(
        OWNER, a_training_json(broken, an_entry(), {}, an_entry("no"))
    )
    assert [(one.place, one.code) for one in results if one.error] == [
        ("conversation 1", "missing_field"),
        ("conversation 3", "missing_field"),
    ]
    assert "/training_pairs/1: " in str(results[0].error)
    assert "target_response" in str(results[0].error)
    _, second, _, fourth = results
    assert second.record is not None
    assert second.record.conversation_id == ID
    assert fourth.record is not None
    assert any("'no' is not a UUID" in warning for warning in fourth.warnings)


BROKEN: list[dict[str, Any]] = [
    {"target_response": 5},
    {"current_user_input": ""},
    {"current_user_input": None},
    {"conversation_history": "none"},
    {"conversation_history": [{"turn": 1, "role": "narrator", "content": "x"}]},
    {"tools": [{"type": "function"}]},
    {"reasoning_content": "Let me think."},
]


@pytest.mark.parametrize("change", BROKEN, ids=",".join)
def test_a_pair_is_refused_by_the_codes_of_validate(world: World, change: dict[str, Any]) -> None:
    document = an_enriched()
    document["training_pairs"][1].update(change)
    found = validate(BytesIO(json.dumps(document).encode()))
    errors = {row.code for row in found.summary if row.severity is Severity.ERROR}
    assert errors
    with pytest.raises(InvalidInputError) as refused:
        world.importer.import_document(OWNER, document)
    (detail,) = refused.value.details
    assert detail["code"] in errors
    assert "/training_pairs/1" in detail["message"]


def test_what_validate_only_warns_of_comes_in(world: World) -> None:
    document = an_enriched()
    for pair in document["training_pairs"]:
        for name in ("emotional_context", "training_metadata", "system_prompt"):
            del pair[name]
    assert validate(BytesIO(json.dumps(document).encode())).status == "ready"
    record = world.one(document).record
    assert record is not None
    assert record.turn_count == len(document["training_pairs"])


@pytest.mark.parametrize(
    "document",
    [
        {"colour": "red"},
        {"conversation_metadata": {}, "turns": []},
        {"conversation_metadata": [], "turns": [1]},
        {"training_pairs": []},
        {"training_pairs": [1]},
        a_training_json(),
    ],
)
def test_what_is_no_conversation_is_refused_and_nothing_is_stored(
    world: World, document: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInputError):
        world.importer.import_document(OWNER, document)
    assert (world.objects.objects, world.conversations.writes) == ({}, 0)


def test_a_conversation_with_blockers_is_kept_for_mending(world: World) -> None:
    result = world.one({"conversation_metadata": {}, "turns": [{"role": "narrator"}, 5]})
    assert result.record is not None
    assert result.record.enrichment_status == "validation_failed"
    assert any(warning.startswith("MISSING_CLIENT_PERSONA") for warning in result.warnings)


def test_a_document_that_is_too_large_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_conversations, "MOST_BYTES", 100)
    with pytest.raises(InvalidInputError, match="more than the 100"):
        world.one(a_conversation())


@real_files
@pytest.mark.parametrize(
    ("name", "turns"), [("pair-a", 6), ("pair-b.cut-off", 5)], ids=["pair-a", "pair-b"]
)
def test_a_real_enriched_file_gives_back_the_raw_one_it_was_made_from(
    world: World, name: str, turns: int
) -> None:
    raw = real(f"{name}.raw.json")
    record = world.one(real(f"{name}.enriched.json")).record
    assert record is not None
    document = world.stored(record.file_path)
    assert len(raw["turns"]) == len(document["turns"]) == record.turn_count == turns
    assert document["turns"] == raw["turns"]


@real_files
def test_a_real_cut_off_conversation_is_not_fit_to_train_on_unseen(world: World) -> None:
    result = world.one(real("pair-b.cut-off.raw.json"))
    assert result.record is not None
    assert result.record.flags or result.record.enrichment_status == "validation_failed"
    assert result.warnings


@real_files
def test_the_real_training_file_comes_in_whole(world: World) -> None:
    document = real("eq-12.training.json")
    results = world.importer.import_document(OWNER, document)
    records = [one.record for one in results if one.record]
    assert len(records) == 12
    assert sum(record.turn_count for record in records) == 89
    for record, entry in zip(records, document["conversations"], strict=True):
        assert record.conversation_id == entry["conversation_metadata"]["conversation_id"]
        texts = [turn["content"] for turn in world.stored(record.file_path)["turns"]]
        targets = [pair["target_response"] for pair in entry["training_pairs"]]
        assert [target for target in targets if target is not None] == [
            text for text, target in zip(texts, targets, strict=True) if target is not None
        ]


@real_files
def test_a_real_file_with_scaffolding_keeps_its_keys(world: World) -> None:
    record = world.one(real("enriched-with-scaffolding.json")).record
    assert record is not None
    assert (record.persona_key, record.emotional_arc_key, record.training_topic_key) == (
        "anxious_planner",
        "fear_to_confidence",
        "eldercare_costs",
    )
    assert record.conversation_id == "2e6e3685-eb74-46c9-b11d-13a3e162a4b5"
