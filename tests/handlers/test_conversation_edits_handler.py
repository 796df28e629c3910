"""Editing a turn over HTTP: both versions kept, the review open again, the enrichment redone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.aws import Aws
from tests.builders import OWNER
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds

TEXT = "Let us look at it together, one step at a time."
REASON = "The answer was cut."


@pytest.fixture
def one(seeds: Seeds) -> str:
    """A conversation without a job, so that the built-in records replace a plan."""
    return f"/api/conversations/{seeds.conversation(batch_job_id='').conversation_id}"


def edit(api: Api, one: str, *, seen: str | None = None, **changes: Any) -> Answer:
    body = {"turn_number": 2, "content": TEXT, "reason": REASON, **changes}
    return api(f"PATCH {one}", body, headers={"If-Match": seen} if seen else {})


def turns(api: Api, one: str) -> list[str]:
    shown = api(f"GET {one}", query={"includeTurns": "true"}).body["turns"]
    return [turn["content"] for turn in shown]


def test_an_edited_turn_is_what_is_read_afterwards(api: Api, one: str) -> None:
    before = turns(api, one)
    assert edit(api, one).status == 200
    assert turns(api, one) == [before[0], TEXT, *before[2:]]


def test_the_file_before_the_edit_is_kept(api: Api, aws: Aws, one: str) -> None:
    before = api(f"GET {one}").body["conversation"]
    after = edit(api, one).body["conversation"]
    (revision,) = after["revisions"]
    assert revision["file_path"] == before["file_path"] != after["file_path"]
    assert (revision["version"], revision["turn_number"]) == (1, 2)
    assert (revision["reason"], revision["edited_by"]) == (REASON, OWNER)
    assert after["file_path"].startswith(f"{OWNER}/{before['conversation_id']}/")
    kept = aws.s3.get_object(Bucket="conversation-files", Key=revision["file_path"])["Body"].read()
    assert json.loads(kept)["turns"][1]["content"] != TEXT


def test_an_edited_conversation_is_enriched_again(api: Api, aws: Aws, one: str) -> None:
    answer = edit(api, one)
    edited = answer.body["conversation"]
    assert edited["enrichment_status"] == "completed"
    assert answer.headers["ETag"] == f'"v{edited["version"]}"'
    path = edited["enriched_file_path"]
    body = aws.s3.get_object(Bucket="conversation-files", Key=path)["Body"].read().decode()
    assert TEXT in body


def test_an_approval_does_not_outlive_an_edit(api: Api, one: str) -> None:
    api(f"PATCH {one}/status", {"status": "approved", "review_notes": "Fine."})
    edited = edit(api, one).body["conversation"]
    assert edited["status"] == "pending_review"
    assert (edited["reviewed_by"], edited["review_notes"]) == (None, None)
    entries = api(f"GET {one}/audit").body["entries"]
    assert [entry["action"] for entry in entries] == ["edit", "approve"]
    assert (entries[0]["from_status"], entries[0]["to_status"]) == ("approved", "pending_review")
    assert (entries[0]["turn_number"], entries[0]["reason"]) == (2, REASON)


def test_a_rejection_outlives_an_edit(api: Api, one: str) -> None:
    api(f"PATCH {one}/status", {"status": "rejected", "review_notes": "Wrong."})
    assert edit(api, one).body["conversation"]["status"] == "rejected"


def test_an_edit_of_an_older_version_is_refused_with_the_present_state(api: Api, one: str) -> None:
    seen = api(f"GET {one}").headers["ETag"]
    before = turns(api, one)
    api(f"PATCH {one}/status", {"status": "archived"})
    refused = edit(api, one, seen=seen)
    assert (refused.status, refused.body["code"]) == (409, "version_conflict")
    assert refused.body["details"]["status"] == "archived"
    assert turns(api, one) == before


def test_an_edit_that_changes_nothing_writes_nothing(api: Api, one: str) -> None:
    same = turns(api, one)[1]
    answer = edit(api, one, content=same)
    assert answer.status == 200
    assert answer.body["conversation"]["version"] == 1
    assert api(f"GET {one}/audit").body["count"] == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"content": "   "}, "content"),
        ({"content": "He said \\"}, "content"),
        ({"content": "One\\nTwo."}, "content"),
        ({"content": "THIS is what is said in turn 4."}, "content"),
        ({"content": ""}, "content"),
        ({"turn_number": 9}, "turn_number"),
        ({"turn_number": 0}, "turn_number"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_an_edit_that_cannot_stand_is_refused_by_its_field(
    api: Api, one: str, changes: dict[str, Any], field: str
) -> None:
    refused = edit(api, one, **changes)
    assert (refused.status, refused.fields) == (400, {field})
    assert api(f"GET {one}").body["conversation"]["version"] == 1


def test_a_conversation_whose_file_is_gone_cannot_be_edited(
    api: Api, aws: Aws, seeds: Seeds
) -> None:
    stored = seeds.conversation(2)
    aws.s3.delete_object(Bucket="conversation-files", Key=stored.file_path)
    refused = edit(api, f"/api/conversations/{stored.conversation_id}")
    assert (refused.status, refused.body["code"]) == (404, "not_found")


def test_the_hundredth_edit_is_the_last(api: Api, seeds: Seeds) -> None:
    stored = seeds.conversation(3, batch_job_id="", revisions=[{"version": 1}] * 100)
    refused = edit(api, f"/api/conversations/{stored.conversation_id}")
    assert refused.status == 400
    assert "100 times" in refused.body["error"]
