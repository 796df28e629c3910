"""batch create: the dry run, the sample and the rest; batch report."""

import json
import shlex
from typing import Any

import pytest

from cli import batch_watching
from cli.batch_plan import BatchOptions
from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import (
    CONVERSATION,
    CONVERSATIONS,
    DONE,
    JOB,
    PARTLY_FAILED,
    QUOTE,
    preview_document,
    serve_list,
    serve_statuses,
    status_document,
)
from tests.cli.fake_system import FakeSystem, Json

pytestmark = pytest.mark.usefixtures("signed_in")

CREATE = "/api/conversations/generate-batch"
PREVIEW = f"{CREATE}/preview"
CHOICE = (
    *("batch", "create", "--name", "The first", "--persona", "all"),
    *("--arc", "a-1", "--arc", "a-2", "--topic", "spending_priorities", "--concurrency", "5"),
)
SAMPLED = {
    "persona_id": "anxious_planner",
    "emotional_arc_id": "fear_to_confidence",
    "training_topic_id": "estate_planning_basics",
}
SCORED = {
    **CONVERSATIONS[0],
    "quality_score": 2.4,
    "quality_tier": "poor",
    "quality_reasons": ["structure 2.0: Too short.", "limit 2.4: directive in turn 2."],
    "quality_criteria": {"empathy_score": 4.5, "brand_voice_alignment": None},
    "flags": ["directive"],
    "flag_details": [
        {"code": "directive", "severity": "severe", "turn_number": 2, "message": "It orders."}
    ],
}
PROBLEMS = [
    {"field": "persona", "message": "There is no 'nobody'.", "code": "unknown_scaffolding"},
    {"field": "template", "message": "None serves 'a-2'.", "code": "no_template_for_arc"},
]


@pytest.fixture(autouse=True)
def written(system: FakeSystem) -> None:
    serve_list(system, "/api/conversations", "conversations", [SCORED])
    one = {"success": True, "conversation": SCORED, "turns": []}
    system.route("GET", f"/api/conversations/{CONVERSATION}", lambda _, __: one)


def serve_plan(system: FakeSystem, **changes: Any) -> None:
    system.route("POST", PREVIEW, lambda _, __: preview_document(**changes))


def selections(system: FakeSystem) -> list[Json]:
    return [sent.body["selection"] for sent in system.sent("POST", CREATE)]


def test_the_price_says_what_it_is_based_on_and_how_wrong_such_prices_were(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    own = {**QUOTE, "source": "own_batches", "conversations": 1234, "batches": 3}
    past = [
        {"source": "typical", "batches": 2, "cost_mape": 0.3, "cost_p90_coverage": 0.5},
        {"source": "own_batches", "batches": 7, "cost_mape": 0.06, "cost_p90_coverage": 1.0},
    ]
    serve_plan(system, estimatedCost=own, pastQuotes=past)
    shown = " ".join(brightrun(*CHOICE, "--dry-run").stdout.split())
    assert "1,234 conversations of 3 of yours; 7 such quotes were 6% off" in shown


def test_reuse_is_sent_with_the_order_and_kept_in_the_command_that_goes_on(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    brightrun(*CHOICE, "--yes")
    assert "reuse" not in system.sent("POST", CREATE)[0].body
    brightrun(*CHOICE, "--reuse", "--yes")
    assert system.sent("POST", CREATE)[1].body["reuse"] is True
    options = BatchOptions(name="n", persona=["p"], arc=["a"], topic=["t"], reuse=True)
    assert options.command("--rest-of", "job-1").endswith("--reuse --rest-of job-1")


def test_a_dry_run_shows_the_plan_and_creates_nothing(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    odd: Json = {"persona_key": "p", "emotional_arc_key": "a", "training_topic_key": "t"}
    odd |= {"confidence": 0.3, "warnings": ["The arc is not meant for p."]}
    warnings = [{"warning": "The topic is not meant for p.", "conversations": 1234}]
    serve_plan(system, incompatibleItems=1, incompatible=[odd], warnings=warnings)
    result = brightrun(*CHOICE, "--dry-run")
    assert result.exit_code == 0
    for text in (
        "2 personas x 2 arcs x 1 topics = 4 conversations",
        "$0.16; 9 of 10 within",
        "a typical conversation, since too few of yours are known",
        "1 do not fit together",
        "The arc is not meant for p.",
        "1,234",
        "nothing was created",
    ):
        assert text in result.stdout
    assert [sent.method for sent in system.requests] == ["POST"]
    assert json.loads(brightrun(*CHOICE, "--dry-run", "--json").stdout)["totalItems"] == 4
    assert system.sent("POST", CREATE) == []


def test_a_dry_run_shows_the_sample_that_would_be_written(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    document = json.loads(brightrun(*CHOICE, "--dry-run", "--sample", "2", "--json").stdout)
    assert (document["totalItems"], len(document["sample"])) == (4, 2)
    assert "The sample of 2:" in brightrun(*CHOICE, "--dry-run", "--sample", "2").stdout


def test_all_that_is_missing_is_named_at_once(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_plan(system, problems=PROBLEMS, problemCount=2)
    tried = brightrun(*CHOICE, "--dry-run")
    refused = brightrun(*CHOICE, "--yes")
    assert (tried.exit_code, refused.exit_code) == (1, 5)
    for problem in PROBLEMS:
        assert problem["message"] in tried.stdout
        assert problem["message"] in refused.stderr
    assert system.sent("POST", CREATE) == []


def test_names_that_do_not_exist_are_not_found(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_plan(system, problems=PROBLEMS[:1], problemCount=1)
    assert brightrun(*CHOICE, "--yes").exit_code == 4


def test_a_sample_is_shown_before_the_rest_is_created(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_statuses(system, status_document("completed", total=2, completed=2, successful=2))
    result = brightrun(*CHOICE, "--sample", "2", typed="y\ny\n")
    assert result.exit_code == 0
    for text in ("structure 2.0", "Too short.", "directive", "Go on with the other 2"):
        assert text in result.stdout
    assert "for about $0.08?" in result.stdout
    sample, rest = selections(system)
    assert (sample["sample"], sample.get("exclude")) == (2, None)
    assert (rest.get("sample"), rest["exclude"]) == (None, [SAMPLED])
    names = [sent.body["name"] for sent in system.sent("POST", CREATE)]
    assert names == ["The first (sample)", "The first"]
    keys = [sent.headers["idempotency-key"] for sent in system.sent("POST", CREATE)]
    assert len(set(keys)) == 2


def test_the_sample_stays_when_the_rest_is_declined_and_the_command_goes_on(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    declined = brightrun(*CHOICE, "--sample", "2", typed="y\nn\n")
    assert declined.exit_code == 130
    assert "The sample stays." in declined.stderr
    command = next(line for line in declined.stderr.splitlines() if line.startswith("brightrun "))
    words = shlex.split(command)[1:]
    assert words[-2:] == ["--rest-of", JOB]

    assert brightrun(*words, "--yes").exit_code == 0
    assert selections(system)[-1]["exclude"] == [SAMPLED]
    first, *_, rest = (sent.body for sent in system.sent("POST", CREATE))
    narrowed = ("exclude", "sample")
    for body in (first, rest):
        body["selection"] = {
            name: value for name, value in body["selection"].items() if name not in narrowed
        }
    assert rest == {**first, "name": "The first"}


def test_ctrl_c_leaves_the_sample_running_and_prints_the_command(
    brightrun: BrightRun, system: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(batch_watching, "follow_batch", interrupted)
    result = brightrun(*CHOICE, "--sample", "2", "--yes")
    assert result.exit_code == 130
    assert "goes on by itself" in result.stderr
    assert f"--rest-of {JOB}" in result.stderr
    assert len(selections(system)) == 1


def test_yes_goes_on_without_asking(brightrun: BrightRun, system: FakeSystem) -> None:
    result = brightrun(*CHOICE, "--sample", "2", "--yes", "--json", "--idempotency-key", "k")
    document = json.loads(result.stdout)
    assert document["sample"]["conversations"][0]["conversation"]["quality_score"] == 2.4
    assert document["rest"]["jobId"] == JOB
    keys = [sent.headers["idempotency-key"] for sent in system.sent("POST", CREATE)]
    assert keys == ["k-sample", "k"]


def test_under_json_the_rest_waits_for_a_yes(brightrun: BrightRun, system: FakeSystem) -> None:
    document = json.loads(brightrun(*CHOICE, "--sample", "2", "--json").stdout)
    assert document["rest"] is None
    assert document["sample"]["go_on"].endswith(f"--rest-of {JOB}")
    assert len(selections(system)) == 1


def test_no_rest_follows_a_sample_of_which_nothing_was_written(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_statuses(system, status_document("failed", total=2, completed=2, failed=2))
    result = brightrun(*CHOICE, "--sample", "2", "--yes")
    assert result.exit_code == 1
    assert f"--rest-of {JOB}" in result.stdout
    assert len(selections(system)) == 1


def test_a_sample_of_everything_is_the_batch_itself(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    assert brightrun(*CHOICE, "--sample", "4", "--yes").exit_code == 0
    (only,) = selections(system)
    assert "sample" not in only


def test_a_sample_and_a_rest_exclude_each_other(brightrun: BrightRun) -> None:
    assert brightrun(*CHOICE, "--sample", "2", "--rest-of", JOB).exit_code == 2


def test_a_report_shows_scores_flags_and_the_weakest_with_reasons(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    better = {**SCORED, "conversation_id": "c-2", "quality_score": 4.6, "flags": []}
    better |= {"quality_tier": "excellent"}
    unscored = {**CONVERSATIONS[0], "conversation_id": "c-3", "quality_score": None}
    serve_list(system, "/api/conversations", "conversations", [SCORED, better, unscored])
    one = {"success": True, "conversation": better}
    system.route("GET", "/api/conversations/c-2", lambda _, __: one)
    serve_statuses(system, DONE)
    output = brightrun("batch", "report", JOB).stdout
    for text in (
        "3, 2 scored",
        "3.5 on average, 2.4 to 4.6",
        "excellent 1, poor 1",
        "directive 1",
        "Too short.",
    ):
        assert text in output
    assert output.index(CONVERSATION) < output.index("c-2")
    report = json.loads(brightrun("batch", "report", JOB, "--json").stdout)["quality"]
    assert (report["average_quality_score"], report["by_flag"]) == (3.5, {"directive": 1})
    listed = [one for one in system.requests if one.path == "/api/conversations"]
    assert {one.query["batch_job_id"] for one in listed} == {JOB}


def test_watching_ends_with_the_report(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_statuses(system, PARTLY_FAILED)
    assert "2.4 on average" in brightrun("batch", "watch", JOB).stdout


def test_a_batch_without_conversations_has_an_empty_report(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_list(system, "/api/conversations", "conversations", [])
    report = json.loads(brightrun("batch", "report", JOB, "--json").stdout)["quality"]
    assert (report["conversations"], report["average_quality_score"]) == (0, None)
    assert brightrun("batch", "report", JOB).exit_code == 0
