"""Creating, editing and deactivating scaffolding, and finding it again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from brightrun.core.errors import (
    DuplicateKeyError,
    InvalidInputError,
    TemplateSyntaxError,
    UnknownScaffoldingError,
    VersionConflictError,
)
from brightrun.scaffolding import service
from brightrun.scaffolding.model import (
    Consultant,
    ConsultantContent,
    Content,
    EmotionalArc,
    EmotionalArcContent,
    Persona,
    PersonaContent,
    PromptTemplate,
    PromptTemplateContent,
    Record,
    TrainingTopic,
    TrainingTopicContent,
)
from brightrun.scaffolding.service import ScaffoldingEditor
from tests.fakes import scaffolding as build

OWNER, OTHER = "owner-1", "owner-2"
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)

C = TypeVar("C", bound=Content)


@pytest.fixture
def rows() -> build.InMemoryScaffolding:
    return build.InMemoryScaffolding()


@pytest.fixture
def editor(rows: build.InMemoryScaffolding) -> ScaffoldingEditor:
    return ScaffoldingEditor(rows, lambda: NOW)


def written(record: Any, content_type: type[C], **changes: Any) -> C:
    """The part of a record that people write, with some fields changed."""
    kept = {*Record.model_fields, "consultant_key"} - set(content_type.model_fields)
    fields = record.model_dump(exclude=kept)
    return content_type.model_validate({**fields, **changes})


def persona_content(**changes: Any) -> PersonaContent:
    return written(build.persona(), PersonaContent, **{"persona_key": "new_saver", **changes})


def template_content(**changes: Any) -> PromptTemplateContent:
    fresh = {"template_name": "Mine", "template_text": "For {{persona_name}}."}
    return written(build.template(), PromptTemplateContent, **{**fresh, **changes})


def test_a_new_record_belongs_to_its_owner_alone(editor: ScaffoldingEditor) -> None:
    made = editor.create(OWNER, Persona, persona_content())
    assert (made.origin, made.version, made.created_at) == ("own", 1, "2026-11-21T08:30:00.000Z")
    assert editor.catalog().persona(OWNER, "new_saver") == made
    assert editor.catalog().persona(OWNER, made.id) == made
    assert len(editor.catalog().all(OWNER, Persona)) == 4
    assert len(editor.catalog().all(OTHER, Persona)) == 3
    with pytest.raises(UnknownScaffoldingError):
        editor.catalog().persona(OTHER, made.id)


@pytest.mark.parametrize("key", ["overwhelmed_avoider", "new_saver"])
def test_a_key_is_taken_only_once(editor: ScaffoldingEditor, key: str) -> None:
    editor.create(OWNER, Persona, persona_content())
    with pytest.raises(DuplicateKeyError, match=key) as refusal:
        editor.create(OWNER, Persona, persona_content(persona_key=key))
    assert refusal.value.details == {"persona_key": key}


def test_another_owner_may_use_the_same_key(editor: ScaffoldingEditor) -> None:
    first = editor.create(OWNER, Persona, persona_content())
    second = editor.create(OTHER, Persona, persona_content())
    assert first.id != second.id


def test_editing_a_built_in_record_makes_the_owners_version(editor: ScaffoldingEditor) -> None:
    edited = editor.edit(OWNER, Persona, "anxious_planner", {"name": "Jennifer Lopez-Martinez"})
    assert (edited.origin, edited.version, edited.created_at) == ("edited", 2, None)
    assert edited.id == build.persona("anxious_planner").id
    assert editor.catalog().persona(OWNER, edited.id).name == "Jennifer Lopez-Martinez"
    assert editor.catalog().persona(OTHER, edited.id).name == "Jennifer Martinez"
    assert [one.key for one in editor.catalog().all(OWNER, Persona)] == [
        "overwhelmed_avoider",
        "anxious_planner",
        "pragmatic_optimist",
    ]


def test_a_second_edit_builds_on_the_first(editor: ScaffoldingEditor) -> None:
    editor.edit(OWNER, Persona, "anxious_planner", {"name": "J. Martinez"})
    twice = editor.edit(OWNER, Persona, "anxious_planner", {"occupation": "Director"})
    assert (twice.name, twice.occupation, twice.version) == ("J. Martinez", "Director", 3)


@pytest.mark.parametrize("seen", [1, 3, 0])
def test_an_edit_of_another_version_is_refused_with_the_current_one(
    editor: ScaffoldingEditor, seen: int
) -> None:
    editor.edit(OWNER, Persona, "anxious_planner", {"name": "First"})
    with pytest.raises(VersionConflictError, match="version 2") as refusal:
        editor.edit(OWNER, Persona, "anxious_planner", {"name": "Late"}, frozenset({seen, 9}))
    assert refusal.value.details["name"] == "First"
    assert (
        editor.edit(OWNER, Persona, "anxious_planner", {"name": "Third"}, frozenset({1, 2})).version
        == 3
    )


def test_an_edit_that_crosses_another_is_refused(rows: build.InMemoryScaffolding) -> None:
    other = ScaffoldingEditor(rows, lambda: NOW)

    def interrupted() -> datetime:
        # The clock is read between reading the record and writing it.
        other.edit(OWNER, Persona, "anxious_planner", {"name": "Faster"})
        return NOW

    with pytest.raises(VersionConflictError):
        ScaffoldingEditor(rows, interrupted).edit(
            OWNER, Persona, "anxious_planner", {"name": "Slower"}
        )
    assert other.catalog().persona(OWNER, "anxious_planner").name == "Faster"


def test_an_edit_that_breaks_a_rule_changes_nothing(editor: ScaffoldingEditor) -> None:
    with pytest.raises(InvalidInputError, match="typical_turn_count_min"):
        editor.edit(OWNER, EmotionalArc, "fear_to_confidence", {"typical_turn_count_min": 9})
    with pytest.raises(InvalidInputError, match="name"):
        editor.edit(OWNER, EmotionalArc, "fear_to_confidence", {"name": None})
    assert editor.catalog().emotional_arc(OWNER, "fear_to_confidence").origin == "built_in"


def test_a_deactivated_record_is_found_but_not_listed(editor: ScaffoldingEditor) -> None:
    gone = editor.deactivate(OWNER, Persona, "anxious_planner")
    assert not gone.is_active
    assert gone.key not in {one.key for one in editor.catalog().active(OWNER, Persona)}
    assert editor.catalog().persona(OWNER, "anxious_planner") == gone
    assert editor.catalog().persona(OTHER, "anxious_planner").is_active


def test_deactivating_twice_changes_nothing(editor: ScaffoldingEditor) -> None:
    once = editor.deactivate(OWNER, TrainingTopic, "esg_investing")
    assert editor.deactivate(OWNER, TrainingTopic, "esg_investing") == once


def test_only_a_version_that_was_seen_is_deactivated(editor: ScaffoldingEditor) -> None:
    with pytest.raises(VersionConflictError, match="version 1"):
        editor.deactivate(OWNER, TrainingTopic, "esg_investing", frozenset({2}))
    assert editor.deactivate(OWNER, TrainingTopic, "esg_investing", frozenset({1})).version == 2


def test_the_consultant_is_replaced_as_a_whole(editor: ScaffoldingEditor) -> None:
    content = written(build.consultant(), ConsultantContent, name="Ada Stone, CFP")
    changed = editor.put_consultant(OWNER, content, frozenset({1}))
    assert (changed.name, changed.version) == ("Ada Stone, CFP", 2)
    assert editor.catalog().consultant(OWNER) == changed
    assert editor.catalog().consultant(OTHER).name == "Elena Morales, CFP"
    assert len(editor.catalog().all(OWNER, Consultant)) == 1
    with pytest.raises(VersionConflictError):
        editor.put_consultant(OWNER, content, frozenset({1}))


def test_a_key_that_does_not_exist_is_refused_where_it_is_named(editor: ScaffoldingEditor) -> None:
    content = written(
        build.topic(),
        TrainingTopicContent,
        topic_key="pet_insurance",
        suitable_emotional_arcs=["fear_to_confidance"],
    )
    with pytest.raises(InvalidInputError, match="fear_to_confidence") as refusal:
        editor.create(OWNER, TrainingTopic, content)
    assert refusal.value.details[0]["field"] == "suitable_emotional_arcs"


def test_own_records_can_refer_to_each_other(editor: ScaffoldingEditor) -> None:
    arc = written(build.arc(), EmotionalArcContent, arc_key="grief_to_healing")
    editor.create(OWNER, EmotionalArc, arc)
    made = editor.create(
        OWNER, PromptTemplate, template_content(emotional_arc_type="grief_to_healing")
    )
    assert editor.catalog().templates_for_arc(OWNER, "grief_to_healing") == (made,)
    assert editor.catalog().templates_for_arc(OTHER, "grief_to_healing") == ()


def test_a_template_with_an_unknown_placeholder_cannot_be_saved(editor: ScaffoldingEditor) -> None:
    with pytest.raises(InvalidInputError, match=r"\{\{persona_shoe_size\}\}.*persona_name"):
        editor.create(
            OWNER, PromptTemplate, template_content(template_text="{{persona_shoe_size}}")
        )
    made = editor.create(OWNER, PromptTemplate, template_content())
    with pytest.raises(TemplateSyntaxError, match="line 1, column 3"):
        editor.edit(OWNER, PromptTemplate, made.id, {"template_text": "a {{persona_name"})
    assert editor.catalog().template(OWNER, "Mine") == made


def test_owners_cannot_fill_a_kind_without_end(
    editor: ScaffoldingEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_OWN_RECORDS", 2)
    editor.edit(OWNER, Persona, "anxious_planner", {"name": "Edited, not added"})
    editor.create(OWNER, Persona, persona_content(persona_key="first"))
    editor.create(OWNER, Persona, persona_content(persona_key="second"))
    with pytest.raises(InvalidInputError, match="2 records of the kind 'persona'"):
        editor.create(OWNER, Persona, persona_content(persona_key="third"))


def test_owners_cannot_store_more_of_a_kind_than_one_list_can_answer(
    editor: ScaffoldingEditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_OWN_BYTES", 12_000)
    text = "\u0407" * 2000
    first = editor.create(OWNER, PromptTemplate, template_content(template_text=text))
    large = template_content(template_name="Other", template_text=text * 2)
    with pytest.raises(InvalidInputError, match=r"'template' would have 0\.0 MB together"):
        editor.create(OWNER, PromptTemplate, large)
    second = editor.create(OWNER, PromptTemplate, template_content(template_name="Other"))
    with pytest.raises(InvalidInputError, match="Shorten one of them"):
        editor.edit(OWNER, PromptTemplate, second.id, {"template_text": text * 2})
    monkeypatch.setattr(service, "MAX_OWN_BYTES", 10)
    shorter = editor.edit(OWNER, PromptTemplate, first.id, {"template_text": text[4:]})
    assert editor.deactivate(OWNER, PromptTemplate, shorter.id).is_active is False
