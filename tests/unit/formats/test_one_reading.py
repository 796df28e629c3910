"""One truth about a file: the validator, the converter, the receipt and the trainer count alike."""

from __future__ import annotations

import gzip
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brightrun.formats.lines import LONGEST_LINE
from brightrun.formats.source import HEAD_BYTES
from brightrun.sft.data import DataReport, pairs_of_file
from brightrun.validation.validator import validate
from tests.effort import effort
from tests.unit.formats.one_truth import assert_one_truth
from tests.unit.formats.public_cases import FILES, needs_cases
from tests.unit.formats.training_examples import HARD_TEXTS, jsonl
from tests.unit.validation.records import SOUND, checked, lines, messages, pair, said


@needs_cases
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_all_tools_agree_about_every_public_case(path: Path) -> None:
    assert_one_truth(path.read_bytes())


@pytest.mark.parametrize("name", ["training.json", "wrapped list"])
def test_a_large_document_on_one_line_is_read_as_a_document(name: str) -> None:
    answers = [f"{at} " * 500_000 for at in range(3)]
    document: dict[str, Any] = {
        "training_file_metadata": {},
        "conversations": [
            {"conversation_metadata": {"conversation_id": f"c{at}"}, "training_pairs": [row]}
            for at, row in enumerate(pair(target=answer) for answer in answers)
        ],
    }
    if name == "wrapped list":
        document = {"rows": [messages("a", answer) for answer in answers]}
    result = validate(BytesIO(json.dumps(document).encode()))
    assert (result.records, result.refused, result.trainable_pairs) == (3, 0, 3)


LIMITS = [HEAD_BYTES, LONGEST_LINE, HEAD_BYTES + LONGEST_LINE]
"""Bytes: what is looked at of a file first, the longest line, and both of them together."""


@pytest.mark.parametrize("end", ["", "\n"], ids=["no newline", "newline"])
@pytest.mark.parametrize("beyond", [-1, 0, 1, 2])
@pytest.mark.parametrize("limit", LIMITS)
def test_a_wrapped_list_on_one_line_is_read_whatever_its_size(
    limit: int, beyond: int, end: str
) -> None:
    rows = [messages("a", f"{number} is the answer. " * 500) for number in range(limit // 12_000)]
    missing = limit + beyond - len(json.dumps({"data": rows}) + end)
    rows[0]["messages"][1]["content"] += "x" * missing
    data = (json.dumps({"data": rows}) + end).encode()
    assert len(data) == limit + beyond
    for file in (data, gzip.compress(data, 1)):
        result = validate(BytesIO(file))
        assert (result.records, result.refused) == (len(rows), 0)
        assert result.error_count == 0


@pytest.mark.parametrize("limit", [10_000, *LIMITS])
def test_a_wrapped_list_on_one_line_keeps_the_rows_before_its_fault(limit: int) -> None:
    rows = b",".join(lines(messages("a", "x" * 2_000)).split(b"\n")[:1] * (limit // 2_000))
    result = validate(BytesIO(b'{"data":[' + rows + b",nothing]}"))
    assert result.records == limit // 2_000 + 1
    assert result.refused == 1


ODD: list[Any] = [
    {},
    {"version": 1},
    {"messages": None},
    {"messages": [], "metadata": None},
    {"messages": said("a", "b", "c")},
    {"messages": said("a")},
    {"messages": [{"role": "User", "content": "a"}, {"role": "MODEL", "content": "b"}]},
    {"messages": [*said("a"), {"role": "assistant", "content": "b", "weight": 1.0}]},
    {"messages": [*said("a"), {"role": "assistant", "content": "b", "train": False}]},
    {"messages": [*said("a"), {"role": "assistant", "content": "b", "tool_calls": []}]},
    {"messages": [*said("a"), {"role": "assistant", "content": "b", "tool_calls": [{"id": 1}]}]},
    {"messages": said("a", "b \\")},
    {"messages": said("<image>", "b")},
    {"messages": said("a", "\u200b")},
    {"messages": said("a", "b"), "system": "Be kind."},
    {"messages": said("a", "b"), "label": False},
    {"messages": said("a", "b"), "id": 7, "score": 1e300},
    {"messages": said("a", "b", "c", "d"), "metadata": {"conversation_id": "c"}},
    {"prompt": said("a"), "completion": [{"role": "assistant", "content": "b"}]},
    {"instruction": "a", "input": None, "output": "b", "history": None},
    {"instruction": "a", "context": "x", "response": "b"},
    {"system_prompt": "s", "question": "a", "response": "b"},
    {"prompt": "a", "chosen": "b", "rejected": "c"},
    {"conversations": said("a", "b")},
    {"text": "a"},
    7,
    [],
    "{}",
]


@given(
    records=st.lists(
        st.one_of(
            st.sampled_from(ODD),
            st.sampled_from(sorted(SOUND)).map(lambda name: SOUND[name]),
            st.lists(st.sampled_from(HARD_TEXTS), min_size=1, max_size=4).map(
                lambda texts: messages(*texts)
            ),
        ),
        min_size=1,
        max_size=7,
    ),
    shape=st.sampled_from(
        ["lines", "array", "indented", "wrapped", "gzip", "in a row", "rows", "cut", "behind"]
    ),
)
@settings(max_examples=effort(60, 150), deadline=None)
def test_all_tools_agree_about_any_mixture_in_any_shape(records: list[Any], shape: str) -> None:
    written = {
        "lines": jsonl(records),
        "array": json.dumps(records).encode(),
        "indented": json.dumps(records, indent=2).encode(),
        "wrapped": json.dumps({"data": records}).encode(),
        "gzip": gzip.compress(jsonl(records)),
        "rows": json.dumps(
            {"rows": [{"row_idx": 0, "row": record} for record in records]}
        ).encode(),
        "cut": jsonl(records).replace(b"}\n", b"\n", 1),
        "behind": json.dumps({"data": records}).encode() + b"\nand more",
        "in a row": b"\n".join(json.dumps(record, indent=1).encode() for record in records),
    }
    assert_one_truth(written[shape])


@pytest.mark.parametrize("shape", ["array", "indented", "wrapped", "gzip", "csv"])
def test_records_in_any_container_are_those_of_the_lines(shape: str) -> None:
    rows = [{"prompt": f"Question {n}?", "completion": f'An "answer", {n}.\n'} for n in range(30)]
    table = "prompt,completion\r\n" + "".join(
        '{prompt},"{answer}"\r\n'.format(
            prompt=row["prompt"], answer=row["completion"].replace('"', '""')
        )
        for row in rows
    )
    data = {
        "array": json.dumps(rows).encode(),
        "indented": json.dumps(rows, indent=4).encode(),
        "wrapped": json.dumps({"rows": rows}).encode(),
        "gzip": gzip.compress(jsonl(rows)),
        "csv": table.encode(),
    }[shape]
    result = assert_one_truth(data)
    assert (result.status, result.format) == ("ready", "prompt-completion")
    pairs = pairs_of_file(BytesIO(data), "x", DataReport())
    assert [pair.messages[-1]["content"] for pair in pairs] == [row["completion"] for row in rows]


GLADLY = {"role": "assistant", "content": "Gladly."}


def test_a_cell_of_a_table_is_read_as_json_only_where_it_holds_messages() -> None:
    said = ['{"mood": "calm"}', '[{"role": "nurse"}]', "[1, 2]", "Plain."]
    rows = [{"prompt": "Give JSON.", "completion": answer} for answer in said]
    rows.append({"prompt": "Talk.", "completion": json.dumps([GLADLY])})
    table = "prompt,completion\n" + "".join(
        '{prompt},"{answer}"\n'.format(
            prompt=row["prompt"], answer=row["completion"].replace('"', '""')
        )
        for row in rows
    )
    assert_one_truth(table.encode())
    pairs = pairs_of_file(BytesIO(table.encode()), "x", DataReport())
    assert [pair.messages[-1]["content"] for pair in pairs] == [*said, "Gladly."]


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 1


@pytest.mark.parametrize(
    "fields",
    [
        {"id": True},
        {"id": [1]},
        {"id": " "},
        {"turn_number": "third"},
        {"conversation_metadata": "none"},
        {"training_metadata": {"quality_score": "high"}},
        {"metadata": {"persona_archetype": ["a"], "training_topic": {"b": 1}}},
        {"_meta": None},
        {"_meta": {"total_pairs": 3}},
        {"x": nested(31)},
        {"metadata": {"x": nested(30)}},
    ],
    ids=str,
)
def test_fields_beside_the_text_never_cost_a_record(fields: dict[str, Any]) -> None:
    result = assert_one_truth(jsonl([{**messages("a", "b"), **fields}]))
    assert (result.status, result.format, result.trainable_pairs) == ("ready", "messages", 1)


def test_a_line_about_the_file_in_the_wrong_place_is_refused_by_all() -> None:
    late = assert_one_truth(jsonl([messages("a", "b"), {"_meta": {}}, messages("c", "d")]))
    assert (late.records, late.trainable_pairs, late.refused) == (3, 2, 1)
    empty = assert_one_truth(jsonl([{"_meta": None}, messages("a", "b")]))
    assert (empty.records, empty.trainable_pairs, empty.refused) == (2, 1, 1)


WHOLE = {
    "training_file_metadata": {},
    "conversations": [
        {"conversation_metadata": {"conversation_id": "c"}, "training_pairs": [SOUND["v4-jsonl"]]}
    ],
}


@pytest.mark.parametrize(
    "document",
    [
        WHOLE,
        {**WHOLE, "training_file_metadata": {"file_name": 5}, "consultant_profile": None},
        {"dataset_metadata": [1], "training_pairs": [SOUND["v4-jsonl"]]},
        {"dataset_metadata": None, "training_pairs": [SOUND["v4-jsonl"]]},
    ],
    ids=["empty header", "odd header", "list about the dataset", "nothing about the dataset"],
)
def test_a_whole_file_with_odd_parts_around_its_pairs_is_read_by_all(document: Any) -> None:
    result = assert_one_truth(json.dumps(document).encode())
    assert (result.status, result.trainable_pairs) == ("ready", 1)


@pytest.mark.parametrize(
    ("table", "answers"),
    [
        (",prompt,completion\n0,q,a\n", ["a"]),
        ('prompt,completion\nq,"{""a"": 1}"\nr,[1]\n', ['{"a": 1}', "[1]"]),
        ("prompt,completion\nq,a,,\n,,,\n", ["a"]),
        ("prompt,completion,weight\nq,a,1\nr,b,0\n", ["a"]),
        ("prompt,completion,label\nq,a,True\nr,b,False\n", ["a"]),
        ("prompt,completion,,\nq,a,,\nr,b,,\n", ["a", "b"]),
        ("sep=;\r\nprompt;completion\r\nq;a\r\n", ["a"]),
        ("\ufeffSEP=\t\nprompt\tcompletion\nq\ta\n", ["a"]),
        ('"sep=^"\nprompt^completion\nq^"a, b"\n', ["a, b"]),
    ],
    ids=[
        "index of pandas",
        "answers in JSON",
        "empty cells",
        "weights",
        "labels",
        "empty columns",
        "separator of Excel",
        "separator behind a mark",
        "separator in quotes",
    ],
)
def test_tables_are_read_as_programs_write_them(table: str, answers: list[str]) -> None:
    assert_one_truth(table.encode())
    pairs = pairs_of_file(BytesIO(table.encode()), "x", DataReport())
    assert [pair.messages[-1]["content"] for pair in pairs] == answers


def test_the_rows_before_a_broken_one_are_read_by_all() -> None:
    result = assert_one_truth(b'prompt,completion\n"a\nb",c\nd,e,f\n')
    assert (result.records, result.trainable_pairs, result.error_count) == (1, 1, 1)
    (problem,) = result.errors
    assert (problem.code, problem.line) == ("broken_table", 4)


def test_a_row_behind_the_separator_of_excel_is_named_by_its_line() -> None:
    result = assert_one_truth(b"sep=;\nprompt;completion\na;b\nc;d;e\n")
    assert [(problem.line, problem.code) for problem in result.errors] == [(4, "broken_table")]


@pytest.mark.parametrize(
    "header", ["prompt,completion,prompt", "sep=,\nprompt, prompt ,completion"]
)
def test_two_columns_of_one_name_are_refused_by_it(header: str) -> None:
    result = assert_one_truth(f"{header}\na,b,c\n".encode())
    assert [problem.code for problem in result.errors] == ["duplicate_key"]
    assert "'prompt'" in result.errors[0].message
    assert result.records == 0


def test_what_was_packed_twice_is_read() -> None:
    data = gzip.compress(gzip.compress(jsonl([messages("a", "b")])))
    assert assert_one_truth(data).trainable_pairs == 1


def test_an_error_in_a_document_is_placed_by_line_and_pointer() -> None:
    rows = [messages("a", "b"), messages("a", " ")]
    result = validate(BytesIO(json.dumps({"data": rows}, indent=2).encode()))
    (problem,) = result.errors
    assert (problem.line, problem.pointer) == (15, "/data/1/messages/1/content")


def test_conversation_ids_decide_the_split_wherever_they_stand() -> None:
    rows = [
        {"messages": said(f"q{n}", f"answer {n}"), "metadata": {"conversation_id": f"c{n // 4}"}}
        for n in range(80)
    ]
    result = checked(*rows)
    assert (result.conversations, result.records) == (20, 80)
    assert result.split is not None
    held_out = {(line - 1) // 4 for line in result.split.validation_lines}
    assert len(result.split.validation_lines) == 4 * len(held_out)
