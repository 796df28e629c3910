"""What our own checks make of Claude's answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.conversations.model import (
    RAW_CONVERSATION_SCHEMA,
    parsed_document,
    read_conversation,
)
from brightrun.core.errors import ConversationRefusedError
from tests.builders import a_conversation, a_turn


def read(document: Any, *, at_least: int = 2, at_most: int = 5) -> Any:
    text = document if isinstance(document, str) else json.dumps(document)
    return read_conversation(text, min_exchanges=at_least, max_exchanges=at_most)


def refusal(document: Any, **bounds: int) -> ConversationRefusedError:
    with pytest.raises(ConversationRefusedError) as refused:
        read(document, **bounds)
    return refused.value


def with_turns(*turns: dict[str, Any]) -> dict[str, Any]:
    return a_conversation(turns=list(turns))


def test_a_good_conversation_is_read() -> None:
    assert len(read(a_conversation(3)).turns) == 6


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ([], "no_turns"),
        ([a_turn(1, role="assistant"), a_turn(2)], "role_order"),
        ([a_turn(1), a_turn(2, role="user")], "role_order"),
        ([a_turn(1), a_turn(2), a_turn(3)], "ends_on_user_turn"),
        ([a_turn(1), a_turn(3)], "turn_numbers"),
        ([a_turn(1), a_turn(2, " \n ")], "empty_turn"),
        ([a_turn(1, "The same."), a_turn(2, "the  SAME.")], "repeated_turn"),
        ([a_turn(1), a_turn(2, "It is called the \\")], "cut_off_turn"),
        ([a_turn(1), a_turn(2, "It is called the \\ \n")], "cut_off_turn"),
        ([a_turn(1), a_turn(2, "One.\\n\\nTwo.")], "literal_escape"),
        ([a_turn(1), a_turn(2, 'They call it \\"the gap\\".')], "literal_escape"),
        ([a_turn(1), a_turn(2, "An ellipsis\\u2026")], "literal_escape"),
    ],
)
def test_each_defect_is_refused_by_its_name(turns: list[dict[str, Any]], reason: str) -> None:
    assert refusal(with_turns(*turns)).reason == reason


def test_a_cut_off_turn_counts_as_truncation() -> None:
    error = refusal(with_turns(a_turn(1), a_turn(2, "It is called the \\")))
    assert (error.failure_type, error.pattern) == ("truncation", "trailing_backslash")


@pytest.mark.parametrize("exchanges", [2, 6])
def test_length_is_counted_in_exchanges(exchanges: int) -> None:
    assert refusal(a_conversation(exchanges), at_least=3).reason == "exchanges_out_of_range"
    assert len(read(a_conversation(exchanges), at_least=2, at_most=6).turns) == 2 * exchanges


@pytest.mark.parametrize(
    "text", ["", "no json", "[1, 2", "[" * 200_000, '{"turns": NaN', "\ufeff{}"]
)
def test_what_is_not_json_is_a_parse_error(text: str) -> None:
    assert refusal(text).failure_type == "parse_error"


@pytest.mark.parametrize(
    "change",
    [
        {"turns": None},
        {"extra": 1},
        {"conversation_metadata": {}},
        {"turns": [{**a_turn(1), "role": "system"}]},
        {"turns": [{**a_turn(1), "content": 7}]},
        {"turns": [{**a_turn(1), "turn_number": "1"}]},
        {"turns": [{**a_turn(1), "emotional_context": {"primary_emotion": "x", "intensity": 1.1}}]},
        {"turns": [{**a_turn(1), "emotional_context": {"primary_emotion": "", "intensity": 1}}]},
    ],
)
def test_what_breaks_the_schema_is_refused_and_named(change: dict[str, Any]) -> None:
    error = refusal({**a_conversation(), **change})
    assert (error.failure_type, error.reason) == ("validation_error", "schema_violation")


def test_a_refusal_does_not_quote_the_answer() -> None:
    secret = "a very private sentence"
    error = refusal({**a_conversation(), "conversation_metadata": {"client_persona": [secret]}})
    assert secret not in error.message


@pytest.mark.parametrize(
    "text",
    [
        "A path such as C:\\docs is no escape.",
        'Quotes "like these" and newlines\nare fine.',
        "Back\\slash in the middle.",
    ],
)
def test_ordinary_text_is_not_mistaken_for_a_defect(text: str) -> None:
    assert read(with_turns(a_turn(1), a_turn(2, text)), at_least=1).turns[1].content == text


@given(st.lists(st.text(min_size=1), min_size=2, max_size=10))
def test_any_text_is_either_read_whole_or_refused(texts: list[str]) -> None:
    turns = [a_turn(number, text) for number, text in enumerate(texts, start=1)]
    try:
        conversation = read(with_turns(*turns), at_least=1)
    except ConversationRefusedError as error:
        assert error.reason in {
            "role_order",
            "ends_on_user_turn",
            "empty_turn",
            "cut_off_turn",
            "literal_escape",
            "repeated_turn",
            "exchanges_out_of_range",
        }
    else:
        assert [turn.content for turn in conversation.turns] == texts


def test_the_parsed_file_keeps_numbers_and_order_as_they_came() -> None:
    conversation = a_conversation(1)
    conversation["turns"][0]["emotional_context"]["intensity"] = 1
    document = parsed_document(
        json.dumps(conversation), client_persona="Ours", input_parameters={"persona_id": "p"}
    )
    assert json.dumps(document["turns"]) == json.dumps(conversation["turns"])
    assert document["conversation_metadata"]["client_persona"] == "Ours"
    assert list(document) == ["conversation_metadata", "turns", "input_parameters"]


def objects_in(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for part in schema for found in objects_in(part)]
    if not isinstance(schema, dict):
        return []
    here = [schema] if schema.get("type") == "object" else []
    return here + [found for part in schema.values() for found in objects_in(part)]


def test_the_schema_uses_only_what_structured_outputs_support() -> None:
    assert len(objects_in(RAW_CONVERSATION_SCHEMA)) == 4
    for found in objects_in(RAW_CONVERSATION_SCHEMA):
        assert found["additionalProperties"] is False
        assert set(found["required"]) <= set(found["properties"])
    unsupported = {"minimum", "maximum", "minLength", "maxLength", "pattern", "maxItems"}
    assert not any(f'"{word}"' in json.dumps(RAW_CONVERSATION_SCHEMA) for word in unsupported)
