"""personas, arcs, topics, templates and compatibility."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from brightrun.scaffolding import model, schemas
from brightrun.scaffolding.builtin import builtin_records
from brightrun.scaffolding.service import ScaffoldingEditor
from tests.builders import SteppedClock
from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import TEMPLATE
from tests.cli.fake_system import FakeSystem
from tests.fakes.scaffolding import InMemoryScaffolding

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


CHECK = "/api/scaffolding/check-compatibility"
KINDS: dict[str, tuple[Any, Any, Any]] = {
    "personas": (model.Persona, model.PersonaContent, schemas.PersonaList),
    "arcs": (model.EmotionalArc, model.EmotionalArcContent, schemas.EmotionalArcList),
    "topics": (model.TrainingTopic, model.TrainingTopicContent, schemas.TrainingTopicList),
    "templates": (model.PromptTemplate, model.PromptTemplateContent, schemas.TemplateList),
}


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


FIT = ("compatibility", "--persona", "anxious_planner", "--arc", "a-1", "--topic", "no_topic")


def test_compatibility_names_the_template_and_what_does_not_fit(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    assert json.loads(brightrun(*FIT, "--json").stdout)["confidence"] == 0.8
    assert system.requests[-1].body == {
        "persona_id": "anxious_planner",
        "emotional_arc_id": "a-1",
        "training_topic_id": "no_topic",
    }
    output = brightrun(*FIT).stdout
    assert "Fear template" in output
    assert "The arc is not meant for Jennifer." in output


def test_compatibility_says_when_there_is_no_template(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    lacking = ["The persona does not exist.", "The training topic does not exist."]
    answer = {"is_compatible": False, "confidence": 0.0, "warnings": lacking, "suggestions": []}
    system.route("POST", CHECK, lambda _, __: {"success": True, "template": None, **answer})
    output = brightrun(*FIT).stdout
    assert all(sentence in output for sentence in lacking)
    assert "none" in output


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_an_example_can_be_created_as_it_is(
    brightrun: BrightRun, system: FakeSystem, group: Group
) -> None:
    record_type, content_type, list_type = KINDS[group.name]
    records = builtin_records(record_type)
    shown = list_type(**{group.list_key: records, "count": len(records)})
    system.route("GET", group.path, lambda _, __: shown.model_dump(mode="json"))
    printed = brightrun(group.name, "example")
    assert printed.exit_code == 0
    example = json.loads(printed.stdout)
    assert json.loads(brightrun(group.name, "example", "--json").stdout) == example
    editor = ScaffoldingEditor(InMemoryScaffolding(), SteppedClock())
    created = editor.create("owner-1", record_type, content_type.model_validate(example))
    assert created.key == example[record_type.key_field]


PREVIEW = ("templates", "preview")
CHOSEN = ("--persona", "anxious_planner", "--arc", "a-1", "--topic", "t-2")


def serve_preview(system: FakeSystem, **changes: Any) -> None:
    answer = {
        "success": True,
        "prompt": "Jennifer asks about {{topic_nme}}.",
        "system_prompt": "You are a planner.",
        "length": 1234,
        "max_length": 40_000,
        "unresolved": ["topic_nme"],
        "tier": "scenario",
        "template": None,
        **changes,
    }
    system.route("POST", "/api/templates/preview", lambda _, __: answer)


def test_a_draft_is_previewed_from_its_file_and_what_is_unknown_is_named(
    brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    serve_preview(system)
    (tmp_path / "draft.json").write_text('{"template_text": "{{persona_name}} {{topic_nme}}"}')
    result = brightrun(*PREVIEW, *CHOSEN, "--tier", "scenario", "--file", "draft.json")
    assert result.exit_code == 1
    for text in ("Jennifer asks about {{topic_nme}}.", "You are a planner.", "1,234 of at most"):
        assert text in result.stdout
    assert system.requests[-1].body == {
        "persona_id": "anxious_planner",
        "emotional_arc_id": "a-1",
        "training_topic_id": "t-2",
        "tier": "scenario",
        "template_text": "{{persona_name}} {{topic_nme}}",
    }


def test_a_complete_template_is_previewed_by_its_name(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    named = {"id": TEMPLATE, "template_name": "Fear template", "tier": "template"}
    serve_preview(system, unresolved=[], template=named, prompt="All said.")
    result = brightrun(*PREVIEW, "Fear template", *CHOSEN)
    assert result.exit_code == 0
    assert "Fear template" in result.stdout
    assert system.requests[-1].body["template_id"] == "Fear template"
    assert brightrun(*PREVIEW, "Fear template", *CHOSEN, "--file", "x.json").exit_code == 2
