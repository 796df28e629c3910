"""Deciding about one conversation over HTTP: status, ETag, If-Match, the trail."""

from __future__ import annotations

import pytest

from brightrun.conversations.model import ConversationRecord
from tests.builders import OWNER, SteppedClock
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds


@pytest.fixture
def one(seeds: Seeds) -> str:
    return path_of(seeds.conversation())


def path_of(record: ConversationRecord) -> str:
    return f"/api/conversations/{record.conversation_id}"


def patch(api: Api, one: str, status: str, *, seen: str | None = None, **more: str) -> Answer:
    headers = {"If-Match": seen} if seen else {}
    return api(f"PATCH {one}/status", {"status": status, **more}, headers=headers)


def test_a_conversation_is_approved(api: Api, one: str) -> None:
    answer = patch(api, one, "approved", review_notes="Fine.")
    assert answer.status == 200
    assert answer.headers["ETag"] == '"v2"'
    assert answer.body["status"] == "approved"
    assert (answer.body["reviewed_by"], answer.body["review_notes"]) == (OWNER, "Fine.")
    shown = api(f"GET {one}/status")
    assert shown.body == answer.body
    assert shown.headers["ETag"] == '"v2"'


def test_the_conversation_itself_shows_its_review_and_its_etag(api: Api, one: str) -> None:
    patch(api, one, "archived")
    shown = api(f"GET {one}")
    assert shown.headers["ETag"] == '"v2"'
    assert shown.body["conversation"]["status"] == "archived"
    assert shown.body["conversation"]["reviewed_by"] == OWNER


def test_the_etag_that_was_seen_lets_a_write_through_once(api: Api, one: str) -> None:
    seen = api(f"GET {one}/status").headers["ETag"]
    assert patch(api, one, "approved", seen=seen).status == 200
    late = patch(api, one, "rejected", seen=seen, review_notes="No.")
    assert (late.status, late.body["code"]) == (409, "version_conflict")
    assert late.body["details"]["status"] == "approved"
    assert late.body["details"]["version"] == 2
    assert api(f"GET {one}/status").body["status"] == "approved"


@pytest.mark.parametrize("notes", [{}, {"review_notes": "   "}])
def test_a_rejection_without_a_reason_is_refused(api: Api, one: str, notes: dict[str, str]) -> None:
    assert patch(api, one, "rejected", **notes).status == 400
    assert api(f"GET {one}/status").body["status"] == "pending_review"


def test_deciding_the_same_again_writes_nothing(api: Api, one: str) -> None:
    first = patch(api, one, "approved")
    again = patch(api, one, "approved")
    assert again.body == first.body
    assert api(f"GET {one}/audit").body["count"] == 1


def test_the_trail_says_who_when_and_why(api: Api, one: str, clock: SteppedClock) -> None:
    patch(api, one, "approved")
    clock.advance(60)
    patch(api, one, "rejected", review_notes="The second answer is wrong.")
    trail = api(f"GET {one}/audit").body
    assert [entry["action"] for entry in trail["entries"]] == ["reject", "approve"]
    rejected = trail["entries"][0]
    assert rejected["by"] == OWNER
    assert rejected["at"] == "2026-11-21T12:01:00.000Z"
    assert rejected["reason"] == "The second answer is wrong."
    assert (rejected["from_status"], rejected["to_status"]) == ("approved", "rejected")
    assert rejected["version"] == 3


def test_the_trail_comes_in_pages(api: Api, one: str) -> None:
    for status in ("approved", "archived", "pending_review"):
        patch(api, one, status)
    first = api(f"GET {one}/audit", query={"limit": "2"}).body
    rest = api(f"GET {one}/audit", query={"limit": "2", "cursor": first["next_cursor"]}).body
    assert (first["count"], rest["count"], rest["next_cursor"]) == (2, 1, None)
