"""What a conversion reads, writes, counts and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brightrun.formats.convert import convert_file
from brightrun.formats.errors import (
    NotAnOutputFormatError,
    NothingToTrainError,
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
    assert result.trainable_pairs == 1
    assert sum(result.left_out.values()) == 7
    assert result.warnings[0] == "line 2: left out, turn 2 is empty"
    assert "line 3: left out, Expected `str`, got `int` - at `$.messages[0].content`" in (
        result.warnings
    )
    assert "line 5: left out, turn 3 is assistant where user is due" in result.warnings
    assert "stands twice in one object" in result.warnings[-1]


def test_a_turn_nobody_answers_is_cut_off_and_nothing_else() -> None:
    written, result = converted(jsonl([{"messages": _turns("a", "b", "c")}]), "messages")
    assert json.loads(written)["messages"] == _turns("a", "b")
    assert result.trainable_pairs == 1


def test_nan_and_half_surrogates_are_left_out_with_the_reason() -> None:
    data = (
        jsonl([GOOD])
        + b'\n{"messages": [], "metadata": {"score": NaN}}'
        + b'\n{"messages": [], "metadata": {"text": "\\ud83d"}}'
        + b'\n{"messages": "\xff"}'
    )
    _, result = converted(data, "conversations")
    assert set(result.left_out) == {
        "NaN is not JSON",
        "half of a surrogate pair stands alone",
        "not UTF-8 at byte 15",
    }


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
        "conversation_history": [{"role": "assistant", "content": "first"}],
        "current_user_input": "a",
        "target_response": "b",
    }
    blank = {**pair, "target_response": " "}
    written, result = converted(jsonl([pair, blank, {"target_response": "z"}]), "v4-jsonl")
    assert pairs_in(written) == [pair, blank]
    assert (result.trainable_pairs, result.untrainable) == (1, 1)
    assert "kept as it came, but turn 1 is assistant where user is due" in result.warnings[0]
    assert "it has no id and conversation_id" in result.left_out


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
        convert_file(source, "v4-jsonl", target)
    assert len(pairs_in(target.read_bytes())) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]
