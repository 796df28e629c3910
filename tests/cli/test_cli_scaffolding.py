"""personas, arcs, topics, templates and compatibility."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import TEMPLATE
from tests.cli.fake_system import FakeSystem

pytestmark = pytest.mark.usefixtures("signed_in")


@dataclass(frozen=True)
class Group:
    """One group of commands, and the names its records have in answers."""

    name: str
    list_key: str
    record_key: str
    ref: str
    path: str


GROUPS = [
    Group("personas", "personas", "persona", "anxious_planner", "/api/scaffolding/personas"),
    Group("arcs", "emotional_arcs", "emotional_arc", "a-1", "/api/scaffolding/emotional-arcs"),
    Group("topics", "training_topics", "training_topic", "t-2", "/api/scaffolding/training-topics"),
    Group("templates", "templates", "template", TEMPLATE, "/api/templates"),
]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_each_kind_can_be_listed_shown_created_edited_and_deactivated(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path, group: Group
) -> None:
    name, ref = group.name, group.ref
    (tmp_path / "new.json").write_text('{"name": "New"}')

    listed = json.loads(brightrun(name, "list", "--json").stdout)
    output = json.loads(brightrun(name, "show", ref, "--json").stdout)
    created = json.loads(brightrun(name, "create", "--file", "new.json", "--json").stdout)
    edited = json.loads(brightrun(name, "edit", ref, "--set", "name=Other", "--json").stdout)
    removed = brightrun(name, "deactivate", ref, "--json")

    assert listed["count"] == len(listed[group.list_key]) > 0
    assert ref in output[group.record_key].values()
    assert created[group.record_key]["name"] == "New"
    assert edited[group.record_key]["name"] == "Other"
    assert removed.exit_code == 0
    assert [one.body for one in system.sent("POST", group.path)] == [{"name": "New"}]
    assert [one.body for one in system.sent("PATCH", f"{group.path}/{ref}")] == [{"name": "Other"}]
    assert len(system.sent("DELETE", f"{group.path}/{ref}")) == 1


def test_list_is_a_table_of_keys(brightrun: BrightRun) -> None:
    result = brightrun("personas", "list")

    assert "anxious_planner" in result.stdout
    assert "Jennifer" in result.stdout


def test_list_asks_for_inactive_records_and_stops_at_the_limit(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    result = brightrun("topics", "list", "--active", "all", "--limit", "2", "--json")

    assert json.loads(result.stdout)["count"] == 2
    assert system.requests[-1].query["is_active"] == "all"


def test_values_are_json_or_else_text(brightrun: BrightRun, system: FakeSystem) -> None:
    changes = ("is_active=true", "name=Plain words", 'suits=["a", "b"]', "rate=0.5", 'key="5"')
    options = [part for change in changes for part in ("--set", change)]

    brightrun("arcs", "edit", "a-1", *options)

    assert system.requests[-1].body == {
        "is_active": True,
        "name": "Plain words",
        "suits": ["a", "b"],
        "rate": 0.5,
        "key": "5",
    }


@pytest.mark.parametrize("options", [[], ["--set", "name"], ["--set", "=x"], ["--file", "no.json"]])
def test_edit_without_a_usable_change_is_refused(
    brightrun: BrightRun, system: FakeSystem, options: list[str]
) -> None:
    assert brightrun("arcs", "edit", "a-1", *options).exit_code == 2
    assert system.requests == []


def test_unknown_key_is_not_found(brightrun: BrightRun) -> None:
    result = brightrun("personas", "show", "nobody", "--json")

    error = json.loads(result.stderr)
    assert result.exit_code == 4
    assert (error["code"], error["status"]) == ("not_found", 404)
    assert result.stdout == ""


def test_key_with_a_slash_stays_one_segment(brightrun: BrightRun, system: FakeSystem) -> None:
    brightrun("personas", "show", "a/b?c")

    assert system.requests[-1].path == "/api/scaffolding/personas/a/b?c"
    assert system.requests[-1].query == {}


def test_compatibility_is_checked_by_id(brightrun: BrightRun, system: FakeSystem) -> None:
    options = ("--persona", "anxious_planner", "--arc", "a-1", "--topic", "spending_priorities")

    result = brightrun("compatibility", *options, "--json")

    assert json.loads(result.stdout)["confidence"] == 0.8
    assert system.requests[-1].body == {
        "persona_id": "p-1",
        "emotional_arc_id": "a-1",
        "training_topic_id": "t-2",
    }
    assert "0.8" in brightrun("compatibility", *options).stdout
