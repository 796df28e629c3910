"""generate, conversations, failures, logs."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import (
    CONVERSATION,
    CONVERSATIONS,
    DONE,
    FAILURE,
    JOB,
    TEMPLATE,
    TURNS,
    serve_file,
    serve_list,
    serve_statuses,
    status_document,
)
from tests.cli.fake_system import Answer, FakeSystem

pytestmark = pytest.mark.usefixtures("signed_in")

GENERATE = "/api/conversations/generate-with-scaffolding"
CHOICE = ("generate", "--persona", "p-1", "--arc", "fear_to_confidence", "--topic", "t-1")
DOWNLOAD = ("conversations", "download", CONVERSATION)


def test_generate_answers_at_once(brightrun: BrightRun, system: FakeSystem) -> None:
    result = brightrun(*CHOICE, "--template", TEMPLATE)

    assert result.exit_code == 0
    assert CONVERSATION in result.stdout
    assert system.sent("POST", GENERATE)[0].body == {
        "persona_id": "p-1",
        "emotional_arc_id": "fear_to_confidence",
        "training_topic_id": "t-1",
        "template_id": TEMPLATE,
    }


def test_generate_after_a_lost_answer_repeats_the_same_key(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    system.fail_next("POST", GENERATE, Answer(503, b"", {"retry-after": "0"}))

    assert brightrun(*CHOICE, "--idempotency-key", "key-1").exit_code == 0
    keys = [one.headers["idempotency-key"] for one in system.sent("POST", GENERATE)]
    assert keys == ["key-1", "key-1"]


def test_generate_and_wait_ends_with_the_conversation(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_statuses(system, DONE)

    document = json.loads(brightrun(*CHOICE, "--wait", "--json").stdout)

    assert (document["status"], document["conversation_id"]) == ("completed", CONVERSATION)
    assert f"brightrun conversations show {CONVERSATION}" in brightrun(*CHOICE, "--wait").stdout


def test_generate_and_wait_tells_why_it_failed(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_statuses(system, status_document("failed", total=1, completed=1, failed=1))

    output = brightrun(*CHOICE, "--wait")
    document = json.loads(brightrun(*CHOICE, "--wait", "--json").stdout)

    assert output.exit_code == 1
    assert "Not written (failed): Claude refused" in output.stdout
    assert document["error_messages"] == ["Claude refused"]


def test_conversations_are_filtered_by_key(brightrun: BrightRun, system: FakeSystem) -> None:
    result = brightrun(
        *("conversations", "list", "--persona", "anxious_planner", "--arc", "a-1"),
        *("--topic", "t-1", "--tier", "template", "--status", "approved", "--batch", JOB),
    )

    assert CONVERSATION in result.stdout
    assert system.requests[-1].query == {
        "persona_id": "p-1",
        "emotional_arc_id": "a-1",
        "training_topic_id": "t-1",
        "tier": "template",
        "status": "approved",
        "batch_job_id": JOB,
        "limit": "25",
    }


def test_conversation_is_shown_turn_by_turn(brightrun: BrightRun, system: FakeSystem) -> None:
    result = brightrun("conversations", "show", CONVERSATION)

    assert system.requests[-1].query == {"includeTurns": "true"}
    assert "Jennifer - The Anxious Planner" in result.stdout
    assert "anxious_planner · fear_to_confidence · estate_planning_basics" in result.stdout
    assert "$0.04 (simulated)" in result.stdout
    assert "1. user  fear 0.80" in result.stdout
    assert "2. assistant  calm, warmth 0.45" in result.stdout


def test_text_of_a_conversation_cannot_steer_the_terminal(brightrun: BrightRun) -> None:
    output = brightrun("conversations", "show", CONVERSATION).stdout

    assert "[bold]Is that[2J bad?" in output
    assert "\x1b" not in output


def test_conversation_as_json_is_the_answer_itself(brightrun: BrightRun) -> None:
    document = json.loads(brightrun("conversations", "show", CONVERSATION, "--json").stdout)

    assert document["conversation"]["id"] == CONVERSATION
    assert len(document["turns"]) == 2


def test_conversation_without_turns_says_so(brightrun: BrightRun, system: FakeSystem) -> None:
    bare = {"success": True, "conversation": {"conversation_id": CONVERSATION}}
    system.route("GET", f"/api/conversations/{CONVERSATION}", lambda _, __: bare)

    assert "No turns are stored" in brightrun("conversations", "show", CONVERSATION).stdout


def test_download_lands_under_the_servers_name(brightrun: BrightRun, tmp_path: Path) -> None:
    document = json.loads(brightrun(*DOWNLOAD, "--json").stdout)

    assert document == {"success": True, "path": "c.json", "bytes": 13}
    assert (tmp_path / "c.json").read_bytes() == b'{"turns": []}'


def test_download_writes_over_a_file_only_by_force(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    (tmp_path / "mine.json").write_text("old")

    refused = brightrun(*DOWNLOAD, "--raw", "-o", "mine.json")
    assert (refused.exit_code, (tmp_path / "mine.json").read_text()) == (2, "old")
    assert "mine.json is there already" in refused.stderr
    assert "--force" in refused.stderr
    assert not [one for one in system.requests if one.path.startswith("/files/")]
    assert brightrun(*DOWNLOAD, "--raw", "-o", "mine.json", "--force").exit_code == 0
    assert (tmp_path / "mine.json").read_bytes() == b'{"raw": 1}'


def test_session_token_is_not_sent_to_the_file_store(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    brightrun(*DOWNLOAD)

    assert system.requests[-1].path == "/files/c.json"
    assert "authorization" not in system.requests[-1].headers


def test_servers_file_name_cannot_choose_a_folder(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    serve_file(system, f"/api/conversations/{CONVERSATION}/download", "../../evil.json", b"{}")

    assert brightrun(*DOWNLOAD).exit_code == 0
    assert (tmp_path / "evil.json").exists()


def test_broken_download_is_begun_again(brightrun: BrightRun, system: FakeSystem) -> None:
    system.fail_next("GET", "/files/c.json", Answer(503, b"<Error/>", {"retry-after": "0"}))

    assert brightrun(*DOWNLOAD).exit_code == 0
    assert len(system.sent("GET", "/files/c.json")) == 2


def test_expired_link_leaves_the_old_file_and_no_draft(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    (tmp_path / "mine.json").write_text("old")
    before = sorted(tmp_path.iterdir())
    system.fail_next("GET", "/files/c.json", Answer(403, b"<Error>Expired</Error>"))

    assert brightrun(*DOWNLOAD, "-o", "mine.json", "--force").exit_code == 5
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "mine.json").read_text() == "old"


def test_folder_that_cannot_be_written_is_named(brightrun: BrightRun) -> None:
    result = brightrun(*DOWNLOAD, "-o", "no/such/folder/file.json")

    assert result.exit_code == 2
    assert "no/such/folder/file.json" in result.stderr


def test_failures_can_be_listed_shown_and_downloaded(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    filters = ("--type", "truncation", "--stop-reason", "max_tokens", "--batch", JOB)
    days = ("--date-from", "2026-08-01", "--date-to", "2026-08-05")

    assert "stopped early" in brightrun("failures", "list", *filters, *days).stdout
    assert system.requests[-1].query == {
        "failure_type": "truncation",
        "stop_reason": "max_tokens",
        "run_id": JOB,
        "date_from": "2026-08-01",
        "date_to": "2026-08-05",
        "limit": "25",
    }
    assert "truncation" in brightrun("failures", "show", FAILURE).stdout
    assert brightrun("failures", "download", FAILURE, "-o", "report.json").exit_code == 0
    assert (tmp_path / "report.json").read_bytes() == b"{}"


def test_generation_log_is_listed_and_summed_up(brightrun: BrightRun, system: FakeSystem) -> None:
    filters = ("--status", "failed", "--kind", "judgement", "--model", "claude", "--batch", JOB)
    days = ("--date-from", "2026-08-01", "--date-to", "2026-08-05")
    listed = brightrun("logs", "list", *filters, *days, "--json")
    assert json.loads(listed.stdout)["count"] == 1
    assert system.requests[-1].query == {
        "status": "failed",
        "kind": "judgement",
        "model_used": "claude",
        "run_id": JOB,
        "date_from": "2026-08-01",
        "date_to": "2026-08-05",
        "limit": "25",
    }
    stats = json.loads(brightrun("logs", "stats", "--type", "performance", "--json").stdout)

    assert stats["calls"] == 33
    assert system.requests[-1].query == {"type": "performance"}
    assert "1.25" in brightrun("logs", "stats").stdout


FLAGGED = {
    **CONVERSATIONS[0],
    "enrichment_status": "completed",
    "quality_score": 2.4,
    "quality_tier": "rejected",
    "quality_reasons": [
        "structure 5.0: Turns alternate from the client to an answer, and all are whole.",
        "safety unknown: There are no safety rules for this domain.",
        "limit 2.4: medical_directive in turn 2.",
    ],
    "flags": ["crisis_content", "medical_directive"],
    "flag_details": [
        {
            "code": "medical_directive",
            "severity": "severe",
            "turn_number": 2,
            "message": 'It directs a treatment: "take 40 units\x1b[2J\u202e".',
        },
        {
            "code": "crisis_content",
            "severity": "review",
            "turn_number": 1,
            "message": "It speaks of a crisis.",
        },
    ],
}


def serve_flagged(system: FakeSystem) -> None:
    document = {"success": True, "conversation": FLAGGED, "turns": TURNS}
    system.route("GET", f"/api/conversations/{CONVERSATION}", lambda _, __: document)


def test_the_score_is_shown_with_the_reason_for_every_sub_score(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_flagged(system)
    output = brightrun("conversations", "show", CONVERSATION).stdout

    assert "Quality 2.4 (rejected):" in output
    assert re.search(r"structure 5\.0 +Turns alternate from the client", output)
    assert re.search(r"safety unknown +There are no safety rules for this domain", output)
    assert re.search(r"limit 2\.4 +medical_directive in turn 2", output)


def test_every_flag_is_shown_with_its_turn_and_at_its_turn(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_flagged(system)
    output = brightrun("conversations", "show", CONVERSATION).stdout

    assert re.search(r"2 +medical_directive +severe +It directs a treatment", output)
    assert re.search(r"1 +crisis_content +review +It speaks of a crisis", output)
    assert re.search(
        r"2\. assistant  calm, warmth 0\.45\n   flagged: medical_directive \(severe\): It directs",
        output,
    )


def test_a_flag_that_quotes_a_text_cannot_steer_the_terminal(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_flagged(system)
    output = brightrun("conversations", "show", CONVERSATION).stdout

    assert "take 40 units[2J" in output
    assert not {"\x1b", "\u202e"} & set(output)


def test_a_conversation_without_a_score_says_so(brightrun: BrightRun) -> None:
    output = brightrun("conversations", "show", CONVERSATION).stdout
    assert re.search(r"quality +not scored", output)


def test_the_list_names_the_flags(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_list(system, "/api/conversations", "conversations", [FLAGGED])
    output = brightrun("conversations", "list").stdout
    assert "crisis_content, medical_directive" in output
