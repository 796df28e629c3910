"""What a scaffolding record must be, and the records that ship with the product."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.core.errors import InvalidInputError
from brightrun.scaffolding.builtin import NAMESPACE, builtin_records
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    Record,
    TrainingTopic,
    read_record,
)
from tests.fakes import scaffolding as build

KINDS: list[type[Record]] = [Persona, EmotionalArc, TrainingTopic, PromptTemplate, Consultant]

KNOWN_IDS = {
    "overwhelmed_avoider": "5a4a6042-5bb7-4da6-b2e2-119b6f97be6f",
    "anxious_planner": "74b5a919-d2e5-416a-b432-02b1751c989e",
    "pragmatic_optimist": "aa514346-cd61-42ac-adad-498934975402",
    "confusion_to_clarity": "53583301-5758-4781-99df-57b9c5fc1949",
    "shame_to_acceptance": "d2466485-d5a0-4c54-b9c4-d5ce3cf47ad3",
    "fear_to_confidence": "4d2efafa-1df5-42de-9568-dc41b3839d7b",
    "overwhelm_to_empowerment": "1cb3c7a2-77e7-48d2-90f3-bd91e4fd4f51",
    "roth_ira_conversion": "c2ae62f4-7164-45f6-a083-14abe5af7b67",
    "hiding_financial_problems": "99d753ea-71fa-4716-ae82-e4dc7cfe2e02",
}


def changed(record: Record, **fields: Any) -> dict[str, Any]:
    return {**record.model_dump(), **fields}


def test_three_personas_ten_arcs_sixty_five_topics_and_ten_templates_ship() -> None:
    assert [len(builtin_records(kind)) for kind in KINDS] == [3, 10, 65, 10, 1]


def test_twenty_topics_are_active() -> None:
    topics = builtin_records(TrainingTopic)
    assert sum(topic.is_active for topic in topics) == 20
    assert Counter(topic.complexity_level for topic in topics) == {
        "beginner": 12,
        "intermediate": 40,
        "advanced": 13,
    }


def test_seven_arcs_are_core_and_three_are_edge_cases() -> None:
    arcs = builtin_records(EmotionalArc)
    edge = {arc.arc_key for arc in arcs if arc.conversation_category == "edge"}
    assert edge == {"crisis_to_referral", "hostility_to_boundary", "overwhelm_to_triage"}
    assert {arc.arc_key for arc in arcs if arc.tier == "edge_case"} == edge


def test_every_arc_has_exactly_one_template_of_its_tier() -> None:
    tiers = {arc.arc_key: arc.tier for arc in builtin_records(EmotionalArc)}
    served = {one.emotional_arc_type: one.tier for one in builtin_records(PromptTemplate)}
    assert served == tiers


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_those_of_the_original_or_derived_from_the_key(kind: type[Record]) -> None:
    name = {"template": "prompt_template"}.get(kind.kind, kind.kind.replace(" ", "_"))
    for record in builtin_records(kind):
        key = record.emotional_arc_type if isinstance(record, PromptTemplate) else record.key
        derived = str(uuid.uuid5(NAMESPACE, f"{name}:{key}"))
        assert record.id == KNOWN_IDS.get(record.key, record.id)
        assert record.id == derived or uuid.UUID(record.id).version == 4


def test_no_two_shipped_records_share_an_id_or_a_key() -> None:
    for kind in KINDS:
        records = builtin_records(kind)
        assert len({one.id for one in records}) == len({one.key for one in records}) == len(records)


def test_every_key_that_a_shipped_record_lists_exists() -> None:
    keys = {
        kind: {record.key for record in builtin_records(kind)}
        for kind in (Persona, EmotionalArc, TrainingTopic)
    }
    for arc in builtin_records(EmotionalArc):
        assert set(arc.suitable_personas) <= keys[Persona]
        assert set(arc.suitable_topics) <= keys[TrainingTopic]
    for topic in builtin_records(TrainingTopic):
        assert set(topic.suitable_personas) <= keys[Persona]
        assert set(topic.suitable_emotional_arcs) <= keys[EmotionalArc]


def test_topics_bring_two_or_three_typical_questions() -> None:
    counts = {len(one.typical_question_examples) for one in builtin_records(TrainingTopic)}
    assert counts <= {2, 3}


def test_no_two_topics_share_a_description() -> None:
    topics = builtin_records(TrainingTopic)
    assert len({topic.description for topic in topics}) == len(topics)


def test_the_consultant_speaks_for_herself_in_the_system_prompt() -> None:
    elena = build.consultant()
    assert (elena.name, elena.years_experience) == ("Elena Morales, CFP", 15)
    assert 400 <= len(elena.system_prompt) <= 900
    assert len(elena.communication_style.techniques) == len(elena.communication_style.avoid) == 5


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("starting_intensity", 0.8, 0.7),
        ("ending_intensity", 1.0, 0.0),
        ("typical_turn_count", 6, 4),
    ],
)
def test_a_range_that_runs_downwards_is_refused_by_name(
    field: str, low: float, high: float
) -> None:
    with pytest.raises(InvalidInputError, match=rf"{field}_min .* is over {field}_max"):
        read_record(
            EmotionalArc, changed(build.arc(), **{f"{field}_min": low, f"{field}_max": high})
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("starting_intensity_min", -0.1),
        ("ending_intensity_max", 1.01),
        ("starting_intensity_max", float("nan")),
        ("typical_turn_count_min", 0),
        ("typical_turn_count_max", 13),
        ("complexity_baseline", 11),
        ("tier", "gold"),
        ("arc_key", "Not A Key"),
        ("key_principles", []),
        ("starting_emotion", "fear | anger"),
        ("starting_emotion", "fear\nto: joy"),
        ("name", " "),
        ("usage_count", 7),
    ],
)
def test_a_field_out_of_bounds_is_named(field: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        read_record(EmotionalArc, changed(build.arc(), **{field: value}))
    assert field in {fault["field"] for fault in refusal.value.details}
    assert field in refusal.value.message


def test_every_wrong_field_is_listed_at_once() -> None:
    with pytest.raises(InvalidInputError) as refusal:
        read_record(Persona, changed(build.persona(), name="", demographics={"age": 5}))
    assert [fault["field"] for fault in refusal.value.details] == ["name", "demographics.age"]


def test_what_templates_need_cannot_be_blank() -> None:
    for field in ("financial_background", "typical_questions", "language_patterns"):
        with pytest.raises(InvalidInputError, match=field):
            read_record(Persona, changed(build.persona(), **{field: ""}))


def test_a_record_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        build.persona().name = "Somebody Else"  # type: ignore[misc]


@given(st.data())
def test_every_shipped_record_survives_json(data: st.DataObject) -> None:
    record = data.draw(st.sampled_from([one for kind in KINDS for one in builtin_records(kind)]))
    assert type(record).model_validate_json(record.model_dump_json()) == record
