from __future__ import annotations

from typing import Any

import pytest

from local.claude_simulator.api_errors import ApiError
from local.claude_simulator.schema_rules import check_schema

from .requests import CONVERSATION_SCHEMA, TEXT, closed_object


def refused(schema: Any) -> str:
    with pytest.raises(ApiError) as caught:
        check_schema(schema)
    assert caught.value.status == 400
    return caught.value.message


def with_property(schema: dict[str, Any]) -> dict[str, Any]:
    return closed_object({"value": schema})


def test_the_conversation_schema_is_accepted() -> None:
    check_schema(CONVERSATION_SCHEMA)


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({"type": "integer", "minimum": 1}, "minimum"),
        ({"type": "number", "maximum": 1}, "maximum"),
        ({"type": "number", "multipleOf": 2}, "multipleOf"),
        ({"type": "string", "minLength": 1}, "minLength"),
        ({"type": "string", "maxLength": 9}, "maxLength"),
        ({"type": "string", "pattern": "^a$"}, "pattern"),
        ({"type": "array", "items": TEXT, "maxItems": 3}, "maxItems"),
        ({"type": "array", "items": TEXT, "uniqueItems": True}, "uniqueItems"),
    ],
)
def test_constraint_keywords_are_refused_by_name(schema: dict[str, Any], keyword: str) -> None:
    assert f"property '{keyword}' is not supported ($.value)" in refused(with_property(schema))


def test_open_objects_are_refused_at_any_depth() -> None:
    deep = with_property({"type": "array", "items": {"type": "object", "properties": {}}})
    assert "'additionalProperties' must be explicitly set to false ($.value[])" in refused(deep)


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({"type": "array", "items": TEXT, "minItems": 2}, "other than 0 or 1"),
        ({"type": "string", "format": "color"}, "format 'color' is not supported"),
        ({"enum": [{"a": 1}]}, "complex values"),
        ({"type": "text"}, "'text' is not a supported type"),
        ({}, "needs a 'type'"),
        ({"$ref": "https://example.com/schema"}, "does not name a definition"),
        ("string", "must be an object"),
    ],
)
def test_other_unsupported_schemas_are_refused(schema: Any, complaint: str) -> None:
    assert complaint in refused(with_property(schema))


def test_a_schema_that_is_no_object_is_refused() -> None:
    assert "Input should be an object" in refused("anything")


def test_an_undeclared_required_property_is_refused() -> None:
    schema = {"type": "object", "additionalProperties": False, "required": ["ghost"]}
    assert "required property 'ghost' is not declared" in refused(schema)


def test_recursive_schemas_are_refused() -> None:
    node = closed_object({"next": {"$ref": "#/$defs/Node"}})
    schema = {"$ref": "#/$defs/Node", "$defs": {"Node": node}}
    assert "recursive schemas are not supported" in refused(schema)


def test_references_unions_and_type_lists_are_accepted() -> None:
    definition = {"Name": TEXT}
    union = {"anyOf": [{"$ref": "#/$defs/Name"}, {"type": "null"}]}
    schema = closed_object({"a": union, "b": {"type": ["string", "null"]}, "c": {"const": 1}})
    check_schema({**schema, "$defs": definition})


def test_references_inside_all_of_are_refused() -> None:
    schema = {**with_property({"allOf": [{"$ref": "#/$defs/Name"}]}), "$defs": {"Name": TEXT}}
    assert "'allOf' with '$ref'" in refused(schema)
