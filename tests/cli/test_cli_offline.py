"""convert and validate: no server, no session."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import REPOSITORY, BrightRun
from tests.fakes.tokenizer import write_tokenizer

EQ_12 = REPOSITORY.parent / "shared/data/eq-12.training.json"
MESSAGES = [
    {"messages": [{"role": "user", "content": ask}, {"role": "assistant", "content": answer}]}
    for ask, answer in (("Where do I begin?", "With one small step."), ("مرحبا\n\\", '🙂 "so" {'))
]
FORMATS = ("v4-json", "v4-jsonl", "messages", "conversations", "sharegpt", "alpaca")


def write_lines(path: Path, *records: Any) -> Path:
    path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    return path


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "messages.jsonl", *MESSAGES)


@pytest.mark.parametrize("to", FORMATS)
def test_a_file_is_converted_into_every_format_and_back(
    brightrun: BrightRun, messages: Path, tmp_path: Path, to: str
) -> None:
    there, back = tmp_path / "there", tmp_path / "back"
    first = brightrun("convert", str(messages), "--to", to, "-o", str(there), "--json")
    document = json.loads(first.stdout)
    assert (first.exit_code, document["detected"], document["trainable_pairs"]) == (
        0,
        "messages",
        2,
    )
    assert document["bytes"] == there.stat().st_size
    again = brightrun("convert", str(there), "--to", "messages", "-o", str(back), "--json")
    assert json.loads(again.stdout)["detected"] == to
    said = [json.loads(line)["messages"] for line in back.read_text().split("\n")]
    assert said == [record["messages"] for record in MESSAGES]


def test_a_person_is_told_what_the_file_was_taken_for(brightrun: BrightRun, messages: Path) -> None:
    output = brightrun("convert", str(messages), "--to", "alpaca", "-o", "out.jsonl").stdout
    assert f"{messages} is messages: the first record has the key 'messages'." in output
    assert "2 records with 2 trainable pairs" in output


def test_what_is_left_out_is_told(brightrun: BrightRun, tmp_path: Path) -> None:
    mute = {"messages": [{"role": "user", "content": "Hello?"}]}
    source = write_lines(tmp_path / "in.jsonl", MESSAGES[0], mute)
    result = brightrun("convert", str(source), "--to", "alpaca", "-o", "out.jsonl")
    output = result.stdout
    assert result.exit_code == 1
    assert "Left out 1 of 2 records:" in output
    assert "1 with no_trainable_answer" in output
    assert "line 2: left out. /messages: The record has no answer to train on." in output


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"colour": "red"}', "unknown_format"),
        ('{"messages": [{"role": "user", "content": "Hello?"}]}', "nothing_to_train"),
        ('{"training_file_metadata": {', "broken_document"),
    ],
)
def test_a_file_that_cannot_be_converted_is_refused_and_nothing_is_written(
    brightrun: BrightRun, tmp_path: Path, text: str, code: str
) -> None:
    source, target = tmp_path / "in.json", tmp_path / "out.jsonl"
    source.write_text(text)
    result = brightrun("convert", str(source), "--to", "v4-jsonl", "-o", str(target), "--json")
    assert (result.exit_code, json.loads(result.stderr)["code"]) == (2, code)
    assert [one.name for one in tmp_path.glob("out*")] == []


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [("missing.jsonl", "out.jsonl", "Cannot read"), ("in.jsonl", "no/such/out", "Cannot write")],
)
def test_a_path_that_does_not_work_is_named(
    brightrun: BrightRun, tmp_path: Path, source: str, target: str, message: str
) -> None:
    write_lines(tmp_path / "in.jsonl", *MESSAGES)
    result = brightrun("convert", source, "--to", "alpaca", "-o", target)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_sound_file_is_ready(brightrun: BrightRun, messages: Path) -> None:
    result = brightrun("validate", str(messages), "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["status"], document["format"]) == (0, "ready", "messages")
    assert (document["trainable_pairs"], document["errors"]) == (2, [])


def test_tokens_are_counted_by_a_base_models_tokenizer_where_one_is_at_hand(
    brightrun: BrightRun, messages: Path, tmp_path: Path
) -> None:
    folder = write_tokenizer(tmp_path / "a-model")
    result = brightrun("validate", str(messages), "--tokenizer", str(folder), "--json")
    document = json.loads(result.stdout)
    texts = [turn["content"] for record in MESSAGES for turn in record["messages"]]
    assert document["tokens_method"].startswith("tokenizer of a-model")
    assert document["total_tokens"] == pytest.approx(sum(len(text) for text in texts), rel=0.25)
    assert brightrun("validate", str(messages), "--tokenizer", str(tmp_path)).exit_code == 2


def test_a_file_with_errors_is_not_ready_and_says_where(
    brightrun: BrightRun, tmp_path: Path
) -> None:
    source = write_lines(tmp_path / "in.jsonl", MESSAGES[0], {"messages": [{"role": "user"}]})
    result = brightrun("validate", str(source), "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["status"]) == (1, "error")
    assert {problem["line"] for problem in document["errors"]} == {2}
    (row,) = document["summary"]
    assert row["code"] in brightrun("validate", str(source)).stdout


def test_a_file_that_is_no_training_file_is_unusable(brightrun: BrightRun, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("It was a dark and stormy night.")
    assert brightrun("validate", str(source)).exit_code == 2
    assert brightrun("validate", "missing.jsonl").exit_code == 2


def test_a_warning_can_be_made_to_block(brightrun: BrightRun, tmp_path: Path) -> None:
    source = write_lines(tmp_path / "in.jsonl", MESSAGES[0], MESSAGES[0])
    (warning,) = json.loads(brightrun("validate", str(source), "--json").stdout)["summary"]
    blocked = brightrun("validate", str(source), "--block", warning["code"], "--json")
    assert (blocked.exit_code, json.loads(blocked.stdout)["error_count"]) == (1, 1)
    unknown = brightrun("validate", str(source), "--block", "no_such_code")
    assert unknown.exit_code == 2
    assert "no_such_code" in unknown.stderr


@pytest.mark.skipif(not EQ_12.exists(), reason="v1's eq-12 files are not here")
def test_the_real_file_becomes_its_jsonl_byte_by_byte(brightrun: BrightRun, tmp_path: Path) -> None:
    target = tmp_path / "eq-12.jsonl"
    result = brightrun("convert", str(EQ_12), "--to", "v4-jsonl", "-o", str(target))
    assert result.exit_code == 0
    assert target.read_bytes() == EQ_12.with_suffix(".jsonl").read_bytes()
    assert brightrun("validate", str(target)).exit_code == 0
