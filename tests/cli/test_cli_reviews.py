"""conversations approve, reject, archive, reopen, edit, audit, stats, enrich, report."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import CONVERSATION, CONVERSATIONS
from tests.cli.fake_system import FakeSystem, Json, Recorded, problem

pytestmark = pytest.mark.usefixtures("signed_in")

BULK = "/api/conversations/bulk-action"
ONE = f"/api/conversations/{CONVERSATION}"
ENTRY = {
    "at": "2026-08-05T10:00:00Z",
    "by": "owner-1",
    "action": "reject",
    "from_status": "approved",
    "to_status": "rejected",
    "version": 3,
    "reason": "Off topic.",
}


def result(outcome: str, conversation_id: str = CONVERSATION) -> Json:
    return {
        "conversationId": conversation_id,
        "outcome": outcome,
        "status": "approved",
        "version": 2,
    }


def serve_bulk(system: FakeSystem, *steps: tuple[list[Json], int | None]) -> None:
    """Answer each request with the next step's results, and how many remain."""
    left = list(steps)

    def answer(_: Recorded, __: re.Match[str]) -> Json:
        results, remaining = left.pop(0)
        updated = sum(one["outcome"] == "updated" for one in results)
        summary = {"total": len(results), "updated": updated}
        return {"success": True, "summary": summary, "results": results, "remaining": remaining}

    system.route("POST", BULK, answer)


def serve(system: FakeSystem, method: str, path: str, document: Json) -> None:
    system.route(method, path, lambda _, __: document)


def bodies(system: FakeSystem) -> list[Any]:
    return [sent.body for sent in system.sent("POST", BULK)]


@pytest.mark.parametrize("action", ["approve", "archive", "reopen"])
def test_a_decision_names_its_conversations(
    brightrun: BrightRun, system: FakeSystem, action: str
) -> None:
    serve_bulk(system, ([result("updated")], None))
    ended = brightrun("conversations", action, CONVERSATION, "--reason", "Fine.", "--yes")
    assert ended.exit_code == 0
    assert "1 conversation(s)." in ended.stdout
    assert bodies(system) == [
        {"action": action, "conversationIds": [CONVERSATION], "reason": "Fine."}
    ]


def test_a_decision_can_be_about_what_filters_find_step_by_step(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_bulk(system, ([result("updated")], 1), ([result("updated")], 0))
    found = ("--quality-min", "3.5", "--persona", "anxious_planner", "--status", "pending_review")
    ended = brightrun("conversations", "approve", *found, "--json")
    assert json.loads(ended.stdout)["summary"]["updated"] == 2
    wanted = {"status": "pending_review", "persona_id": "p-1", "quality_min": 3.5}
    assert bodies(system) == [{"action": "approve", "filter": wanted}] * 2


def test_a_filter_that_gets_no_further_says_how_many_are_left(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_bulk(system, ([result("conflict")], 7))
    ended = brightrun("conversations", "archive", "--tier", "template", "--yes")
    assert ended.exit_code == 1
    assert "7 more match" in ended.stdout


def test_more_than_a_hundred_ids_are_sent_in_parts(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    ids = [f"c-{number}" for number in range(101)]
    serve_bulk(system, ([result("updated")], None), ([result("not_found", "c-100")], None))
    ended = brightrun("conversations", "approve", *ids, "--yes")
    assert ended.exit_code == 1
    assert "c-100" in ended.stdout
    assert [len(body["conversationIds"]) for body in bodies(system)] == [100, 1]


@pytest.mark.parametrize(
    "arguments",
    [("approve",), ("approve", "c-1", "--tier", "template"), ("reject", "c-1")],
)
def test_a_decision_that_says_too_little_or_too_much_is_not_sent(
    brightrun: BrightRun, system: FakeSystem, arguments: tuple[str, ...]
) -> None:
    assert brightrun("conversations", *arguments).exit_code == 2
    assert bodies(system) == []


EDIT = ("conversations", "edit", CONVERSATION, "--turn", "2", "--reason", "It was cut.")


def serve_edit(system: FakeSystem) -> None:
    edited = {**CONVERSATIONS[0], "version": 3, "enrichment_status": "completed"}
    serve(system, "PATCH", ONE, {"success": True, "conversation": edited})


def test_a_turn_is_edited_at_the_version_that_was_seen(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_edit(system)
    ended = brightrun(*EDIT, "--text", "All of it.", "--version", "2")
    assert "Version 3: pending_review, enrichment completed" in ended.stdout
    (sent,) = system.sent("PATCH", ONE)
    assert sent.headers["if-match"] == '"v2"'
    assert sent.body == {"turn_number": 2, "content": "All of it.", "reason": "It was cut."}


def test_a_turns_text_can_come_from_a_file(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    serve_edit(system)
    (tmp_path / "turn.txt").write_text("One.\n\nTwo – done.\n", encoding="utf-8")
    assert brightrun(*EDIT, "--file", str(tmp_path / "turn.txt")).exit_code == 0
    (sent,) = system.sent("PATCH", ONE)
    assert sent.body["content"] == "One.\n\nTwo – done."
    assert "if-match" not in sent.headers


@pytest.mark.parametrize("source", [(), ("--text", "a", "--file", "b"), ("--file", "missing")])
def test_an_edit_without_one_readable_text_is_not_sent(
    brightrun: BrightRun, system: FakeSystem, source: tuple[str, ...]
) -> None:
    assert brightrun(*EDIT, *source).exit_code == 2
    assert system.sent("PATCH", ONE) == []


def test_an_edit_of_an_older_version_shows_the_present_state(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_edit(system)
    refusal = problem(409, "It was changed meanwhile.", "version_conflict", {"version": 5})
    system.fail_next("PATCH", ONE, refusal)
    ended = brightrun(*EDIT, "--text", "All of it.", "--version", "2")
    assert ended.exit_code == 5
    assert "version" in ended.stderr
    assert "5" in ended.stderr


def test_the_trail_is_listed(brightrun: BrightRun, system: FakeSystem) -> None:
    page = {"success": True, "entries": [ENTRY], "count": 1, "next_cursor": None}
    serve(system, "GET", f"{ONE}/audit", page)
    assert "Off topic." in brightrun("conversations", "audit", CONVERSATION).stdout
    document = json.loads(brightrun("conversations", "audit", CONVERSATION, "--json").stdout)
    assert document["entries"] == [ENTRY]


def test_statistics_are_shown(brightrun: BrightRun, system: FakeSystem) -> None:
    stats = {"success": True, "total": 3, "by_status": {"approved": 2, "archived": 1}}
    serve(system, "GET", "/api/conversations/stats", stats)
    assert "approved 2, archived 1" in brightrun("conversations", "stats").stdout
    assert json.loads(brightrun("conversations", "stats", "--json").stdout) == stats


def test_conversations_are_enriched(brightrun: BrightRun, system: FakeSystem) -> None:
    failed = {"conversationId": "c-1", "status": "failed", "error": "Two blockers."}
    document = {"success": False, "results": [failed]}
    serve(system, "POST", "/api/conversations/bulk-enrich", document)
    ended = brightrun("conversations", "enrich", "c-1")
    assert ended.exit_code == 1
    assert "Two blockers." in ended.stdout


def test_a_conversation_is_enriched_again(brightrun: BrightRun, system: FakeSystem) -> None:
    serve(system, "POST", f"{ONE}/enrich", {"success": True, "final_status": "completed"})
    ended = brightrun("conversations", "enrich", CONVERSATION, "--again", "--json")
    assert ended.exit_code == 0
    assert json.loads(ended.stdout)["results"][0]["enrichment_status"] == "completed"


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ({"blockers": [{"code": "CUT_TEXT", "field": "turns[1].content"}]}, "CUT_TEXT"),
        ({"blockers": [], "warnings": []}, "found nothing"),
        (None, "not_started"),
    ],
)
def test_the_validation_report_is_shown(
    brightrun: BrightRun, system: FakeSystem, report: Json | None, said: str
) -> None:
    document = {
        "success": True,
        "enrichment_status": "not_started",
        "enrichment_error": None,
        "validation_report": report,
    }
    serve(system, "GET", f"{ONE}/validation-report", document)
    assert said in brightrun("conversations", "report", CONVERSATION).stdout


def test_conversations_are_listed_by_quality_and_name(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    assert (
        brightrun("conversations", "list", "--quality-min", "3", "--search", "ana").exit_code == 0
    )
    assert system.requests[-1].query == {"quality_min": "3.0", "search": "ana", "limit": "25"}
