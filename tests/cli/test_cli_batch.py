"""batch create, list, show, watch, items, log and the four controls."""

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import (
    DONE,
    JOB,
    LOG_LINES,
    PARTLY_FAILED,
    RUNNING,
    TEMPLATE,
    serve_statuses,
    status_document,
)
from tests.cli.fake_system import Answer, FakeSystem, problem

pytestmark = pytest.mark.usefixtures("signed_in")

CREATE = "/api/conversations/generate-batch"
STATUS = f"/api/conversations/batch/{JOB}/status"
CHOICE = (
    *("batch", "create", "--name", "Nightly", "--persona", "all"),
    *("--arc", "a-1", "--arc", "crisis_to_referral", "--arc", "fear_to_confidence"),
    *("--topic", "spending_priorities"),
)


def test_create_counts_and_prices_before_it_asks(brightrun: BrightRun, system: FakeSystem) -> None:
    result = brightrun(*CHOICE, typed="n\n")

    assert result.exit_code == 130
    assert "2 personas x 2 arcs x 1 topics = 4 conversations" in result.stdout
    assert "about $0.1600, at most 1 min 50 s" in result.stdout
    assert "nothing is charged" in result.stdout
    assert system.sent("POST", CREATE) == []


def test_create_sends_what_was_confirmed(brightrun: BrightRun, system: FakeSystem) -> None:
    options = ("--concurrency", "5", "--on-error", "stop", "--priority", "high")

    result = brightrun(*CHOICE, *options, typed="y\n")

    assert result.exit_code == 0
    assert f"brightrun batch watch {JOB}" in result.stdout
    assert system.sent("POST", CREATE)[0].body == {
        "name": "Nightly",
        "selection": {
            "personas": ["p-1", "p-2"],
            "emotional_arcs": ["a-1", "a-2"],
            "training_topics": ["t-2"],
        },
        "concurrentProcessing": 5,
        "errorHandling": "stop",
        "priority": "high",
    }


def test_create_as_json_asks_nothing(brightrun: BrightRun, system: FakeSystem) -> None:
    result = brightrun(*CHOICE, "--json", "--idempotency-key", "key-1")

    created = json.loads(result.stdout)
    assert (created["jobId"], created["idempotencyKey"]) == (JOB, "key-1")
    assert system.sent("POST", CREATE)[0].headers["idempotency-key"] == "key-1"


def test_create_after_a_lost_answer_repeats_the_same_key(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    system.fail_next("POST", CREATE, problem(503, "Busy.", "storage", Retry_After="0"))

    assert brightrun(*CHOICE, "--yes").exit_code == 0
    keys = [one.headers["idempotency-key"] for one in system.sent("POST", CREATE)]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_create_with_a_template_writes_the_combinations_out(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    brightrun(*CHOICE, "--template", TEMPLATE, "--yes")

    sets = system.sent("POST", CREATE)[0].body["parameterSets"]
    assert len(sets) == 4
    assert sets[0] == {
        "templateId": TEMPLATE,
        "parameters": {
            "persona_id": "p-1",
            "emotional_arc_id": "a-1",
            "training_topic_id": "t-2",
        },
    }


def test_create_with_an_unknown_key_names_the_known_ones(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    options = ("--name", "N", "--persona", "nobody", "--arc", "all", "--topic", "all")

    result = brightrun("batch", "create", *options, "--yes")

    assert result.exit_code == 4
    assert "'nobody'" in result.stderr
    assert "anxious_planner, pragmatic_optimist" in result.stderr
    assert system.sent("POST", CREATE) == []


def test_create_and_watch_ends_with_the_outcome(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_statuses(system, PARTLY_FAILED)

    result = brightrun(*CHOICE, "--watch", "--json")

    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (document["status"], document["progress"]["failed"]) == ("completed", 1)
    assert document["totalItems"] == 4


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (DONE, 0),
        (PARTLY_FAILED, 1),
        (status_document("failed", completed=4, failed=4), 1),
        (status_document("cancelled", completed=2, successful=2, cancelled=2), 1),
        (status_document("paused", completed=2, successful=2, queued=2), 1),
    ],
)
def test_watch_exits_by_the_outcome(
    brightrun: BrightRun, system: FakeSystem, status: dict[str, object], code: int
) -> None:
    serve_statuses(system, status)

    result = brightrun("batch", "watch", JOB, "--json")

    assert result.exit_code == code
    assert json.loads(result.stdout) == status


def test_watch_prints_a_line_for_each_change_where_there_is_no_terminal(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    later = status_document("processing", completed=3, successful=2, failed=1, processing=1)
    serve_statuses(system, RUNNING, RUNNING, later, PARTLY_FAILED)

    result = brightrun("batch", "watch", JOB, "--interval", "0.1")

    lines = [line for line in result.stdout.splitlines() if " done, " in line]
    assert len(system.sent("GET", STATUS)) == 4
    assert lines[0].startswith("processing: 1/4 done, 0 failed, 1 min 15 s left, $0.1528 (sim")
    assert lines[1].startswith("processing: 3/4 done, 1 failed")
    assert lines[2].startswith("completed: 4/4 done, 1 failed, $0.1528")
    assert f"brightrun batch items {JOB} --status failed" in result.stdout


def test_watch_waits_for_a_paused_batch_to_come_to_rest(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    draining = status_document("paused", completed=1, successful=1, processing=2, queued=1)
    drained = status_document("paused", completed=3, successful=3, queued=1)
    serve_statuses(system, draining, drained)

    result = brightrun("batch", "watch", JOB, "--interval", "0.1")

    assert result.exit_code == 1
    assert f"brightrun batch resume {JOB}" in result.stdout


def test_interrupted_watch_leaves_the_batch_running(system: FakeSystem) -> None:
    serve_statuses(system, RUNNING)
    # A parent that runs in the background may ignore SIGINT, and a child inherits that.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    program += "from cli.main import main; main()"
    command = [sys.executable, "-c", program, "batch", "watch", JOB, "--interval", "0.1"]
    with subprocess.Popen(
        [*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as watching:
        deadline = time.monotonic() + 20
        while not system.sent("GET", STATUS) and time.monotonic() < deadline:
            time.sleep(0.02)
        watching.send_signal(signal.SIGINT)
        stdout, stderr = watching.communicate(timeout=20)

    error = json.loads(stderr)
    assert watching.returncode == 130
    assert stdout == b""
    assert "goes on by itself" in error["error"]
    assert error["details"] == {"jobId": JOB}
    assert {one.method for one in system.requests} == {"GET"}


def test_list_reads_as_many_pages_as_it_needs(brightrun: BrightRun, system: FakeSystem) -> None:
    everything = json.loads(brightrun("batch", "list", "--all", "--json").stdout)
    assert [one.query["limit"] for one in system.requests] == ["100", "100"]
    assert (everything["count"], everything["next_cursor"]) == (130, None)

    some = json.loads(brightrun("batch", "list", "--limit", "110", "--json").stdout)
    assert [one.query["limit"] for one in system.requests[2:]] == ["100", "10"]
    assert (some["count"], some["next_cursor"]) == (110, "110")

    rest = json.loads(brightrun("batch", "list", "--cursor", "110", "--json").stdout)
    assert [job["id"] for job in rest["jobs"]][0] == "job-110"
    assert rest["count"] == 20


def test_list_shows_a_table_and_says_that_there_is_more(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    result = brightrun("batch", "list", "--status", "completed")

    assert "job-024" in result.stdout
    assert "job-025" not in result.stdout
    assert "--cursor 25" in result.stdout
    assert system.requests[-1].query["status"] == "completed"


def test_status_that_does_not_exist_is_refused_with_the_allowed_ones(brightrun: BrightRun) -> None:
    result = brightrun("batch", "list", "--status", "done", "--json")

    error = json.loads(result.stderr)
    assert result.exit_code == 2
    assert error["code"] == "usage"
    assert "queued" in error["error"]


def test_show_tells_progress_cost_and_reason(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_statuses(system, status_document("paused", queued=4, stoppedReason="invalid API key"))

    result = brightrun("batch", "show", JOB)

    assert "invalid API key" in result.stdout
    assert "7600 in, 8832 out" in result.stdout


def test_items_tell_why_one_failed(brightrun: BrightRun, system: FakeSystem) -> None:
    result = brightrun("batch", "items", JOB, "--status", "failed")

    assert "Claude refused" in result.stdout
    assert system.requests[-1].query["status"] == "failed"


def test_log_is_printed_line_by_line(brightrun: BrightRun) -> None:
    assert brightrun("batch", "log", JOB).stdout.splitlines() == LOG_LINES
    assert json.loads(brightrun("batch", "log", JOB, "--json").stdout)["lines"] == LOG_LINES


def test_followed_log_ends_with_the_batch(brightrun: BrightRun) -> None:
    assert brightrun("batch", "log", JOB, "--follow").stdout.splitlines() == LOG_LINES


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_controls_send_their_action(brightrun: BrightRun, system: FakeSystem, action: str) -> None:
    result = brightrun("batch", action, JOB)

    assert result.stdout == f"{action} accepted\n"
    assert system.requests[-1].body == {"action": action}


def test_retry_failed_requeues(brightrun: BrightRun) -> None:
    assert json.loads(brightrun("batch", "retry-failed", JOB, "--json").stdout)["requeued"] == 2


def test_refusal_shows_the_sentence_and_every_field(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    details = [{"field": "name", "message": "is empty"}, {"field": "priority", "message": "is odd"}]
    refusal = problem(400, "The request is not valid.", "invalid_request", details)
    system.fail_next("POST", CREATE, refusal, refusal)

    output = brightrun(*CHOICE, "--yes")
    as_json = brightrun(*CHOICE, "--json")

    assert output.exit_code == as_json.exit_code == 5
    assert f"The request is not valid. (POST {CREATE}, HTTP 400)" in output.stderr
    assert "  name: is empty\n  priority: is odd\n" in output.stderr
    error = json.loads(as_json.stderr)
    assert error.keys() == {"error", "code", "status", "details"}
    assert (error["code"], error["status"], error["details"]) == ("invalid_request", 400, details)
    assert len(system.sent("POST", CREATE)) == 2


def test_control_is_not_repeated_when_the_server_fails(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    path = f"/api/conversations/batch/{JOB}"
    system.fail_next("PATCH", path, Answer(502, b"<html>", {"retry-after": "0"}))

    assert brightrun("batch", "pause", JOB).exit_code == 6
    assert len(system.sent("PATCH", path)) == 1
