"""The routes that show conversations and give links to their files."""

from __future__ import annotations

import json
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest

from brightrun.conversations.model import ReviewStatus
from tests import builders as build
from tests.aws import Aws
from tests.builders import STRANGER
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds

LIST = "GET /api/conversations"
STARTED = "2026-11-21T12:00:00.000Z"


def test_a_conversation_is_shown_as_it_is_stored(api: Api, seeds: Seeds) -> None:
    stored = seeds.conversation()
    shown = api(f"{LIST}/{stored.conversation_id}").body
    assert (shown["success"], shown["turns"]) == (True, None)
    conversation = shown["conversation"]
    same = {
        "conversation_name",
        "batch_job_id",
        "persona_id",
        "persona_key",
        "emotional_arc_id",
        "emotional_arc_key",
        "training_topic_id",
        "training_topic_key",
        "template_id",
        "tier",
        "turn_count",
        "starting_emotion",
        "ending_emotion",
        "file_path",
        "file_size",
        "raw_response_path",
        "raw_response_size",
        "model",
        "input_tokens",
        "output_tokens",
        "simulated",
        "created_at",
        "updated_at",
    }
    assert {name: conversation[name] for name in same} == {
        name: getattr(stored, name) for name in same
    }
    assert conversation["id"] == conversation["conversation_id"] == stored.conversation_id
    assert conversation["cost_usd"] == 0.0285
    assert (conversation["status"], conversation["processing_status"]) == (
        "pending_review",
        "completed",
    )
    assert "owner_id" not in conversation


def test_a_conversation_is_shown_with_the_scaffolding_of_its_plan(api: Api, seeds: Seeds) -> None:
    stored = seeds.enrichable()
    shown = api(f"{LIST}/{stored.conversation_id}").body["conversation"]["scaffolding_snapshot"]
    assert shown["persona"]["id"] == stored.persona_id
    assert shown["template"]["id"] == stored.template_id
    assert shown["generation_timestamp"] == stored.created_at
    assert shown["system_prompt"].startswith("You are Elena Morales")


def test_a_conversation_whose_plan_is_gone_is_shown_without_it(api: Api, seeds: Seeds) -> None:
    shown = api(f"{LIST}/{seeds.conversation().conversation_id}").body["conversation"]
    assert shown["scaffolding_snapshot"] == {}


def test_a_listed_row_stays_small_however_much_was_noted_on_it(api: Api, seeds: Seeds) -> None:
    seeds.conversation(
        conversation_name="N" * 255,
        persona_key="k" * 100,
        emotional_arc_key="k" * 100,
        training_topic_key="k" * 100,
        starting_emotion="e" * 100,
        ending_emotion="e" * 100,
        quality_reasons=["A long reason. " * 20] * 6,
        flags=["guarantee", "medical_directive"],
        flag_details=[
            {
                "code": "medical_directive",
                "severity": "severe",
                "turn_number": 2,
                "message": "M" * 200,
            }
        ]
        * 50,
        revisions=[{"reason": "R" * 1000, "file_path": "p"}] * 50,
        review_notes="N" * 2000,
        enrichment_error="E" * 2000,
    )
    (row,) = api(LIST).body["conversations"]
    assert len(json.dumps(row).encode()) <= 2048
    assert (row["flags"], row["severe_flags"]) == (
        ["guarantee", "medical_directive"],
        ["medical_directive"],
    )


def test_turns_come_when_they_are_asked_for(api: Api, seeds: Seeds) -> None:
    route = f"{LIST}/{seeds.conversation().conversation_id}"
    turns = api(route, query={"includeTurns": "true"}).body["turns"]
    assert turns == build.a_conversation()["turns"]
    assert api(route, query={"includeTurns": "false"}).body["turns"] is None


@pytest.mark.parametrize("value", ["maybe", "", "2", "null", "true,false"])
def test_an_answer_that_is_neither_yes_nor_no_is_refused(
    api: Api, seeds: Seeds, value: str
) -> None:
    route = f"{LIST}/{seeds.conversation().conversation_id}"
    refused = api(route, query={"includeTurns": value})
    assert (refused.status, refused.fields) == (400, {"includeTurns"})


def test_a_conversation_whose_file_is_gone_has_no_turns_to_show(
    api: Api, aws: Aws, seeds: Seeds
) -> None:
    stored = seeds.conversation()
    aws.s3.delete_object(Bucket="conversation-files", Key=stored.file_path)
    route = f"{LIST}/{stored.conversation_id}"
    missing = api(route, query={"includeTurns": "true"})
    assert (missing.status, missing.body["code"]) == (404, "not_found")
    assert "conversation file" in missing.body["error"]
    assert api(route).status == 200


def test_conversations_are_listed_newest_first_and_in_pages(api: Api, seeds: Seeds) -> None:
    for number in range(1, 6):
        seeds.conversation(number, created_at=f"2026-11-21T12:00:0{number}.000Z")
    first = api(LIST, query={"limit": "3"}).body
    rest = api(LIST, query={"limit": "3", "cursor": first["next_cursor"]}).body
    assert (first["count"], rest["count"], rest["next_cursor"]) == (3, 2, None)
    listed = [one["created_at"][-6:-1] for one in first["conversations"] + rest["conversations"]]
    assert listed == ["5.000", "4.000", "3.000", "2.000", "1.000"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "approved"),
        ("tier", "edge_case"),
        ("persona_id", "persona-9"),
        ("emotional_arc_id", "arc-9"),
        ("training_topic_id", "topic-9"),
        ("batch_job_id", "job-9"),
    ],
)
def test_conversations_are_filtered(api: Api, seeds: Seeds, name: str, value: str) -> None:
    seeds.conversation(1)
    changes: dict[str, Any] = {name: value}
    wanted = seeds.conversation(2, **changes)
    found = api(LIST, query={name: value}).body
    assert [one["id"] for one in found["conversations"]] == [wanted.conversation_id]
    assert api(LIST).body["count"] == 2


def test_a_status_outside_the_list_is_answered_with_the_list(api: Api) -> None:
    refused = api(LIST, query={"status": "published"})
    assert (refused.status, refused.fields) == (400, {"status"})
    assert all(f"'{status}'" in refused.body["error"] for status in get_args(ReviewStatus))
    assert api(LIST, query={"tier": "gold"}).fields == {"tier"}


@pytest.mark.parametrize(
    ("suffix", "key", "filename", "size"),
    [
        ("download", "{owner}/{id}/conversation.json", "{id}.json", 5000),
        ("download/raw", "raw/{owner}/{id}.json", "{id}.raw.json", 4500),
    ],
)
def test_a_link_to_a_file_works_for_an_hour(
    api: Api, seeds: Seeds, suffix: str, key: str, filename: str, size: int
) -> None:
    stored = seeds.conversation()
    link = api(f"{LIST}/{stored.conversation_id}/{suffix}").body
    names = {"owner": stored.owner_id, "id": stored.conversation_id}
    assert link == {
        "success": True,
        "conversation_id": stored.conversation_id,
        "download_url": link["download_url"],
        "filename": filename.format(**names),
        "file_size": size,
        "expires_at": "2026-11-21T13:00:00.000Z",
        "expires_in_seconds": 3600,
    }
    url = urlsplit(link["download_url"])
    assert url.path == "/" + key.format(**names)
    assert parse_qs(url.query)["X-Amz-Expires"] == ["3600"]


def test_an_owner_sees_only_their_own_conversations(api: Api, seeds: Seeds) -> None:
    seeds.conversation(1)
    theirs = seeds.conversation(2, owner_id=STRANGER)
    listed = api(LIST, owner=STRANGER).body["conversations"]
    assert [one["id"] for one in listed] == [theirs.conversation_id]


def test_another_owners_cursor_opens_nothing(api: Api, seeds: Seeds) -> None:
    for number in (1, 2):
        seeds.conversation(number)
    mine = api(LIST, query={"limit": "1"}).body["next_cursor"]
    refused = api(LIST, owner=STRANGER, query={"cursor": mine})
    assert (refused.status, refused.body["code"]) == (400, "invalid_cursor")
