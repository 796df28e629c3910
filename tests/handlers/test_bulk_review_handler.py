"""One decision about many conversations over HTTP, by ids and by filter."""

from __future__ import annotations

from typing import Any

import pytest

from brightrun.conversations.review import service
from tests.builders import STRANGER
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds

ROUTE = "POST /api/conversations/bulk-action"


def decide(api: Api, action: str = "approve", **more: Any) -> Answer:
    return api(ROUTE, {"action": action, **more})


def statuses(api: Api) -> dict[str, int]:
    counted: dict[str, int] = api("GET /api/conversations/stats").body["by_status"]
    return counted


def test_each_id_gets_its_own_result(api: Api, seeds: Seeds) -> None:
    pending, approved = seeds.conversation(1), seeds.conversation(2, status="approved")
    theirs = seeds.conversation(3, owner_id=STRANGER)
    ids = [pending.conversation_id, approved.conversation_id, theirs.conversation_id, "none"]
    answer = decide(api, conversationIds=[*ids, ids[0]])
    assert answer.status == 200
    outcomes = [(one["conversationId"], one["outcome"]) for one in answer.body["results"]]
    expected = ["updated", "unchanged", "not_found", "not_found"]
    assert outcomes == list(zip(ids, expected, strict=True))
    assert answer.body["results"][0]["version"] == 2
    assert answer.body["success"] is False
    assert answer.body["remaining"] is None
    assert answer.body["summary"] == {
        "total": 4,
        "updated": 1,
        "deleted": 0,
        "unchanged": 1,
        "not_found": 2,
        "conflict": 0,
    }


def test_every_conversation_gets_its_entry(api: Api, seeds: Seeds) -> None:
    ids = [seeds.conversation(number).conversation_id for number in range(1, 4)]
    decide(api, "reject", conversationIds=ids, reason="Off topic.")
    for one in ids:
        (entry,) = api(f"GET /api/conversations/{one}/audit").body["entries"]
        assert (entry["action"], entry["reason"]) == ("reject", "Off topic.")


def test_a_filter_finds_what_is_to_be_changed(api: Api, seeds: Seeds) -> None:
    for number in range(1, 5):
        seeds.conversation(number, quality_score=float(number))
    answer = decide(api, filter={"quality_min": 3, "status": "pending_review"})
    assert (answer.body["success"], answer.body["summary"]["updated"]) == (True, 2)
    assert answer.body["remaining"] == 0
    assert statuses(api) == {"approved": 2, "pending_review": 2}


def test_a_filter_that_finds_many_is_done_in_steps(
    api: Api, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_AT_ONCE", 2)
    for number in range(1, 6):
        seeds.conversation(number)
    remaining = [
        decide(api, "archive", filter={"tier": "template"}).body["remaining"] for _ in range(4)
    ]
    assert remaining == [3, 1, 0, 0]
    assert statuses(api) == {"archived": 5}


def test_what_is_there_already_is_left_alone_by_a_filter(api: Api, seeds: Seeds) -> None:
    seeds.conversation(1, status="approved")
    assert decide(api, filter={"tier": "template"}).body["summary"]["total"] == 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "conversationIds or filter"),
        ({"conversationIds": ["a"], "filter": {"tier": "template"}}, "conversationIds or filter"),
        ({"filter": {}}, "at least one field"),
        ({"conversationIds": []}, "at least 1"),
        ({"conversationIds": ["a"] * 101}, "at most 100"),
        ({"filter": {"colour": "red"}}, "colour"),
        ({"action": "destroy", "conversationIds": ["a"]}, "action"),
    ],
)
def test_a_request_that_says_too_little_or_too_much_is_refused(
    api: Api, more: dict[str, Any], message: str
) -> None:
    refused = api(ROUTE, {"action": "approve", **more})
    assert refused.status == 400
    assert message in refused.text


def test_many_are_not_rejected_without_a_reason(api: Api, seeds: Seeds) -> None:
    one = seeds.conversation().conversation_id
    assert decide(api, "reject", conversationIds=[one]).status == 400
    assert statuses(api) == {"pending_review": 1}


def undo(api: Api, bulk_action_id: str, **query: str) -> Answer:
    return api(f"{ROUTE}/{bulk_action_id}/undo", query=query)


def state(api: Api, conversation_id: str) -> dict[str, Any]:
    body: dict[str, Any] = api(f"GET /api/conversations/{conversation_id}/status").body
    return body


REVIEW = ("status", "review_notes", "reviewed_by", "reviewed_at")


def test_a_dry_run_tells_what_would_happen_and_does_nothing(api: Api, seeds: Seeds) -> None:
    seeds.conversation(1), seeds.conversation(2, status="approved")
    ids = [seeds.conversation(number).conversation_id for number in (3, 4)]
    asked = decide(api, conversationIds=[*ids, "none"], dryRun=True).body
    assert asked["summary"] | {"total": 3, "updated": 2, "not_found": 1} == asked["summary"]
    assert asked["results"][0]["status"] == "pending_review"
    assert asked["bulk_action_id"] is None
    by_filter = decide(api, "delete", filter={"tier": "template"}, dryRun=True).body
    assert by_filter["summary"]["deleted"] == 4
    assert statuses(api) == {"pending_review": 3, "approved": 1}
    assert api(f"GET /api/conversations/{ids[0]}/audit").body["count"] == 0


def test_a_bulk_action_is_undone_as_one_with_all_that_it_changed(
    api: Api, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_AT_ONCE", 2)
    ids = [seeds.conversation(number).conversation_id for number in range(1, 6)]
    decide(api, "reject", conversationIds=ids[:2], reason="Off topic.")
    before = [state(api, one) for one in ids]
    first = decide(api, filter={"tier": "template"}).body
    name = first["bulk_action_id"]
    for _ in range(2):
        more = decide(api, filter={"tier": "template"}, bulkActionId=name).body
        assert more["bulk_action_id"] == name
    assert statuses(api) == {"approved": 5}

    pages = [undo(api, name).body]
    while pages[-1]["next_cursor"]:
        pages.append(undo(api, name, cursor=pages[-1]["next_cursor"]).body)
    assert [page["summary"]["updated"] for page in pages] == [2, 2, 1]
    for one, known in zip(ids, before, strict=True):
        now = state(api, one)
        assert [now[field] for field in REVIEW] == [known[field] for field in REVIEW]
        newest = api(f"GET /api/conversations/{one}/audit").body["entries"][0]
        assert (newest["action"], newest["bulk_action_id"]) == ("undo", name)


def test_what_changed_since_is_not_undone_but_reported(api: Api, seeds: Seeds) -> None:
    ids = [seeds.conversation(number).conversation_id for number in range(1, 4)]
    name = decide(api, conversationIds=ids).body["bulk_action_id"]
    decide(api, "archive", conversationIds=ids[:1])
    api(f"DELETE /api/conversations/{ids[1]}")
    undone = undo(api, name).body
    outcomes = {one["conversationId"]: one["outcome"] for one in undone["results"]}
    assert outcomes == {ids[0]: "conflict", ids[1]: "not_found", ids[2]: "updated"}
    assert undone["success"] is False
    assert state(api, ids[0])["status"] == "archived"


def test_an_undo_that_is_repeated_changes_nothing_more(api: Api, seeds: Seeds) -> None:
    one = seeds.conversation().conversation_id
    name = decide(api, conversationIds=[one]).body["bulk_action_id"]
    undo(api, name)
    version = state(api, one)["version"]
    again = undo(api, name).body
    assert (again["success"], again["results"][0]["outcome"]) == (True, "unchanged")
    assert state(api, one)["version"] == version


def test_only_what_can_be_undone_has_an_id_and_only_for_its_owner(api: Api, seeds: Seeds) -> None:
    one = seeds.conversation().conversation_id
    name = decide(api, conversationIds=[one]).body["bulk_action_id"]
    assert decide(api, conversationIds=[one]).body["bulk_action_id"] is None  # nothing to undo
    assert api(f"{ROUTE}/{name}/undo", owner=STRANGER).status == 404
    assert undo(api, "no-such-action").status == 404
    assert decide(api, "delete", conversationIds=[one]).body["bulk_action_id"] is None
