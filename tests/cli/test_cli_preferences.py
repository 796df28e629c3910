"""conversations preferences: all parts of the answer in one file, which `validate` takes."""

import json
from pathlib import Path

import pytest

from brightrun.formats import preference_record
from tests.cli.conftest import BrightRun
from tests.cli.fake_system import FakeSystem, Json, Recorded

pytestmark = pytest.mark.usefixtures("signed_in")

PREFERENCES = "/api/conversations/preferences"


def _record(number: int) -> Json:
    prompt = [{"role": "user", "content": f"Why {number}?"}]
    return preference_record(prompt, "Döing well.", "Doing bad.", {"turn_number": 2})


def _serve(system: FakeSystem) -> None:
    def answer(request: Recorded, _: object) -> Json:
        position = request.body["position"]
        return {
            "success": True,
            "selected": 3,
            "examined": 1,
            "records": [_record(position)] if position < 2 else [],
            "omitted": [{"conversation_id": "c", "reason": "too_large"}] if position == 2 else [],
            "next_position": position + 1 if position < 2 else None,
        }

    system.route("POST", PREFERENCES, answer)


def test_every_part_is_in_the_file_and_the_validator_finds_it_ready(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    _serve(system)
    target = tmp_path / "edits.jsonl"
    done = brightrun("conversations", "preferences", "-o", str(target), "--tier", "template")
    assert done.exit_code == 0
    assert "2 edited answers of 3 conversations" in done.stdout.replace("\n", " ")
    assert "1 too_large" in done.stdout
    assert [json.loads(line) for line in target.read_text().splitlines()] == [
        _record(0),
        _record(1),
    ]
    bodies = [one.body for one in system.sent("POST", PREFERENCES)]
    assert bodies == [{"filter": {"tier": "template"}, "position": at} for at in range(3)]
    checked = brightrun("validate", str(target), "--json")
    assert checked.exit_code == 0
    assert json.loads(checked.stdout)["format"] == "preference"


def test_without_a_choice_the_approved_ones_are_asked_for(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    _serve(system)
    brightrun("conversations", "preferences", "-o", str(tmp_path / "edits.jsonl"))
    assert system.sent("POST", PREFERENCES)[0].body == {"position": 0}


def test_a_file_that_is_there_stays_unless_forced(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    _serve(system)
    target = tmp_path / "edits.jsonl"
    target.write_text("mine")
    arguments = ("conversations", "preferences", "c-1", "-o", str(target))
    assert brightrun(*arguments).exit_code == 2
    assert target.read_text() == "mine"
    assert brightrun(*arguments, "--force").exit_code == 0
    assert system.sent("POST", PREFERENCES)[0].body["conversation_ids"] == ["c-1"]


def test_ids_and_filters_together_are_refused(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    target = str(tmp_path / "edits.jsonl")
    arguments = ("conversations", "preferences", "c-1", "--tier", "edge", "-o", target)
    assert brightrun(*arguments).exit_code == 2
    assert system.sent("POST", PREFERENCES) == []
