"""ShareGPT and Alpaca are read as brightrun.formats converts them, and never otherwise."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given

from brightrun.formats import convert
from brightrun.formats.format import FORMATS
from brightrun.formats.model import Example
from brightrun.sft.data import DataReport, TrainingPair, pairs_of_file
from brightrun.validation.validator import validate
from tests.unit.formats.training_examples import examples

Row = dict[str, Any]


def sharegpt(*turns: tuple[str, str], **more: Any) -> Row:
    return {"conversations": [{"from": who, "value": text} for who, text in turns], **more}


SHAREGPT = sharegpt(("human", "a"), ("gpt", "b"), ("human", "c"), ("gpt", "d"))
ROWS: dict[str, Row] = {
    "ShareGPT": SHAREGPT,
    "system turn": sharegpt(("system", "Be kind."), ("human", "a"), ("gpt", "b")),
    "system field": {**SHAREGPT, "system": "Be kind."},
    "blank system field": {**SHAREGPT, "system": " "},
    "other speakers": sharegpt(("user", "a"), ("chatgpt", "b"), ("user", "c"), ("assistant", "d")),
    "id": {**SHAREGPT, "id": "c1"},
    "numeric id": {**SHAREGPT, "id": 7},
    "weight": sharegpt(
        ("human", "a"), ("gpt", "b"), ("human", "c"), ("gpt", "d"), ("human", "e"), ("gpt", "f")
    ),
    "Alpaca": {"instruction": "a", "output": "b"},
    "input": {"instruction": "a ", "input": " b", "output": "c", "system": "Be kind."},
    "blank input": {"instruction": "a", "input": " ", "output": "b", "system": ""},
    "input alone": {"instruction": "", "input": "a", "output": "b"},
    "history": {"instruction": "c", "output": "d", "history": [["a", "b"]], "system": "s"},
    "no history": {"instruction": "c", "output": "d", "history": None},
}
ROWS["weight"]["conversations"][1]["weight"] = 0


def lines_of(*rows: Row) -> list[bytes]:
    return [json.dumps(row).encode() + b"\n" for row in rows]


def read(lines: list[bytes]) -> tuple[list[TrainingPair], DataReport]:
    report = DataReport()
    return pairs_of_file(BytesIO(b"".join(lines)), "x.jsonl", report), report


def as_messages(lines: list[bytes]) -> list[bytes]:
    out = BytesIO()
    convert(BytesIO(b"".join(lines)), "messages", out)
    return out.getvalue().splitlines(keepends=True)


def counts(report: DataReport) -> tuple[int, ...]:
    return report.rows, report.pairs, report.refused, report.rows_without_trained_tokens


@pytest.mark.parametrize("name", ROWS)
def test_a_row_gives_the_pairs_that_its_conversion_to_messages_gives(name: str) -> None:
    lines = lines_of(ROWS[name])
    assert validate(BytesIO(lines[0])).status == "ready"
    direct, report = read(lines)
    converted, converted_report = read(as_messages(lines))
    assert direct == converted != []
    assert counts(report) == counts(converted_report)


@pytest.mark.parametrize("form", ["sharegpt", "alpaca"], ids=str)
@given(example=examples())
def test_whatever_is_written_in_a_format_is_read_as_its_conversion_is(
    form: str, example: Example
) -> None:
    lines = lines_of(*FORMATS[form].records(example, 1))
    assert read(lines)[0] == read(as_messages(lines))[0]


def test_an_answer_of_weight_zero_is_context_and_so_is_history() -> None:
    pairs, report = read(lines_of(ROWS["weight"]))
    assert [pair.messages[-1]["content"] for pair in pairs] == ["d", "f"]
    assert report.weight_zero == 1
    pairs, report = read(lines_of(ROWS["history"]))
    assert [message["content"] for message in pairs[0].messages] == ["s", "a", "b", "c", "d"]
    assert report.weight_zero == 0


def test_rows_with_nothing_to_learn_are_counted_by_their_reason() -> None:
    _, report = read(
        lines_of({"instruction": "a", "output": " "}, {"instruction": " ", "output": "b"})
    )
    assert report.refused_codes == {"no_trainable_answer": 1, "empty_turn": 1}
    assert (report.refused, report.refused_sources) == (2, ["x.jsonl:1", "x.jsonl:2"])


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (sharegpt(("tool", "a")), "/conversations/0/from: Tool and function calls"),
        (sharegpt(("human", "")), "/conversations/0/value: The turn has no text"),
        ({"conversations": []}, "/conversations: The conversation has no turns"),
        ({**SHAREGPT, "system": 5}, "/system: .*number instead of string"),
        ({"instruction": "a"}, r".*Missing output"),
        ({"instruction": "a", "output": "b", "history": [["a"]]}, "/history/0: .*1 texts"),
    ],
)
def test_a_broken_row_is_named_with_its_place_and_never_validates(row: Row, complaint: str) -> None:
    lines = lines_of(row)
    pairs, report = read(lines)
    assert not pairs
    assert re.match(rf"x\.jsonl, line 1: {complaint}", report.first_refusal)
    validated = validate(BytesIO(lines[0]))
    assert set(report.refused_codes) <= {row.code for row in validated.summary}
    assert (validated.status, validated.refused) == ("error", 1)


def test_two_system_prompts_of_one_row_do_not_validate() -> None:
    row = sharegpt(("system", "a"), ("human", "b"), ("gpt", "c"), system="d")
    (problem,) = validate(BytesIO(lines_of(row)[0])).errors
    assert problem.code == "misplaced_system"


def test_blank_targets_of_v4_pairs_are_not_trained_on() -> None:
    row = {
        "id": "c1",
        "conversation_id": "c",
        "conversation_history": [],
        "current_user_input": "a",
        "target_response": " ",
    }
    pairs, report = read(lines_of(row))
    assert (pairs, report.without_target) == ([], 1)


def test_the_reader_needs_nothing_that_the_image_lacks() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, brightrun.sft.data; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "layers/common/python"},
    ).stdout.split()
    lacking = {"pydantic", "pydantic_core", "boto3", "brightrun.core", "brightrun.validation"}
    assert not lacking & set(loaded)
    ours = {".".join(name.split(".")[:2]) for name in loaded if name.startswith("brightrun.")}
    assert ours == {"brightrun.formats", "brightrun.sft"}
