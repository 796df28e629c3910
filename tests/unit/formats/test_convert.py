"""What a conversion reads, writes, counts and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brightrun.formats.convert import convert_file
from brightrun.formats.errors import (
    NotAnOutputFormatError,
    NothingToTrainError,
    OutputExistsError,
    UnknownFormatError,
    UnreadableFileError,
)
from brightrun.formats.format import FORMATS
from tests.unit.formats.training_examples import converted, jsonl, pairs_in

GOOD = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


def _turns(*said: str) -> list[dict[str, str]]:
    roles = ["user", "assistant"]
    return [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)]


def test_every_record_left_out_is_counted_with_its_place_and_reason() -> None:
    bad: list[dict[str, object]] = [
        {"messages": _turns("Hi", " ")},
        {"messages": [{"role": "user", "content": 7}]},
        {"messages": _turns("Hi")},
        {"messages": _turns("a", "b") + _turns("c", "d")[1:]},
    ]
    data = jsonl([GOOD, *bad]) + b'\n{"messages": [}\n[1]\n{"messages": [], "messages": []}\n'
    _, result = converted(data, "v4-jsonl")
    assert (result.records, result.trainable_pairs, result.refused) == (8, 1, 7)
    assert not result.is_complete
    assert result.left_out == {
        "empty_turn": 1,
        "wrong_type": 1,
        "no_trainable_answer": 1,
        "roles_do_not_alternate": 1,
        "invalid_json": 1,
        "not_an_object": 1,
        "duplicate_key": 1,
        "empty_turns": 1,
    }
    assert result.warnings[0].startswith(
        "line 2: left out. /messages/1/content: The turn has no text. Write its text"
    )
    assert (
        "/messages/0/content: A field has the wrong type (number instead of string)."
        in (result.warnings[1])
    )


def test_a_turn_nobody_answers_stays_where_there_is_a_place_for_it() -> None:
    written, result = converted(jsonl([{"messages": _turns("a", "b", "c")}]), "messages")
    assert json.loads(written)["messages"] == _turns("a", "b", "c")
    assert (result.trainable_pairs, result.turns_left_out) == (1, 0)


@pytest.mark.parametrize("to", ["alpaca", "v4-jsonl"])
def test_turns_after_the_last_trained_answer_are_counted_where_pairs_cannot_hold_them(
    to: str,
) -> None:
    silent = {"role": "assistant", "content": "d", "weight": 0}
    record = {"messages": [*_turns("a", "b", "c"), silent]}
    _, result = converted(jsonl([record, record]), to)
    assert (result.trainable_pairs, result.turns_left_out) == (2, 4)


def test_nan_and_half_surrogates_are_left_out_with_the_reason() -> None:
    data = (
        jsonl([GOOD])
        + b'\n{"messages": [], "metadata": {"score": NaN}}'
        + b'\n{"messages": [], "metadata": {"text": "\\ud83d"}}'
        + b'\n{"messages": "\xff"}'
        + b'\n{"messages": [], "metadata": {"n": 1e999}}'
    )
    written, result = converted(data, "conversations")
    assert result.left_out == {
        "nan_or_infinity": 1,
        "lone_surrogate": 1,
        "invalid_utf8": 1,
        "number_out_of_range": 1,
    }
    assert b"Infinity" not in written


def test_byte_order_mark_crlf_and_blank_lines_are_read_over() -> None:
    data = b"\xef\xbb\xbf" + jsonl([GOOD]) + b"\r\n\r\n" + jsonl([GOOD]) + b"\r\n"
    written, result = converted(data, "sharegpt")
    assert result.trainable_pairs == 2
    assert b"\r" not in written
    assert not written.endswith(b"\n")


@pytest.mark.parametrize(
    ("record", "form"),
    [
        (GOOD, "messages"),
        ({"conversation_id": "c", "turns": _turns("a", "b")}, "conversations"),
        (
            {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
            "sharegpt",
        ),
        ({"instruction": "a", "input": "", "output": "b"}, "alpaca"),
        ({"prompt": "a", "completion": "b"}, "prompt-completion"),
    ],
)
@pytest.mark.parametrize("as_array", [False, True])
def test_formats_are_recognised_on_lines_and_in_json_arrays(
    record: dict[str, object], form: str, as_array: bool
) -> None:
    data = json.dumps([record], indent=1).encode() if as_array else jsonl([record])
    written, result = converted(data, "v4-jsonl")
    assert result.detected.format.name == form
    assert result.detected.is_array is as_array
    assert FORMATS[form].title in str(result.detected)
    assert pairs_in(written)[0]["target_response"] in {"b", "Hello"}


def test_sharegpt_with_its_system_prompt_and_other_names_for_the_speakers_is_read() -> None:
    record = {
        "id": "c1",
        "system": "Be kind.",
        "conversations": [{"from": "user", "value": "a"}, {"from": "chatgpt", "value": "b"}],
    }
    pair = pairs_in(converted(jsonl([record]), "v4-jsonl")[0])[0]
    assert pair["system_prompt"] == "Be kind."
    assert pair["conversation_id"] == "c1"


def test_alpaca_input_joins_the_instruction_and_history_comes_before() -> None:
    record = {
        "instruction": "Sum up.",
        "input": "A long text.",
        "output": "Short.",
        "history": [["Hi", "Hello"]],
    }
    pair = pairs_in(converted(jsonl([record]), "v4-jsonl")[0])[0]
    assert pair["current_user_input"] == "Sum up.\nA long text."
    assert [turn["content"] for turn in pair["conversation_history"]] == ["Hi", "Hello"]


def test_v4_keeps_pairs_that_cannot_be_trained_and_says_so() -> None:
    pair = {
        "id": "x_turn2",
        "conversation_id": "c",
        "conversation_history": [],
        "current_user_input": "a",
        "target_response": "b",
    }
    blank, cut = {**pair, "target_response": " "}, {**pair, "target_response": "b \\"}
    broken = {**pair, "conversation_history": [{"role": "assistant", "content": "first"}]}
    data = jsonl([pair, blank, cut, broken, {"target_response": "z"}])
    written, result = converted(data, "v4-jsonl")
    assert pairs_in(written) == [pair, blank, cut]
    assert (result.trainable_pairs, result.untrainable) == (1, 2)
    assert result.left_out == {"first_turn_not_user": 1, "missing_field": 1}


def test_a_wrong_pair_count_in_meta_is_reported_with_both_numbers() -> None:
    meta = {"_meta": {"file_name": "demo", "total_pairs": 9}}
    pair = {"id": "x", "conversation_id": "c", "current_user_input": "a", "target_response": "b"}
    data = jsonl([meta, {**pair, "conversation_history": []}])
    written, result = converted(data, "v4-json")
    assert "_meta says 9 pairs, the file holds 1; written as held" in result.warnings
    header = json.loads(written)["training_file_metadata"]
    assert (header["file_name"], header["total_training_pairs"]) == ("demo", 1)
    assert header["quality_summary"]["avg_quality_score"] is None


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UnknownFormatError),
        (b"hello", UnknownFormatError),
        (b'{"foo": 1}', UnknownFormatError),
        (b'{"training_file_metadata": {}}', UnreadableFileError),
        (b'{"training_file_metadata": {', UnreadableFileError),
        (b'[{"messages": []}', UnreadableFileError),
        (b'{"messages": []}', NothingToTrainError),
    ],
)
def test_files_that_cannot_be_converted_are_refused_by_name(
    data: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        converted(data, "messages")


def test_enriched_json_is_not_an_output_format() -> None:
    with pytest.raises(NotAnOutputFormatError, match="choose one of v4-json, v4-jsonl"):
        converted(jsonl([GOOD]), "enriched")


def test_a_record_longer_than_the_head_is_recognised_by_its_keys() -> None:
    record = {"messages": _turns("a" * 400_000, "b")}
    _, result = converted(jsonl([record]), "alpaca")
    assert result.detected.format.name == "messages"


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(jsonl([GOOD]))
    result = convert_file(source, "v4-jsonl", target)
    assert result.file_name == "in"
    assert len(pairs_in(target.read_bytes())) == 1
    source.write_bytes(b'{"messages": []}')
    with pytest.raises(NothingToTrainError):
        convert_file(source, "v4-jsonl", target, overwrites=True)
    assert len(pairs_in(target.read_bytes())) == 1
    with pytest.raises(OutputExistsError, match=r"out\.jsonl is there already"):
        convert_file(source, "v4-jsonl", target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


def test_a_field_that_another_one_stands_in_for_is_counted_as_lost() -> None:
    two_answers = {"instruction": "a", "output": "b", "response": "c"}
    assert converted(jsonl([two_answers]), "messages")[1].lost_fields == {"response": 1}
    two_languages = {**GOOD, "lang": "en", "metadata": {"lang": "de"}}
    assert converted(jsonl([two_languages]), "messages")[1].lost_fields == {"lang": 1}


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "The file's only record cannot be trained on"),
        (1200, "None of the file's 1,200 records can be trained on"),
    ],
)
def test_a_file_of_nothing_to_train_says_how_many_records_it_has(count: int, told: str) -> None:
    with pytest.raises(NothingToTrainError, match=told):
        converted(jsonl([{"messages": []}] * count), "messages")
