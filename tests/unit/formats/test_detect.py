"""How the records stand in a file is told by its beginning, whole or broken."""

from __future__ import annotations

import json

import pytest

from tests.unit.formats.test_one_reading import assert_one_truth
from tests.unit.validation.records import found, messages

RECORDS = [messages(f"Question {n}?", f"Answer {n}.") for n in range(4)]
LINES = [json.dumps(record) for record in RECORDS]
CUTS = {
    "its last brace": LINES[0][:-1],
    "the bracket of its turns": LINES[0][:-2],
    "all from inside a text": LINES[0][:50],
    "all from inside a name": LINES[0][:5],
    "all after a comma between turns": LINES[0][: LINES[0].index("},") + 2],
    "all but its first brace": "{",
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_json_lines_of_which_one_was_cut_off_are_read_but_for_it(
    cut: str, at: int, end: str
) -> None:
    lines = [*LINES[:at], cut, *LINES[at + 1 :]]
    result = assert_one_truth(end.join(lines).encode())
    assert found(result.errors) == [(at + 1, "", "invalid_json")]
    assert "column" in result.errors[0].message
    assert (result.records, result.trainable_pairs) == (4, 3)


def test_two_lines_of_which_the_first_was_cut_off_are_lines() -> None:
    result = assert_one_truth("\n".join([LINES[0][:-1], LINES[1]]).encode())
    assert (result.lines, result.trainable_pairs) == (2, 1)


def test_lines_between_brackets_without_commas_are_read_as_lines() -> None:
    result = assert_one_truth("\n".join(["[", *LINES, "]"]).encode())
    assert {row.code: row.lines for row in result.summary} == {"invalid_json": [1, 6]}
    assert result.trainable_pairs == 4


@pytest.mark.parametrize(
    "document",
    [
        ["[", ",\n".join(LINES[:2]), ",\n".join(LINES[2:]), "]"],
        ['{"data": [', ",\n".join(LINES[:2]), ",\n".join(LINES[2:]), "]}"],
    ],
    ids=["array", "wrapped list"],
)
def test_a_document_in_which_one_comma_is_missing_stays_one(document: list[str]) -> None:
    result = assert_one_truth("\n".join(document).encode())
    assert [problem.line for problem in result.errors] == [3]
    assert (result.records, result.trainable_pairs) == (3, 2)


@pytest.mark.parametrize(
    ("document", "count"),
    [
        ("[\n" + "\n,".join(LINES) + "\n]", 4),
        ("[\n" + LINES[0] + "\n]", 1),
        ('{"data": [\n' + "\n,".join(LINES) + "\n]}", 4),
        ('{"data": [\n' + LINES[0] + "\n]}", 1),
    ],
    ids=["commas in front", "a single record", "wrapped, commas in front", "wrapped, single"],
)
def test_a_document_with_a_record_on_each_line_is_no_json_lines(document: str, count: int) -> None:
    result = assert_one_truth(document.encode())
    assert (result.status, result.trainable_pairs) == ("ready", count)
