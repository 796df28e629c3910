"""conversations judge and delete."""

import re
from typing import Any

import pytest

from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import CONVERSATION, CONVERSATIONS, JOB
from tests.cli.fake_system import FakeSystem, Json, Recorded

pytestmark = pytest.mark.usefixtures("signed_in")

JUDGE, BULK = "/api/conversations/judge", "/api/conversations/bulk-action"
ONE = f"/api/conversations/{CONVERSATION}"
ORDERED = {
    "success": True,
    "jobId": JOB,
    "status": "queued",
    "estimatedCost": 0.02,
    "message": "1 conversations are being judged, 0 were judged before.",
}
JUDGEMENT = {
    "rubric_version": "1.0.0",
    "model": "claude-opus-5-5",
    "score": 4.2,
    "criteria": {"arc": {"score": 4, "reason": "Each step is earned."}},
    "input_tokens": 3000,
    "output_tokens": 600,
    "cost_usd": 0.024,
    "simulated": True,
}


def serve(system: FakeSystem, method: str, path: str, document: Json) -> None:
    system.route(method, path, lambda _, __: document)


def test_a_judgement_is_ordered_under_a_key(brightrun: BrightRun, system: FakeSystem) -> None:
    serve(system, "POST", JUDGE, ORDERED)
    result = brightrun("conversations", "judge", "c-1", "--model", "claude-opus-5-5", "--yes")
    assert result.exit_code == 0, result.output
    (sent,) = system.sent("POST", JUDGE)
    assert sent.body == {"conversationIds": ["c-1"], "model": "claude-opus-5-5"}
    assert sent.headers["idempotency-key"]


def test_all_conversations_of_a_batch_are_judged(brightrun: BrightRun, system: FakeSystem) -> None:
    serve(system, "POST", JUDGE, ORDERED)
    assert brightrun("conversations", "judge", "--batch", JOB, "--json").exit_code == 0
    (sent,) = system.sent("POST", JUDGE)
    assert sent.body == {"conversationIds": [CONVERSATION]}


def test_nothing_is_judged_without_a_yes(brightrun: BrightRun, system: FakeSystem) -> None:
    assert brightrun("conversations", "judge", "c-1", typed="n\n").exit_code == 130
    assert brightrun("conversations", "judge").exit_code == 2
    assert system.sent("POST", JUDGE) == []


def test_a_batch_can_only_be_judged_after_it_was_watched(brightrun: BrightRun) -> None:
    chosen = ("--persona", "all", "--arc", "all", "--topic", "all", "--yes")
    result = brightrun("batch", "create", "--name", "B", *chosen, "--judge")
    assert result.exit_code == 2
    assert "--judge needs --watch" in result.output


def test_show_tells_what_the_judge_said(brightrun: BrightRun, system: FakeSystem) -> None:
    judged = {**CONVERSATIONS[0], "judgement": JUDGEMENT}
    serve(system, "GET", ONE, {"success": True, "conversation": judged, "turns": []})
    output = brightrun("conversations", "show", CONVERSATION).stdout
    assert "as advice only" in output
    assert "4: Each step is earned." in output


def test_one_is_deleted_at_the_version_that_was_seen(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve(system, "DELETE", ONE, {"success": True, "conversation_id": CONVERSATION})
    arguments = ("--version", "3", "--reason", "Off topic", "--yes")
    assert brightrun("conversations", "delete", CONVERSATION, *arguments).exit_code == 0
    (sent,) = system.sent("DELETE", ONE)
    assert sent.headers["if-match"] == '"v3"'


def test_nothing_is_deleted_without_a_yes(brightrun: BrightRun, system: FakeSystem) -> None:
    assert brightrun("conversations", "delete", CONVERSATION, typed="n\n").exit_code != 0
    assert system.sent("DELETE", ONE) == []


def test_many_are_deleted_in_hundreds_and_what_is_left_is_told(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    def answer(sent: Recorded, _: re.Match[str]) -> Json:
        body: Any = sent.body
        outcome = {"c-100": "not_found"}
        results = [
            {"conversationId": one, "outcome": outcome.get(one, "deleted")}
            for one in body["conversationIds"]
        ]
        gone = sum(one["outcome"] == "deleted" for one in results)
        summary = {"total": len(results), "deleted": gone}
        return {"success": True, "results": results, "summary": summary, "remaining": None}

    system.route("POST", BULK, answer)
    ids = [f"c-{number}" for number in range(101)]
    result = brightrun("conversations", "delete", *ids, "--yes")
    assert result.exit_code == 1
    assert "not_found" in result.stdout
    assert [len(sent.body["conversationIds"]) for sent in system.sent("POST", BULK)] == [100, 1]
