"""Enrichment over HTTP: one, many, how far it came, the report, the file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brightrun.conversations.model import ConversationRecord
from tests import builders as build
from tests.aws import Aws
from tests.builders import OWNER, STRANGER
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds

CUT = build.a_conversation(2, turns=[build.a_turn(1), build.a_turn(2, "Because \\")])
ONE = "/api/conversations/{id}"


@pytest.fixture
def stored(seeds: Seeds) -> ConversationRecord:
    return imported(seeds)


def imported(seeds: Seeds, number: int = 1, **changes: Any) -> ConversationRecord:
    """A conversation without a job, so that the built-in records replace a plan."""
    return seeds.conversation(number, batch_job_id="", **changes)


def spoil(aws: Aws, record: ConversationRecord) -> None:
    body = json.dumps(CUT).encode()
    aws.s3.put_object(Bucket="conversation-files", Key=record.file_path, Body=body)


def at(record: ConversationRecord, rest: str = "", method: str = "GET") -> str:
    return f"{method} {ONE.format(id=record.conversation_id)}{rest}"


def test_a_conversation_is_enriched_on_request(api: Api, stored: ConversationRecord) -> None:
    answer = api(at(stored, "/enrich", "POST"))
    assert answer.status == 200
    assert answer.body["success"] is True
    assert answer.body["final_status"] == "completed"
    assert answer.body["stages_completed"] == ["validation", "enrichment", "normalization"]
    assert answer.body["enriched_path"].startswith(f"{OWNER}/{stored.conversation_id}/")
    assert answer.body["validation_report"]["isValid"] is True


def test_the_enriched_file_is_the_training_pairs(
    api: Api, aws: Aws, stored: ConversationRecord
) -> None:
    path = api(at(stored, "/enrich", "POST")).body["enriched_path"]
    body = aws.s3.get_object(Bucket="conversation-files", Key=path)["Body"].read()
    assert len(json.loads(body)["training_pairs"]) == 8


def test_a_failed_validation_answers_400_with_the_report(
    api: Api, aws: Aws, stored: ConversationRecord
) -> None:
    spoil(aws, stored)
    answer = api(at(stored, "/enrich", "POST"))
    assert (answer.status, answer.body["code"]) == (400, "enrichment_failed")
    details = answer.body["details"]
    assert details["final_status"] == "validation_failed"
    assert details["validation_report"]["blockers"][0]["code"] == "CUT_TEXT"


def test_the_state_says_what_can_be_done(api: Api, aws: Aws, stored: ConversationRecord) -> None:
    before = api(at(stored, "/enrich")).body
    assert (before["enrichment_status"], before["can_enrich"]) == ("not_started", True)
    assert before["stages"]["store"]["status"] == "pending"
    spoil(aws, stored)
    api(at(stored, "/enrich", "POST"))
    after = api(at(stored, "/enrich")).body
    assert (after["needs_retry"], after["has_raw_response"]) == (True, True)
    assert after["stages"]["validate"]["status"] == "failed"


def test_the_report_shows_the_originals_four_stages(api: Api, stored: ConversationRecord) -> None:
    assert api(at(stored, "/validation-report")).body["validation_report"] is None
    api(at(stored, "/enrich", "POST"))
    body = api(at(stored, "/validation-report")).body
    assert {name: stage["name"] for name, stage in body["pipeline_stages"].items()} == {
        "stage_1_generation": "Claude Generation",
        "stage_2_validation": "Structural Validation",
        "stage_3_enrichment": "Data Enrichment",
        "stage_4_normalization": "JSON Normalization",
    }
    assert {stage["status"] for stage in body["pipeline_stages"].values()} == {"completed"}
    assert body["validation_report"]["conversationId"] == stored.conversation_id
    assert body["timeline"]["enriched_at"] is not None


def test_there_is_no_download_until_it_is_enriched(api: Api, stored: ConversationRecord) -> None:
    refused = api(at(stored, "/download/enriched"))
    assert (refused.status, refused.body["code"]) == (400, "not_enriched")
    api(at(stored, "/enrich", "POST"))
    link = api(at(stored, "/download/enriched")).body
    assert link["filename"] == f"{stored.conversation_id}.enriched.json"
    assert "enriched.json" in link["download_url"]
    assert link["expires_in_seconds"] == 3600


@pytest.mark.parametrize("sequential", [False, True])
def test_many_are_enriched_with_a_result_for_each(
    api: Api, aws: Aws, seeds: Seeds, sequential: bool
) -> None:
    good, done, cut = (imported(seeds, number) for number in (1, 2, 3))
    spoil(aws, cut)
    api(at(done, "/enrich", "POST"))
    ids = [one.conversation_id for one in (good, done, cut)]
    answer = api(
        "POST /api/conversations/bulk-enrich",
        {"conversationIds": [*ids, "unknown"], "sequential": sequential},
    )
    assert answer.status == 200
    assert answer.body["success"] is False
    assert answer.body["summary"] == {"total": 4, "successful": 1, "failed": 2, "skipped": 1}
    assert [(one["conversationId"], one["status"]) for one in answer.body["results"]] == [
        (ids[0], "enriched"),
        (ids[1], "skipped"),
        (ids[2], "failed"),
        ("unknown", "failed"),
    ]


@pytest.mark.parametrize("ids", [[], [f"id-{number}" for number in range(101)], "all", None])
def test_a_bulk_request_names_one_to_a_hundred(api: Api, ids: object) -> None:
    answer = api("POST /api/conversations/bulk-enrich", {"conversationIds": ids})
    assert answer.status == 400
    assert "conversationIds" in answer.fields


@pytest.mark.parametrize(
    "route", ["GET /enrich", "POST /enrich", "GET /validation-report", "GET /download/enriched"]
)
def test_another_owners_conversation_looks_like_none(
    api: Api, stored: ConversationRecord, route: str
) -> None:
    method, _, rest = route.partition(" ")
    theirs = api(at(stored, rest, method), owner=STRANGER)
    missing = api(f"{method} /api/conversations/nobody{rest}", owner=STRANGER)
    assert theirs.status == missing.status == 404
    assert theirs.text == missing.text.replace("nobody", stored.conversation_id)


def test_a_conversation_shows_its_flags_with_their_turns(api: Api) -> None:
    document = build.a_conversation(2)
    document["turns"][1]["content"] = "Put all your savings into this one stock."
    stored = api("POST /api/conversations", {"document": document}).body["results"][0]
    conversation_id = stored["conversation"]["conversation_id"]
    shown = api(f"GET /api/conversations/{conversation_id}").body["conversation"]
    assert shown["flags"] == ["financial_directive"]
    (flag,) = shown["flag_details"]
    assert (flag["code"], flag["severity"], flag["turn_number"]) == (
        "financial_directive",
        "severe",
        2,
    )
    assert shown["quality_score"] <= 2.4
    assert shown["quality_reasons"][-1] == "limit 2.4: financial_directive in turn 2."
    assert shown["quality_criteria"]["appropriateness_score"] == 1.0


def test_a_conversation_shows_its_quality(api: Api, stored: ConversationRecord) -> None:
    api(at(stored, "/enrich", "POST"))
    shown = api(at(stored)).body["conversation"]
    assert 1 <= shown["quality_score"] <= 5
    assert shown["quality_tier"] in {"seed_dataset", "production", "experimental", "rejected"}
    assert shown["quality_reasons"] != []
    assert shown["enrichment_status"] == "completed"
