"""The route that imports files of v1."""

from __future__ import annotations

import json

import pytest

from tests.aws import Aws
from tests.builders import STRANGER, a_conversation
from tests.fakes import scaffolding as build
from tests.fakes.training_files import an_enriched_text
from tests.handlers.gateway import Api

IMPORT = "POST /api/conversations"
ID = "aaaaaaaa-0000-4000-8000-000000000001"


def test_a_file_comes_in_and_can_be_trained_on(api: Api, aws: Aws) -> None:
    answer = api(IMPORT, {"document": json.loads(an_enriched_text(ID))})
    assert answer.status == 201
    assert (answer.body["imported"], answer.body["refused"]) == (1, 0)
    (result,) = answer.body["results"]
    assert (result["place"], result["error"]) == ("the document", None)
    assert result["warnings"]
    shown = api(f"GET /api/conversations/{ID}").body["conversation"]
    assert shown.pop("scaffolding_snapshot")["imported_from"] == "enriched"
    assert shown == result["conversation"]
    assert (shown["origin"], shown["enrichment_status"]) == ("imported", "completed")
    file = api("POST /api/training-files", {"name": "Imported", "conversation_ids": [ID]})
    assert file.body["trainingFile"]["trainable_pairs"] == 2


def test_a_file_comes_in_for_its_owner_only(api: Api, aws: Aws) -> None:
    document = json.loads(an_enriched_text(ID))
    api(IMPORT, {"document": document})
    assert api(f"GET /api/conversations/{ID}", owner=STRANGER).status == 404
    assert api(IMPORT, {"document": document}, owner=STRANGER).status == 201


def test_an_imported_conversation_is_found_by_the_persona_arc_and_topic_that_its_keys_name(
    api: Api, aws: Aws
) -> None:
    kept = {"id", "version", "origin", "created_at", "updated_at"}
    content = build.persona().model_dump(mode="json", exclude=kept)
    added = api("POST /api/scaffolding/personas", {**content, "persona_key": "new_saver"})
    own = added.body["persona"]
    keys = {
        "persona_key": "new_saver",
        "emotional_arc_key": "confusion_to_clarity",
        "training_topic_key": "roth_ira_conversion",
    }
    document = json.loads(an_enriched_text(ID))
    document["input_parameters"] = {**keys, "persona_id": "an id of v1"}
    imported = api(IMPORT, {"document": document}).body["results"][0]["conversation"]
    assert imported["persona_id"] == own["id"]
    for name in ("persona_id", "emotional_arc_id", "training_topic_id"):
        found = api("GET /api/conversations", query={name: imported[name]}).body
        assert [one["id"] for one in found["conversations"]] == [ID], name


def test_a_key_that_nobody_knows_stays_as_it_is(api: Api, aws: Aws) -> None:
    document = json.loads(an_enriched_text(ID))
    document["input_parameters"] = {"persona_key": "of_v1", "persona_id": "an id of v1"}
    imported = api(IMPORT, {"document": document}).body["results"][0]["conversation"]
    assert (imported["persona_key"], imported["persona_id"]) == ("of_v1", "an id of v1")


def test_what_is_no_file_of_ours_is_refused(api: Api) -> None:
    assert api(IMPORT, {"document": {"colour": "red"}}).status == 400
    assert api(IMPORT, {"document": []}).fields == {"document"}
    assert api(IMPORT, a_conversation()).status == 400


def test_a_second_import_is_refused_with_the_place_and_the_reason(api: Api, aws: Aws) -> None:
    document = a_conversation(marker="second")
    api(IMPORT, {"document": document})
    refused = api(IMPORT, {"document": document})
    assert (refused.status, refused.fields) == (400, {"the document"})
    (detail,) = refused.body["details"]
    assert detail["code"] == "already_imported"
    assert "already" in detail["message"]


@pytest.mark.parametrize(
    ("persona", "name"),
    [
        ("Ana\x00\u202e\n Lima", "Ana Lima"),
        ("\u200b\u2060", "Imported"),
        ("", "Imported"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_the_name_of_an_imported_conversation_can_be_read(
    api: Api, aws: Aws, persona: str, name: str
) -> None:
    document = a_conversation()
    document["conversation_metadata"]["client_persona"] = persona
    (result,) = api(IMPORT, {"document": document}).body["results"]
    assert result["conversation"]["conversation_name"] == name


def test_a_conversation_too_long_to_be_enriched_is_kept_with_the_reason(api: Api, aws: Aws) -> None:
    document = a_conversation()
    turns = document["turns"]
    document["turns"] = [
        {**turns[number % 2], "turn_number": number + 1, "content": f"Point \x00 number {number}."}
        for number in range(8000)
    ]
    (result,) = api(IMPORT, {"document": document}).body["results"]
    kept = result["conversation"]
    assert (kept["turn_count"], kept["enrichment_status"]) == (8000, "validation_failed")
    assert "the file would have 7,0" in " ".join(result["warnings"])


def test_words_of_any_length_leave_room_in_the_row(api: Api, aws: Aws) -> None:
    document = a_conversation()
    document["input_parameters"] = {"emotional_arc_key": "confusion_to_clarity"}
    for turn in document["turns"]:
        turn["emotional_context"]["primary_emotion"] = "joy" * 100_000
    answer = api(IMPORT, {"document": document})
    assert answer.status == 201
    assert "an emotion with 300,000 characters" in answer.text
    assert len(answer.text) < 50_000
