"""training-files: create, add, list, show, download."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import TRAINING_FILE
from tests.cli.fake_system import FakeSystem, problem

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
