from __future__ import annotations

from typing import Any, Literal

import pytest
from anthropic import transform_schema
from pydantic import BaseModel, Field

from local.claude_simulator.author import wants_conversation
from local.claude_simulator.schema_example import conform, example, violate
from local.claude_simulator.schema_rules import check_schema

from .requests import CONVERSATION_SCHEMA, TEXT, closed_object, seeded


class Step(BaseModel):
    name: str = Field(min_length=20, max_length=30)
    minutes: int = Field(ge=5, le=10)


class Plan(BaseModel):
    kind: Literal["short", "long"]
    share: float = Field(ge=0.2, le=0.4)
    steps: list[Step] = Field(min_length=4, max_length=12)
    note: str | None
    done: bool


@pytest.mark.parametrize("seed", range(20))
def test_an_example_follows_the_hints_that_the_sdk_writes(seed: int) -> None:
    schema = transform_schema(Plan)
    check_schema(schema)
    plan = Plan.model_validate(example(schema, seeded(seed)))
    assert 4 <= len(plan.steps) <= 12


@pytest.mark.parametrize(
    ("form", "sample"),
    [
        ("date-time", "2026-11-21T00:00:00Z"),
        ("email", "someone@example.com"),
        ("duration", "PT1S"),
    ],
)
def test_string_formats_are_respected(form: str, sample: str) -> None:
    assert example({"type": "string", "format": form}, seeded(1)) == sample


def test_a_uuid_is_a_uuid() -> None:
    value = example({"type": "string", "format": "uuid"}, seeded(1))
    assert [len(part) for part in value.split("-")] == [8, 4, 4, 4, 12]


def test_the_same_generator_state_gives_the_same_example() -> None:
    schema = transform_schema(Plan)
    assert example(schema, seeded(3)) == example(schema, seeded(3))


def test_a_bound_below_zero_is_respected() -> None:
    schema = {"type": "integer", "description": "{maximum: -3}"}
    assert example(schema, seeded(1)) <= -3


def test_a_value_is_cut_to_what_the_schema_declares() -> None:
    schema = closed_object({"a": TEXT, "b": TEXT}, optional=("b",))
    assert conform({"a": "x", "c": "y"}, schema, seeded(1)) == {"a": "x"}


def test_what_is_required_and_missing_gets_an_example() -> None:
    schema = closed_object({"a": TEXT, "level": {"const": 7}})
    assert conform({"a": "x"}, schema, seeded(1)) == {"a": "x", "level": 7}


def test_a_value_finds_its_branch_of_a_union() -> None:
    union = {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Inner"}]}
    schema = {**closed_object({"a": union}), "$defs": {"Inner": closed_object({"b": TEXT})}}
    assert conform({"a": {"b": "x", "c": "y"}}, schema, seeded(1)) == {"a": {"b": "x"}}


def test_a_violation_drops_a_required_property_of_the_last_object() -> None:
    turn = closed_object({"role": TEXT, "note": TEXT}, optional=("note",))
    schema = closed_object({"turns": {"type": "array", "items": turn}})
    value: Any = {"turns": [{"role": "user", "note": "a"}, {"role": "assistant", "note": "b"}]}
    assert violate(value, schema) == {"turns": [{"role": "user", "note": "a"}, {"note": "b"}]}


def test_a_violation_of_a_schema_that_requires_nothing_is_null() -> None:
    assert violate({"note": "a"}, closed_object({"note": TEXT}, optional=("note",))) is None


def test_a_conversation_schema_is_recognised_through_references() -> None:
    properties = CONVERSATION_SCHEMA["properties"]
    turns = {"type": "array", "items": {"$ref": "#/$defs/Turn"}}
    referring = {
        **closed_object({**properties, "turns": turns}),
        "$defs": {"Turn": properties["turns"]["items"]},
    }
    assert wants_conversation(CONVERSATION_SCHEMA)
    assert wants_conversation(referring)
    assert not wants_conversation(
        closed_object({"turns": turns, "conversation_metadata": TEXT})
        | {"$defs": {"Turn": closed_object({"text": TEXT})}}
    )
