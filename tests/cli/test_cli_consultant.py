"""consultant show, example, edit."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from brightrun.scaffolding.model import ConsultantContent
from tests.cli.conftest import BrightRun
from tests.cli.fake_system import FakeSystem, problem
from tests.fakes import scaffolding

pytestmark = pytest.mark.usefixtures("signed_in")

PATH = "/api/scaffolding/consultant"
CONSULTANT = {**scaffolding.consultant().model_dump(mode="json"), "version": 7}


@pytest.fixture(autouse=True)
def consultant(system: FakeSystem) -> None:
    answer = {"success": True, "consultant": CONSULTANT}
    system.route("GET", PATH, lambda _, __: answer)
    system.route(
        "PUT", PATH, lambda request, _: {"success": True, "consultant": dict(request.body)}
    )


def sent(system: FakeSystem) -> Any:
    (request,) = system.sent("PUT", PATH)
    ConsultantContent.model_validate(request.body)  # as the API reads it
    return request


def test_the_consultant_is_shown(brightrun: BrightRun) -> None:
    assert CONSULTANT["name"] in brightrun("consultant", "show").stdout
    document = json.loads(brightrun("consultant", "show", "--json").stdout)
    assert document["consultant"] == CONSULTANT


def test_fields_are_changed_at_the_version_that_was_read(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    changes = ("--set", "name=Maya Chen", "--set", "core_philosophy.principle_1=Listen first.")
    assert brightrun("consultant", "edit", *changes).exit_code == 0
    request = sent(system)
    assert request.headers["if-match"] == '"v7"'
    assert (request.body["name"], request.body["business"]) == ("Maya Chen", CONSULTANT["business"])
    principles = {**CONSULTANT["core_philosophy"], "principle_1": "Listen first."}
    assert request.body["core_philosophy"] == principles


def test_an_example_is_a_file_that_edit_takes(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    example = json.loads(brightrun("consultant", "example").stdout)
    (tmp_path / "mine.json").write_text(json.dumps({**example, "name": "Somebody Else"}))
    assert brightrun("consultant", "edit", "--file", "mine.json").exit_code == 0
    assert sent(system).body == {**example, "name": "Somebody Else"}


def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "editor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(program))


def test_the_editor_changes_what_it_saves(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(tmp_path, monkeypatch, f"""sed -i 's/{CONSULTANT["name"]}/Maya Chen/' "$1" """)
    assert brightrun("consultant", "edit").exit_code == 0
    assert sent(system).body["name"] == "Maya Chen"


@pytest.mark.parametrize("script", ["exit 1", "echo broken > $1", "exit 0"])
def test_nothing_is_sent_after_an_editor_that_saves_nothing_usable(
    brightrun: BrightRun,
    system: FakeSystem,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
) -> None:
    editor(tmp_path, monkeypatch, script)
    assert brightrun("consultant", "edit").exit_code == 2
    assert system.sent("PUT", PATH) == []


@pytest.mark.parametrize(
    "options",
    [("--set", "tone.warm=x"), ("--set", f"name={CONSULTANT['name']}"), ("--json",)],
)
def test_an_edit_without_a_usable_change_is_refused(
    brightrun: BrightRun,
    system: FakeSystem,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    assert brightrun("consultant", "edit", *options).exit_code == 2
    assert system.sent("PUT", PATH) == []


def test_a_change_by_somebody_else_is_not_written_over(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    system.fail_next("PUT", PATH, problem(409, "It was changed.", "version_conflict"))
    assert brightrun("consultant", "edit", "--set", "name=Maya Chen").exit_code == 5
