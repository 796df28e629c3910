"""How the records stand in a file is told by its beginning, whole or broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.formats.one_truth import assert_one_truth
from tests.unit.formats.training_examples import jsonl
from tests.unit.validation.records import found, messages, pair, said

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


def turns(*texts: str) -> list[dict[str, str]]:
    return said(*(texts or ("Question?", "Answer.")))


SHARED_GPT = [{"from": "human", "value": "Question?"}, {"from": "gpt", "value": "Answer."}]
SERVER_ROWS = [
    {"row_idx": at, "row": record, "truncated_cells": []} for at, record in enumerate(RECORDS)
]
READ = {
    "rows of the datasets server": (
        {"features": [{"feature_idx": 0, "name": "messages"}], "rows": SERVER_ROWS, "partial": 0},
        4,
    ),
    "such rows without what stands around them": (SERVER_ROWS, 4),
    "an empty split behind": ({"train": RECORDS, "test": []}, 4),
    "an empty split in front": ({"test": [], "train": RECORDS}, 4),
    "lists of turns": ([turns(), turns("a", "b", "c", "d")], 2),
    "lists of turns by ShareGPT's names": ([SHARED_GPT], 1),
    "lists of turns as conversations": ({"conversations": [turns(), turns("a", "b")]}, 2),
    "lists of turns by any name": ({"name": "x", "data": [turns(), turns("a", "b")]}, 2),
    "the turns of one conversation": (turns("a", "b", "c", "d"), 1),
    "records as messages": ({"messages": RECORDS}, 4),
    "records as conversations": ({"conversations": [{"id": 1, "conversations": SHARED_GPT}]}, 1),
    "pairs as conversations": ({"conversations": [pair()]}, 1),
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(("document", "count"), READ.values(), ids=READ)
def test_records_are_found_in_a_document(document: Any, count: int, indent: int | None) -> None:
    result = assert_one_truth(json.dumps(document, indent=indent).encode())
    assert (result.status, result.records) == ("ready", count)


@pytest.mark.parametrize("values", [SERVER_ROWS, [turns(), turns("a", "b")]], ids=["rows", "turns"])
def test_rows_and_lists_of_turns_are_read_from_lines_too(values: list[Any]) -> None:
    result = assert_one_truth(jsonl(values))
    assert (result.status, result.records) == ("ready", len(values))


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([turns(), turns("a", " ")], "/1/1/content"),
        ({"conversations": [turns(), turns("a", " ")]}, "/conversations/1/1/content"),
        (turns("a", " "), "/1/content"),
        ({"rows": [{"row_idx": 0, "row": messages("a", " ")}]}, "/rows/0/row/messages/1/content"),
    ],
)
def test_a_fault_is_placed_by_its_pointer_in_the_document(document: Any, place: str) -> None:
    result = assert_one_truth(json.dumps(document).encode())
    assert [problem.pointer for problem in result.errors] == [place]


def test_a_row_that_the_datasets_server_cut_is_refused_alone() -> None:
    rows = [*SERVER_ROWS[:3], {**SERVER_ROWS[3], "truncated_cells": ["messages"]}]
    result = assert_one_truth(json.dumps({"features": [], "rows": rows}).encode())
    assert found(result.errors) == [(1, "/rows/3/truncated_cells", "truncated_row")]
    assert (result.records, result.trainable_pairs) == (4, 3)


def test_a_list_without_records_beside_one_with_them_is_told() -> None:
    result = assert_one_truth(json.dumps({"labels": [{"name": "x"}], "data": RECORDS}).encode())
    assert result.status == "ready"
    (told,) = [problem for problem in result.warnings if problem.code == "extra_field"]
    assert "'labels' beside 'data'" in told.message
    assert (told.line, told.pointer) == (1, "")


def test_of_two_splits_none_is_chosen() -> None:
    result = assert_one_truth(json.dumps({"train": RECORDS[:2], "test": RECORDS[2:]}).encode())
    assert (result.records, [row.code for row in result.summary]) == (0, ["several_lists"])
    assert "(train, test)" in result.errors[0].message


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["Messages", "MESSAGES ", "dialog"])
def test_turns_under_a_name_that_is_not_known_are_one_record(name: str, indent: int | None) -> None:
    result = assert_one_truth(json.dumps({name: turns()}, indent=indent).encode())
    assert found(result.errors) == [(1, "", "unknown_format")]
    assert "did you mean 'messages'?" in result.errors[0].message


def test_exchanges_by_a_name_of_turns_are_one_record() -> None:
    exchanges = [{"input": "a", "output": "b"}, {"input": "c", "output": "d"}]
    result = assert_one_truth(json.dumps({"conversation": exchanges}).encode())
    assert (result.records, result.refused) == (1, 1)


DOCUMENTS = {"array": RECORDS, "wrapped list": {"version": 1, "data": RECORDS}}


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_document_that_was_cut_off_says_where_it_ends(
    document: Any, indent: int | None, end: str
) -> None:
    text = json.dumps(document, indent=indent)
    text = text[: text.rindex("Answer")] + end
    result = assert_one_truth(text.encode())
    assert (result.records, result.trainable_pairs) == (4, 3)
    (told,) = [problem for problem in result.errors if problem.code == "broken_document"]
    lines = text.split("\n")
    assert f"line {len(lines)}, column {len(lines[-1]) + 1}" in told.message


def test_a_wrapped_list_that_was_cut_off_in_its_first_record_is_a_broken_document() -> None:
    text = json.dumps({"data": RECORDS})
    result = assert_one_truth(text[: text.index("Answer")].encode())
    assert {row.code for row in result.summary} > {"broken_document", "invalid_json"}


@pytest.mark.parametrize("between", ["", " ", "\n", "\r\n\r\n  "])
@pytest.mark.parametrize("trailing", ["trailing", "]", "}", ";"])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_what_follows_a_document_is_told_with_its_place(
    document: Any, trailing: str, between: str
) -> None:
    text = json.dumps(document) + between
    result = assert_one_truth((text + trailing).encode())
    assert [problem.code for problem in result.errors] == ["broken_document"]
    lines = text.split("\n")
    place = f"line {len(lines)}, column {len(lines[-1]) + 1}"
    assert place in result.errors[0].message
    assert result.errors[0].line == len(lines)
    assert result.trainable_pairs == 4


def test_an_array_on_the_first_of_several_lines_is_no_document() -> None:
    result = assert_one_truth("\n".join(['["messages"]', *LINES]).encode())
    assert found(result.errors) == [(1, "", "not_an_object")]
    assert result.trainable_pairs == 4
