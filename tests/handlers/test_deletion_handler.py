"""Deleting conversations over HTTP: once, only one's own, and only the version that was seen."""

from __future__ import annotations

from tests.builders import STRANGER
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds, numbered_id

ONE = f"/api/conversations/{numbered_id(1)}"


def test_a_conversation_is_deleted_once_and_its_trail_stays(api: Api, seeds: Seeds) -> None:
    seeds.enriched()
    assert api(f"DELETE {ONE}", query={"reason": "A client asked."}).status == 200
    assert api(f"DELETE {ONE}").status == 404
    assert api(f"GET {ONE}").status == 404
    (entry,) = api(f"GET {ONE}/audit").body["entries"]
    assert (entry["action"], entry["reason"]) == ("delete", "A client asked.")


def test_a_stale_version_is_a_conflict_with_the_present_state(api: Api, seeds: Seeds) -> None:
    seeds.conversation(version=2)
    refused = api(f"DELETE {ONE}", headers={"if-match": '"v1"'})
    assert (refused.status, refused.body["details"]["version"]) == (409, 2)
    assert api(f"DELETE {ONE}", headers={"if-match": '"v2"'}).status == 200


def test_another_owners_conversation_is_not_there(api: Api, seeds: Seeds) -> None:
    seeds.conversation(owner_id=STRANGER)
    assert api(f"DELETE {ONE}").status == 404
    assert api(f"GET {ONE}/audit").status == 404


def test_a_training_file_keeps_what_it_was_built_with(api: Api, seeds: Seeds) -> None:
    seeds.enriched()
    order = {"name": "Kept", "conversation_ids": [numbered_id(1)]}
    made = api("POST /api/training-files", order).body["trainingFile"]
    assert api(f"DELETE {ONE}").status == 200
    after = api(f"GET /api/training-files/{made['id']}").body
    assert after["trainingFile"] == made


def test_many_are_deleted_at_once(api: Api, seeds: Seeds) -> None:
    for number in (1, 2):
        seeds.conversation(number)
    body = {"action": "delete", "conversationIds": [numbered_id(n) for n in (1, 2, 3)]}
    answer = api("POST /api/conversations/bulk-action", body).body
    assert (answer["summary"]["deleted"], answer["summary"]["not_found"]) == (2, 1)
    assert api("GET /api/conversations").body["total"] == 0
    assert [api(f"GET /api/conversations/{numbered_id(n)}").status for n in (1, 2)] == [404, 404]
