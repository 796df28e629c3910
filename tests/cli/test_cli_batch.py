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
    QUOTE,
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
    assert "$0.16; 9 of 10 within $1,234.50" in result.stdout
    assert "1 min 50 s; 9 of 10 within 3 min 20 s" in result.stdout
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
            "personas": "all",
            "emotional_arcs": ["a-1", "crisis_to_referral", "fear_to_confidence"],
            "training_topics": ["spending_priorities"],
        },
        "callsInFlight": 5,
        "errorHandling": "stop",
        "priority": "high",
    }


def test_a_cap_is_sent_with_the_order_and_raised_with_resume(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    brightrun(*CHOICE, "--max-cost", "2.5", "--yes")
    assert system.sent("POST", CREATE)[0].body["maxCostUsd"] == 2.5
    assert brightrun("batch", "resume", JOB, "--max-cost", "5").exit_code == 0
    sent = system.sent("PATCH", f"/api/conversations/batch/{JOB}")[0]
    assert sent.body == {"action": "resume", "max_cost_usd": 5.0}


def test_the_plan_prices_both_lanes_and_the_chosen_one_is_sent(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    shown = brightrun(*CHOICE, "--lane", "economy", "--yes").stdout
    assert "economy" in shown and "$0.08" in shown
    assert "realtime" in shown and "$0.16" in shown
    assert system.sent("POST", CREATE)[0].body["lane"] == "economy"


def test_the_spend_is_shown_against_the_cap(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_statuses(system, status_document("completed", successful=4, max_cost_usd=2.5))
    assert "$0.15 (simulated) of at most $2.50" in brightrun("batch", "show", JOB).stdout


def test_a_batch_is_shown_with_its_quote_and_how_wrong_it_was(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    own = {**QUOTE, "source": "own_batches", "conversations": 40, "batches": 3}
    document = status_document("completed", successful=4, completed=4, quote=own, quote_error=-0.04)
    serve_statuses(system, document)

    shown = " ".join(brightrun("batch", "show", JOB).stdout.split())

    assert "$0.16; 9 of 10 within $0.20, by 40 conversations of 3 of yours; it cost -4%" in shown


UNREAD = "What was written to the cache was read too seldom to pay, so it was switched off."
SHORT = "The prompts share about 772 tokens at their start, below the 1,024 that M caches."


@pytest.mark.parametrize(
    ("cache", "told"),
    [
        (
            {"read_tokens": 42_000, "written_tokens": 6_000, "hit_rate": 0.875, "saved_usd": 0.08},
            "42,000 tokens read, 6,000 written (88% found), $0.08 saved",
        ),
        (
            {"written_tokens": 18_000, "hit_rate": 0.0, "saved_usd": -0.02, "notice": UNREAD},
            f"0 tokens read, 18,000 written (0% found), $0.02 more than without. {UNREAD}",
        ),
        ({"notice": SHORT}, SHORT),
    ],
)
def test_a_batch_is_shown_with_what_its_prompt_cache_saved_or_why_it_saves_nothing(
    brightrun: BrightRun, system: FakeSystem, cache: dict[str, object], told: str
) -> None:
    document = status_document("completed", successful=4, completed=4)
    document["prompt_cache"] |= cache
    serve_statuses(system, document)

    assert told in " ".join(brightrun("batch", "show", JOB).stdout.split())


def test_quotes_are_compared_with_what_batches_cost(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    measured = {"source": "typical", "simulated": False, "batches": 12}
    document = {
        "success": True,
        "accuracy": [{**measured, "cost_mape": 0.083, "cost_p90_coverage": 0.92}],
    }
    system.route("GET", "/api/batch-jobs/quotes", lambda _, __: document)

    assert json.loads(brightrun("batch", "quotes", "--json").stdout) == document
    shown = brightrun("batch", "quotes").stdout
    assert all(figure in shown for figure in ("typical", "12", "8%", "92%"))


def test_a_repeated_order_says_that_it_is_one(brightrun: BrightRun, system: FakeSystem) -> None:
    created = {"jobId": JOB, "status": "completed", "totalItems": 4, "message": "Accepted."}
    replay = Answer(202, json.dumps(created).encode(), {"Idempotent-Replayed": "true"})
    system.fail_next("POST", CREATE, replay, replay)
    said = brightrun(*CHOICE, "--yes", "--idempotency-key", "key-1").stdout
    assert "ordered before with the same key: nothing new was begun" in said
    told = brightrun(*CHOICE, "--json", "--idempotency-key", "key-1").stdout
    assert json.loads(told)["replayed"] is True


def test_an_order_that_the_client_itself_sent_again_is_no_surprise(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    created = {"jobId": JOB, "status": "queued", "totalItems": 4, "message": "Accepted."}
    replay = Answer(202, json.dumps(created).encode(), {"Idempotent-Replayed": "true"})
    busy = problem(503, "Busy.", "storage", Retry_After="0")
    system.fail_next("POST", CREATE, busy, replay)
    assert "ordered before" not in brightrun(*CHOICE, "--yes").stdout


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


def test_create_with_a_template_names_it(brightrun: BrightRun, system: FakeSystem) -> None:
    brightrun(*CHOICE, "--template", TEMPLATE, "--yes")

    assert system.sent("POST", CREATE)[0].body["selection"]["template_id"] == TEMPLATE


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

    lines = [line for line in result.stdout.splitlines() if " done, " in line or "Compl" in line]
    assert len(system.sent("GET", STATUS)) == 4
    assert lines[0].startswith(
        "processing: 1/4 done, 0 failed, 1 min 15 s left, $0.15 (simulated) so"
    )
    assert lines[1].startswith("processing: 3/4 done, 1 failed")
    assert lines[2].startswith("Completed: 3 of 4 succeeded. $0.15 (simulated)")
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
    assert "7,600 in, 8,832 out" in result.stdout


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
