"""The split that validation leaves is one that the trainer and the receipt can follow."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from brightrun.sft.data import DataReport, pairs_of_file
from brightrun.sft.errors import DatasetError
from brightrun.sft.splits import Split, read_split, split_by_lines
from brightrun.validation.validator import Options, validate

SYSTEM = {"role": "system", "content": "You are kind."}


def greeted(number: int) -> dict[str, Any]:
    """Conversations that all open alike."""
    said = (
        "Hi there",
        f"Hello, visitor number {number}.",
        f"Tell me about {number}.",
        f"{number}!",
    )
    roles = ("user", "assistant")
    turns = [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)]
    return {"messages": [SYSTEM, *turns]}


def pair(number: int) -> dict[str, Any]:
    return {
        "id": f"turn{number}",
        "conversation_id": f"c{number // 3}",
        "system_prompt": SYSTEM["content"],
        "conversation_history": [],
        "current_user_input": f"What of question {number}?",
        "target_response": f"The answer to question {number} is {number * 7}.",
    }


@pytest.mark.parametrize("row", [greeted, pair])
def test_the_validators_split_can_be_followed(row: Any) -> None:
    lines = [json.dumps(row(number)).encode() + b"\n" for number in range(60)]
    found = validate(io.BytesIO(b"".join(lines)), Options())
    assert found.split is not None
    split = read_split(json.dumps(found.split.as_dict()))
    report = DataReport()
    pairs = pairs_of_file(io.BytesIO(b"".join(lines)), "x", report)
    train, held_out = split_by_lines(pairs, report.files[0]["lines"], split)
    assert {pair.line for pair in held_out} == set(split.validation_lines)
    assert (len(train), len(held_out)) == (found.split.training_pairs, found.split.validation_pairs)
    assert held_out


def test_a_conversation_on_both_sides_is_named() -> None:
    lines = [json.dumps(pair(number)).encode() + b"\n" for number in range(6)]
    pairs = pairs_of_file(io.BytesIO(b"".join(lines)), "x", DataReport())
    with pytest.raises(DatasetError, match=r"divides the conversation c1: .* x:4 and x:5"):
        split_by_lines(pairs, 6, Split(version=1, validation_lines=[5]))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 1, "validation_lines": ["3"]}'])
def test_a_file_that_is_no_split_is_refused(text: str) -> None:
    with pytest.raises(DatasetError, match=r"split\.json cannot be used"):
        read_split(text)
