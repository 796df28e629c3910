"""training-files: create, add, watch, list, show, download."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cli import training_file_builds
from cli.errors import ExitCode
from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import TRAINING_FILE, TRAINING_FILES
from tests.cli.fake_system import Answer, FakeSystem, Recorded, problem

pytestmark = pytest.mark.usefixtures("signed_in")

FILES = "/api/training-files"


def test_a_file_is_made_of_conversations_in_the_order_they_are_named(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    result = brightrun("training-files", "create", "c-2", "c-1", "--name", "First")
    assert result.exit_code == 0
    assert f"{TRAINING_FILE}: Version 1 holds 2." in result.stdout
    assert system.sent("POST", FILES)[0].body == {
        "name": "First",
        "description": "",
        "conversation_ids": ["c-2", "c-1"],
        "eligibility": "enriched",
        "allow_duplicates": False,
    }


def test_conversations_that_cannot_go_in_are_told_one_by_one(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    details = {"unknown": ["c-9"], "duplicates": [{"conversation_id": "c-2", "same_as": "c-1"}]}
    refusal = problem(400, "Not every conversation can go in.", "unfit_conversations", details)
    system.fail_next("POST", FILES, refusal)
    result = brightrun("training-files", "create", "c-9", "--name", "First")
    assert result.exit_code == 5
    assert "c-9" in result.stderr
    assert "same_as" in result.stderr


def test_conversations_are_added_as_the_caller_chooses(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    result = brightrun(
        "training-files",
        "add",
        TRAINING_FILE,
        "c-3",
        "--eligibility",
        "approved",
        "--allow-duplicates",
        "--json",
    )
    assert json.loads(result.stdout)["trainingFile"]["id"] == TRAINING_FILE
    assert system.sent("POST", f"{FILES}/{TRAINING_FILE}/add-conversations")[0].body == {
        "conversation_ids": ["c-3"],
        "eligibility": "approved",
        "allow_duplicates": True,
    }


def test_files_are_listed_and_shown_with_their_versions(brightrun: BrightRun) -> None:
    assert TRAINING_FILE in brightrun("training-files", "list").stdout
    output = brightrun("training-files", "show", TRAINING_FILE).stdout
    assert "JSONL bytes" in output
    assert "1500" in output


def test_the_newest_jsonl_is_downloaded_where_nothing_else_is_asked_for(
    brightrun: BrightRun,
) -> None:
    result = brightrun("training-files", "download", TRAINING_FILE)
    assert "Saved First.v1.jsonl" in result.stdout
    assert Path("First.v1.jsonl").read_text() == "jsonl"


def test_a_version_and_a_format_can_be_asked_for(brightrun: BrightRun, tmp_path: Path) -> None:
    target = tmp_path / "old.json"
    options = ("--format", "json", "--version", "3", "-o", str(target), "--json")
    result = brightrun("training-files", "download", TRAINING_FILE, *options)
    assert json.loads(result.stdout) == {
        "success": True,
        "path": str(target),
        "bytes": 4,
        "version": 3,
        "sha256": hashlib.sha256(b"json").hexdigest(),
    }
    assert target.read_text() == "json"


def building(done: int, status: str = "building", **changes: object) -> dict[str, Any]:
    """What the API says of a file whose first version is being built."""
    build = {
        "version": 1,
        "status": status,
        "done": done,
        "total": 200,
        "left_out": {},
        "examples": {},
        "error": None,
        "error_code": None,
        **changes,
    }
    version = 1 if status == "ready" else 0
    file = {**TRAINING_FILES[0], "version": version, "status": "building", "build": build}
    return {"success": True, "trainingFile": file, "versions": [], "build": build}


def serve_build(system: FakeSystem, *states: dict[str, Any]) -> None:
    started = {**building(0), "message": "Version 1 is being built of 200 conversations."}
    del started["versions"], started["build"]
    system.route("POST", FILES, lambda _, __: Answer(202, json.dumps(started).encode()))
    left = list(states)
    system.route(
        "GET",
        f"{FILES}/{TRAINING_FILE}",
        lambda _, __: left.pop(0) if len(left) > 1 else left[0],
    )


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_file_builds, "POLL_S", 0)


def test_a_build_by_filters_is_followed_to_its_end(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    ready = building(200, "ready", left_out={"rejected": 3, "severe_flags": 1})
    serve_build(system, building(0), building(100), building(100), ready)
    options = ("--name", "First", "--batch", "job-1", "--quality-min", "3.5", "--strict")
    result = brightrun("training-files", "create", *options)
    assert result.exit_code == 0
    sent = system.sent("POST", FILES)[0]
    assert sent.body["filter"] == {"batch_job_id": "job-1", "quality_min": 3.5}
    assert sent.body["strict"] is True
    assert sent.headers["idempotency-key"]
    assert result.stdout.splitlines() == [
        f"{TRAINING_FILE}: Version 1 is being built of 200 conversations.",
        "building version 1: 0/200 conversations",
        "building version 1: 100/200 conversations",
        f"{TRAINING_FILE}: Version 1 holds 2 conversations with 8 trainable pairs. "
        "Left out: 3 rejected, 1 severe flags.",
    ]


def test_a_failed_build_says_why_by_words_and_exit_code(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    serve_build(system, building(200, "failed", error="1 were rejected in review."))
    result = brightrun("training-files", "create", "--name", "First", "--batch", "job-1")
    assert result.exit_code == ExitCode.JOB_NOT_SUCCESSFUL
    assert "Version 1 was not built. 1 were rejected in review." in result.stdout
    shown = brightrun("training-files", "show", TRAINING_FILE).stdout
    assert "1 were rejected in review." in shown


def test_ctrl_c_ends_the_watching_and_not_the_build(
    brightrun: BrightRun, system: FakeSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve_build(system, building(0))

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        training_file_builds.watch_build, "__defaults__", (interrupt,), raising=True
    )
    result = brightrun("training-files", "create", "--name", "First", "--batch", "job-1")
    assert result.exit_code == 130
    assert f"brightrun training-files watch {TRAINING_FILE}" in result.stderr
    serve_build(system, building(200, "ready"))
    assert brightrun("training-files", "watch", TRAINING_FILE).exit_code == 0


def test_a_build_need_not_be_watched(brightrun: BrightRun, system: FakeSystem) -> None:
    serve_build(system, building(0))
    options = ("--name", "First", "--batch", "job-1", "--no-watch", "--json")
    result = brightrun("training-files", "create", *options)
    assert json.loads(result.stdout)["trainingFile"]["build"]["status"] == "building"
    assert system.sent("GET", f"{FILES}/{TRAINING_FILE}") == []


def test_a_dry_run_adds_up_all_pages_and_creates_nothing(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    pages = {
        0: {"eligible": 900, "left_out": {"rejected": 100}, "next_position": 1000},
        1000: {"eligible": 150, "left_out": {"rejected": 40, "archived": 10}},
    }

    def preview(request: Recorded, _: object) -> dict[str, Any]:
        page = pages[request.body["position"]]
        return {"success": True, "selected": 1200, "examples": {}, "next_position": None, **page}

    system.route("POST", f"{FILES}/preview", preview)
    result = brightrun(
        "training-files", "create", "--name", "First", "--status", "approved", "--dry-run"
    )
    assert "1050 of 1200 conversations are eligible." in result.stdout
    assert "Left out: 140 rejected, 10 archived." in result.stdout
    assert system.sent("POST", FILES) == []


def test_ids_are_read_from_a_file(brightrun: BrightRun, system: FakeSystem, tmp_path: Path) -> None:
    listed = tmp_path / "ids.txt"
    listed.write_text("c-2\nc-3\n", encoding="utf-8")
    result = brightrun(
        "training-files", "create", "c-1", "--ids-from", str(listed), "--name", "First"
    )
    assert result.exit_code == 0
    assert system.sent("POST", FILES)[0].body["conversation_ids"] == ["c-1", "c-2", "c-3"]
    missing = brightrun("training-files", "create", "--ids-from", "nowhere", "--name", "First")
    assert (missing.exit_code, "nowhere cannot be read" in missing.stderr) == (2, True)


@pytest.mark.parametrize("arguments", [(), ("c-1", "--status", "approved")])
def test_conversations_are_named_or_found_but_not_both(
    brightrun: BrightRun, arguments: tuple[str, ...]
) -> None:
    result = brightrun("training-files", "create", *arguments, "--name", "First")
    assert result.exit_code == 2
    assert "either conversations or filters" in result.stderr
