"""conversations approve, reject, archive, reopen, delete about many: dry run, question, undo."""

import json
import re
from typing import Any

import pytest

from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import CONVERSATION
from tests.cli.fake_system import FakeSystem, Json, Recorded

pytestmark = pytest.mark.usefixtures("signed_in")

BULK = "/api/conversations/bulk-action"
UNDO = f"{BULK}/action-1/undo"


def counted(outcomes: list[str], **more: Any) -> Json:
    names = ("updated", "deleted", "unchanged", "not_found", "conflict")
    results = [
        {"conversationId": CONVERSATION, "outcome": one, "status": "approved", "version": 2}
        for one in outcomes
    ]
    summary = {"total": len(outcomes), **{name: outcomes.count(name) for name in names}}
    return {"success": True, "summary": summary, "results": results, **more}


@pytest.fixture(autouse=True)
def bulk(system: FakeSystem) -> None:
    """A dry run finds 1,203; each real request does one, and the last one leaves nothing."""
    left = [1202, 0]

    def answer(request: Recorded, _: re.Match[str]) -> Json:
        deletes = request.body["action"] == "delete"
        done = "deleted" if deletes else "updated"
        if request.body.get("dryRun"):
            return counted([done, "unchanged"], remaining=1202, bulk_action_id=None)
        name = None if deletes else "action-1"
        return counted([done], remaining=left.pop(0), bulk_action_id=name)

    system.route("POST", BULK, answer)


def acted(system: FakeSystem) -> list[Json]:
    return [one.body for one in system.sent("POST", BULK) if not one.body.get("dryRun")]


@pytest.mark.parametrize("action", ["approve", "archive", "reopen", "reject", "delete"])
def test_a_dry_run_tells_what_would_be_touched(
    brightrun: BrightRun, system: FakeSystem, action: str
) -> None:
    reason = ("--reason", "Off topic.") if action == "reject" else ()
    options = ("conversations", action, "--tier", "template", *reason, "--dry-run")
    result = brightrun(*options)
    assert result.exit_code == 0
    assert "1,203 conversation(s) would be" in result.stdout
    assert "Jennifer - The Anxious Planner" in result.stdout
    assert "And 1,202 more." in result.stdout
    document = json.loads(brightrun(*options, "--json").stdout)
    assert (document["dry_run"], document["touched"]) == (True, 1203)
    assert acted(system) == []


def test_it_asks_first_and_does_nothing_after_a_no(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    result = brightrun("conversations", "approve", "--tier", "template", typed="n\n")
    assert result.exit_code == 130
    assert "Approve 1,203 conversation(s)?" in result.stdout
    assert "Nothing was approved." in result.stderr
    assert acted(system) == []


def test_it_is_one_action_however_many_requests_it_takes(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    result = brightrun("conversations", "approve", "--tier", "template", typed="y\n")
    assert result.exit_code == 0
    assert "Approved 2 conversation(s)." in result.stdout
    assert "brightrun conversations undo action-1" in result.stdout
    wanted = {"action": "approve", "filter": {"tier": "template"}}
    assert acted(system) == [wanted, {**wanted, "bulkActionId": "action-1"}]


def test_a_deletion_says_before_that_it_cannot_be_undone(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    asked = brightrun("conversations", "delete", "--status", "rejected", typed="y\n")
    assert asked.exit_code == 0
    assert "cannot be undone" in asked.stdout.partition("Delete 1,203")[0]
    assert "conversations undo" not in asked.stdout
    assert len(acted(system)) == 2


def test_nothing_is_asked_when_there_is_nothing_to_do(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    nothing = counted(["unchanged"], remaining=0, bulk_action_id=None)
    system.route("POST", BULK, lambda _, __: nothing)
    result = brightrun("conversations", "approve", "c-1")
    assert result.exit_code == 0
    assert "0 conversation(s) would be approved." in result.stdout
    assert acted(system) == []


def test_an_undo_goes_on_to_the_end_and_lists_what_stays(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    def answer(request: Recorded, _: re.Match[str]) -> Json:
        if "cursor" in request.query:
            return counted(["conflict"], next_cursor=None)
        return counted(["updated", "updated"], next_cursor="next page")

    system.route("POST", UNDO, answer)
    result = brightrun("conversations", "undo", "action-1")
    assert result.exit_code == 1
    assert "Put back 2 conversation(s)." in result.stdout
    assert "conflict" in result.stdout
    assert [one.query for one in system.sent("POST", UNDO)] == [{}, {"cursor": "next page"}]
    document = json.loads(brightrun("conversations", "undo", "action-1", "--json").stdout)
    assert document["summary"] | {"total": 3, "updated": 2, "conflict": 1} == document["summary"]


def test_an_action_that_does_not_exist_cannot_be_undone(brightrun: BrightRun) -> None:
    assert brightrun("conversations", "undo", "no-such").exit_code == 4
