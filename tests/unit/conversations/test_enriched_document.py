from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from brightrun.conversations.emotions import valence
from brightrun.conversations.enrichment.document import enriched_document, skills_of
from brightrun.conversations.enrichment.model import Scaffold, read_enriched
from brightrun.conversations.enrichment.validation import validate
from brightrun.conversations.quality.model import Quality
from brightrun.scaffolding.model import Persona
from tests import builders as build
from tests.fakes import scaffolding

DATA = Path(__file__).parents[4] / "shared" / "data"
ID = "1a86807b-f74e-44bf-9782-7f1c27814fbd"
CRITERIA = {
    "empathy_score": 4.5,
    "clarity_score": 5.0,
    "appropriateness_score": 5.0,
    "brand_voice_alignment": None,
}
QUALITY = Quality(4.2, "production", ["good"], {}, CRITERIA)
SCAFFOLD = Scaffold(
    consultant=scaffolding.consultant(),
    system_prompt="You are Elena, and this prompt was really used.",
    persona=scaffolding.persona(),
    arc=scaffolding.arc(),
    topic=scaffolding.topic(),
    template=scaffolding.template(),
)
BARE = Scaffold(consultant=scaffolding.consultant(), system_prompt="Be kind.")


NURSE = SCAFFOLD.consultant.model_copy(
    update={"name": "Ana Ruiz", "business": "Ward 3", "expertise": "Nursing"}
)
OWN_TOPIC = scaffolding.topic().model_copy(update={"topic_key": "wounds", "origin": "own"})


@pytest.mark.parametrize(
    ("changes", "domain"),
    [
        ({}, "financial_planning"),
        ({"topic": OWN_TOPIC}, "financial_planning"),
        ({"topic": OWN_TOPIC, "consultant": NURSE}, "unknown"),
        ({"topic": None}, "financial_planning"),
        ({"topic": None, "arc": None}, "financial_planning"),
        ({"topic": None, "arc": None, "persona": None}, "unknown"),
    ],
)
def test_the_domain_is_that_of_the_topic_or_of_who_talks(
    changes: dict[str, Any], domain: str
) -> None:
    assert dataclasses.replace(SCAFFOLD, **changes).domain == domain


def enriched(document: dict[str, Any] | None = None, scaffold: Scaffold = SCAFFOLD) -> Any:
    return enriched_document(
        document or build.a_conversation(2),
        scaffold,
        QUALITY,
        conversation_id=ID,
        created_at="2025-11-29T10:00:00.000Z",
    )


def real(name: str) -> Any:
    return json.loads((DATA / name).read_text("utf-8"))


def test_fields_stand_in_the_originals_order() -> None:
    document = enriched({**build.a_conversation(2), "input_parameters": {"persona_key": "x"}})
    assert list(document) == [
        "dataset_metadata",
        "consultant_profile",
        "training_pairs",
        "input_parameters",
    ]
    assert list(document["training_pairs"][1]) == [
        "id",
        "conversation_id",
        "turn_number",
        "conversation_metadata",
        "system_prompt",
        "conversation_history",
        "current_user_input",
        "emotional_context",
        "target_response",
        "training_metadata",
    ]


def test_there_is_a_pair_for_every_turn_and_a_target_for_every_answer() -> None:
    pairs = enriched()["training_pairs"]
    texts = [turn["content"] for turn in build.a_conversation(2)["turns"]]
    assert [pair["target_response"] for pair in pairs] == [None, texts[1], None, texts[3]]
    assert [pair["current_user_input"] for pair in pairs] == [
        texts[0],
        texts[0],
        texts[2],
        texts[2],
    ]


def test_the_current_turn_is_not_in_the_history() -> None:
    pairs = enriched()["training_pairs"]
    assert [[one["turn"] for one in pair["conversation_history"]] for pair in pairs] == [
        [],
        [],
        [1, 2],
        [1, 2],
    ]


def test_history_and_input_alternate_however_the_turns_came() -> None:
    document = build.a_conversation(2)
    document["turns"][2]["role"] = "assistant"
    last = enriched(document)["training_pairs"][-1]
    roles = [one["role"] for one in last["conversation_history"]]
    assert (roles, last["current_user_input"]) == ([], "This is what is said in turn 1.")


def test_an_answer_without_a_question_has_an_empty_input() -> None:
    document = build.a_conversation(1)
    document["turns"].reverse()
    assert enriched(document)["training_pairs"][0]["current_user_input"] == ""


def test_ids_name_the_conversation_so_no_two_pairs_share_one() -> None:
    first = [pair["id"] for pair in enriched()["training_pairs"]]
    assert first[0] == f"educational_{ID}_turn1"
    assert len(set(first)) == len(first)
    assert enriched(scaffold=BARE)["training_pairs"][0]["id"] == f"fp_conversation_{ID}_turn1"


def test_ids_differ_even_where_turns_are_numbered_alike() -> None:
    document = build.a_conversation(2)
    for turn in document["turns"]:
        turn["turn_number"] = 1
    pairs = enriched(document)["training_pairs"]
    assert [pair["turn_number"] for pair in pairs] == [1, 2, 3, 4]


def test_the_prompt_that_was_used_is_the_one_in_the_pairs() -> None:
    prompts = {pair["system_prompt"] for pair in enriched()["training_pairs"]}
    assert prompts == {"You are Elena, and this prompt was really used."}


def test_skills_are_the_arcs_techniques_and_no_personas() -> None:
    personas = {one.persona_key for one in (scaffolding.persona(),)}
    skills = skills_of(scaffolding.arc())
    assert len(skills) == len(scaffolding.arc().response_techniques)
    assert all(skill.replace("_", "").isalnum() and skill.islower() for skill in skills)
    assert not personas & set(skills)


def test_criteria_are_what_was_checked_and_null_where_it_was_not() -> None:
    metadata = enriched()["training_pairs"][1]["training_metadata"]
    assert metadata["quality_criteria"] == CRITERIA
    assert metadata["quality_score"] == 4


def test_the_clients_background_is_one_line() -> None:
    metadata = enriched()["training_pairs"][0]["conversation_metadata"]
    persona: Persona = scaffolding.persona()
    assert metadata["client_persona"] == f"{persona.name} - {persona.archetype}"
    assert metadata["client_background"].startswith("Age 37, ")
    assert metadata["client_background"].endswith(f"; {persona.background}")


def test_what_no_record_has_is_left_out_or_general() -> None:
    document = build.a_conversation(1)
    del document["conversation_metadata"]["expected_outcome"]
    pair = enriched(document, BARE)["training_pairs"][0]
    assert pair["conversation_metadata"] == {
        "client_persona": "Somebody Else - The Invented",
        "client_background": "Client profile: Somebody Else - The Invented",
        "session_context": "After the annual statement came.",
        "conversation_phase": "initial_confusion",
        "expected_outcome": "Provide emotionally intelligent support",
    }
    assert pair["training_metadata"]["difficulty_level"] == "intermediate_conversation_turn_1"
    assert pair["training_metadata"]["emotional_progression_target"] == ""


def test_an_enriched_file_can_be_read_back() -> None:
    document = enriched()
    assert read_enriched(json.dumps(document)) == document


@pytest.mark.parametrize("part", ["dataset_metadata", "consultant_profile", "training_pairs"])
def test_an_enriched_file_without_a_part_is_refused(part: str) -> None:
    document = enriched()
    del document[part]
    with pytest.raises(ValueError, match=part):
        read_enriched(json.dumps(document))


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="v1's files are not here")

# Valences that the longer list changes, and no others.
NEWLY_TOLD = {"compassion", "acceptance", "empowerment", "clarity", "despair", "panic", "concern"}


def without_the_current_turn(pair: dict[str, Any]) -> list[Any]:
    """v1's history, without the user turn that it repeats."""
    history: list[Any] = pair["conversation_history"]
    if history and history[-1]["content"] == pair["current_user_input"]:
        return history[:-1]
    return history


def detected(pair: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dict(pair["emotional_context"]["detected_emotions"])
    if found["primary"] in NEWLY_TOLD:
        found["valence"] = valence(found["primary"])
    return found


@needs_data
@pytest.mark.parametrize("name", ["pair-a", "pair-b.cut-off"])
def test_a_real_raw_file_becomes_its_real_enriched_file(name: str) -> None:
    ours = enriched(real(f"{name}.raw.json"), BARE)["training_pairs"]
    theirs = real(f"{name}.enriched.json")["training_pairs"]
    assert len(ours) == len(theirs)
    for mine, original in zip(ours, theirs, strict=True):
        for field in ("turn_number", "current_user_input", "target_response"):
            assert mine[field] == original[field]
        assert mine["conversation_history"] == without_the_current_turn(original)
        assert detected(mine) == detected(original)


@needs_data
def test_a_real_file_with_scaffolding_has_the_same_metadata_in_ours() -> None:
    theirs = real("enriched-with-scaffolding.json")
    scaffold = dataclasses.replace(
        SCAFFOLD,
        persona=scaffolding.persona("anxious_planner"),
        arc=scaffolding.arc("fear_to_confidence"),
        topic=scaffolding.topic("eldercare_costs"),
    )
    original = theirs["training_pairs"][1]["conversation_metadata"]
    document = {
        "conversation_metadata": original,
        "turns": build.a_conversation(4)["turns"],
        "input_parameters": theirs["input_parameters"],
    }
    ours = enriched(document, scaffold)
    mine = ours["training_pairs"][1]["conversation_metadata"]
    assert list(mine) == list(original)
    theirs_by_design = {"client_background", "training_topic"}
    for field in original.keys() - theirs_by_design:
        assert mine[field] == original[field]
    assert ours["input_parameters"] == theirs["input_parameters"]
    assert list(ours) == list(theirs)
    assert list(ours["dataset_metadata"]) == list(theirs["dataset_metadata"])


@needs_data
@pytest.mark.parametrize("name", ["pair-a", "pair-b.cut-off"])
def test_real_cut_off_conversations_are_flagged_and_not_enriched(name: str) -> None:
    validation = validate((DATA / f"{name}.raw.json").read_text("utf-8"), None)
    assert validation.blockers != []
    flags = {flag.code for flag in validation.flags}
    assert "cut_text" in flags
    assert ("ends_on_user_turn" in flags) == (name == "pair-b.cut-off")
