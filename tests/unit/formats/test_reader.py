"""What a record lacks, or has twice, is told by its name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.validation.records import checked, messages, said


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"messages": None, "id": None}, "all its fields are null: messages, id"),
        ({"messages": None, "id": 7}, "its fields: messages, id; 'messages' is null"),
        ({"Prompt": "a", "Completion": "b"}, "did you mean 'prompt'?"),
        ({"dialog": said("a", "b")}, "'dialog' holds turns: did you mean 'messages'?"),
        ({}, "it is empty"),
    ],
)
def test_a_record_of_no_known_format_is_told_by_its_fields(
    record: dict[str, Any], told: str
) -> None:
    (problem,) = checked(record).errors
    assert problem.code == "unknown_format"
    assert told in problem.message


def test_a_second_system_prompt_is_told_as_one() -> None:
    record = {"messages": [*said(system="a"), *said(system="b"), *messages()["messages"]]}
    (problem,) = checked(record).errors
    assert (problem.code, problem.pointer) == ("misplaced_system", "/messages/1/content")
    assert "one stands before it" in problem.message
