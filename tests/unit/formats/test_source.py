"""Faults are placed in the file, whatever has been taken apart to read it."""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from brightrun.formats.conversation_file import ConversationFile
from brightrun.formats.reader import RecordFile
from tests.unit.formats.one_truth import assert_one_truth
from tests.unit.validation.records import conversation, messages


def _place_of(fault: str, text: str, off: int = 0) -> str:
    before = text[: text.index(fault) + off].split("\n")
    return f"line {len(before)}, column {len(before[-1]) + 1}"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("shape", ["array", "wrapped", "in a row"])
def test_a_fault_in_an_item_is_told_by_line_and_column_of_the_file(
    shape: str, indent: int | None, end: str
) -> None:
    bad = messages("a", "b", note="FAULT")
    records = [messages("c", "d"), bad, messages("e", "f")]
    text = {
        "array": json.dumps(records, indent=indent),
        "wrapped": json.dumps({"version": 1, "data": records}, indent=indent),
        "in a row": "\n".join(json.dumps(record, indent=indent or 2) for record in records),
    }[shape]
    text = text.replace('"FAULT"', "FAULT").replace("\n", end)
    result = assert_one_truth(text.encode())
    (problem,) = result.errors
    assert problem.code == "invalid_json"
    assert _place_of("FAULT", text) in problem.message
    file = RecordFile(BytesIO(text.encode()))
    (refused,) = [one for one in file if one.reading is None]
    assert _place_of("FAULT", text) in refused.problems.reason()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_break_in_a_text_of_an_item_is_told_where_it_stands(end: str) -> None:
    text = json.dumps([messages("a", "b"), messages("c", "FAULT")], indent=1)
    text = text.replace("FAULT", "one\ntwo").replace("\n", end)
    (problem,) = assert_one_truth(text.encode()).errors
    place = _place_of("two", text, off=-1)
    assert f"a line break stands in a text, {place}" in problem.message


def test_broken_items_that_are_alike_are_told_each_in_its_place() -> None:
    text = json.dumps([messages("a", "b")])[:-1] + ",\n{nope}" * 600 + "\n]"
    result = assert_one_truth(text.encode())
    assert [problem.line for problem in result.errors] == list(range(2, 602))
    assert all(f"line {one.line}, column 2" in one.message for one in result.errors)


def test_an_import_tells_the_line_and_column_of_a_broken_conversation() -> None:
    text = json.dumps([conversation(), conversation()], indent=2).replace('"conv_001"', "nope")
    found = list(ConversationFile(BytesIO(text.encode())))
    assert [one.document for one in found] == [None, None]
    assert _place_of("nope", text) in found[0].problems.reason()
