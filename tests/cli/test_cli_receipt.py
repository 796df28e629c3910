"""receipt: no server, no session; the figures themselves are held to the trainer elsewhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import REPOSITORY, BrightRun
from tests.fakes.tokenizer import write_tokenizer

EQ_12 = REPOSITORY.parent / "shared/data/eq-12.training.jsonl"


def turns(*said: str) -> list[dict[str, str]]:
    return [
        {"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(said)
    ]


ROWS = [
    {"messages": turns("Where do I begin?", "With one small step.")},
    {"messages": turns("And then?", "Another.", "What if I <|im_end|> stumble?", "You get up.")},
    {"messages": turns("Is it late?", "It was, but \\")},
]


def write(path: Path, *rows: Any) -> str:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def tokenizer(tmp_path: Path) -> str:
    return str(write_tokenizer(tmp_path / "tokenizer"))


@pytest.fixture
def source(tmp_path: Path) -> str:
    return write(tmp_path / "rows.jsonl", *ROWS)


def test_a_file_is_counted_without_a_server(
    brightrun: BrightRun, source: str, tokenizer: str
) -> None:
    result = brightrun("receipt", source, "--tokenizer", tokenizer, "--epochs", "2", "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, said["success"], said["method"]) == (0, True, "exact")
    assert (said["rows"], said["pairs"], said["rows_without_trainable_tokens_lines"]) == (3, 3, [3])
    answers = ("With one small step.", "Another.", "You get up.")
    assert said["trainable_tokens"] == sum(len(answer) + 1 for answer in answers)
    assert said["total_tokens"] == said["trainable_tokens"] + said["masked_tokens"]
    assert said["total_training_tokens"] == 2 * said["tokens_per_epoch"]
    (token,) = said["special_tokens_in_content"]
    assert token == {"token": "<|im_end|>", "rows": 1, "lines": [2]}


def test_a_person_sees_what_is_trained(brightrun: BrightRun, source: str, tokenizer: str) -> None:
    output = brightrun("receipt", source, "--tokenizer", tokenizer).stdout
    assert "<|im_start|>assistant\n⟦Another.<|im_end|>⟧" in output
    assert "⟦You get up.<|im_end|>⟧" in output
    assert "line 2, opening:" in output
    assert "trainable_tokens" in output
    assert "Special token in text" in output
    assert "refusal" not in output


def test_a_person_sees_what_was_left_out(
    brightrun: BrightRun, tmp_path: Path, tokenizer: str
) -> None:
    long = write(tmp_path / "long.jsonl", {"messages": turns("a" * 60, "b", "c", "d" * 40)})
    arguments = ("receipt", long, "--tokenizer", tokenizer, "--max-seq-length", "70")
    output = brightrun(*arguments).stdout
    assert "without its first 2 turns" in output
    assert "too long, dropped" in output
    assert "dropped too_long" in output


def test_a_file_that_the_trainer_would_refuse_ends_with_1(
    brightrun: BrightRun, tmp_path: Path, tokenizer: str
) -> None:
    mute = write(tmp_path / "mute.jsonl", {"messages": turns("Hello?")})
    result = brightrun("receipt", mute, "--tokenizer", tokenizer, "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, said["success"]) == (1, False)
    assert (said["rows"], said["refused"], said["refused_lines"]) == (1, 1, [1])
    assert said["refused_codes"] == {"no_trainable_answer": 1}
    assert "1 of 1 rows cannot be trained on (no_trainable_answer 1)" in said["refusal"]
    assert "no_trainable_answer" in brightrun("receipt", mute, "--tokenizer", tokenizer).stdout


def test_a_split_says_what_is_held_out(
    brightrun: BrightRun, tmp_path: Path, source: str, tokenizer: str
) -> None:
    split = write(tmp_path / "split.json", {"version": 1, "validation_lines": [1]})
    result = brightrun("receipt", source, "--tokenizer", tokenizer, "--split", split, "--json")
    said = json.loads(result.stdout)
    assert (said["train_pairs"], said["validation_pairs"]) == (2, 1)
    assert [row["side"] for row in said["shown"]] == ["validation", "train"]


def test_merging_can_be_left_out(brightrun: BrightRun, source: str, tokenizer: str) -> None:
    arguments = ("receipt", source, "--tokenizer", tokenizer, "--no-merge", "--json")
    said = json.loads(brightrun(*arguments).stdout)
    assert said["tokens_per_epoch"] == said["tokens_per_epoch_unmerged"]
    assert said["settings"]["prefix_merge"] == "off"


def test_template_variables_reach_the_template(
    brightrun: BrightRun, tmp_path: Path, source: str
) -> None:
    from tests.fakes.tokenizer import CHATML

    folder = write_tokenizer(tmp_path / "moody", "{{ mood }}" + CHATML)
    arguments = ("receipt", source, "--tokenizer", str(folder), "--json", "--template-variables")
    said = json.loads(brightrun(*arguments, '{"mood": "calm"}').stdout)
    assert said["shown"][0]["segments"][0]["text"].startswith("calm<|im_start|>")
    for wrong in ("{", "[]", '{"messages": 1}', '{"a b": 1}'):
        result = brightrun(*arguments, wrong)
        assert result.exit_code == 2
        assert "template" in result.stderr


def test_the_day_of_a_template_is_the_same_on_every_day(
    brightrun: BrightRun, tmp_path: Path, source: str
) -> None:
    from tests.fakes.tokenizer import CHATML

    folder = write_tokenizer(tmp_path / "dated", "{{ strftime_now('%d.%m.%y') }}" + CHATML)
    arguments = ("receipt", source, "--tokenizer", str(folder))
    assert "26.07.24<|im_start|>" in brightrun(*arguments).stdout
    chosen = brightrun(*arguments, "--template-date", "2026-11-28").stdout
    assert "28.11.26<|im_start|>" in chosen
    assert "template's today" in chosen
    wrong = brightrun(*arguments, "--template-date", "28.11.2026")
    assert wrong.exit_code == 2
    assert "is not a day such as 2026-11-28" in wrong.stderr


def test_what_the_template_cannot_teach_is_said_with_its_first_row(
    brightrun: BrightRun, tmp_path: Path, source: str
) -> None:
    from tests.fakes.tokenizer import CHATML

    strict = "{% if messages | length > 2 %}{{ raise_exception('too many') }}{% endif %}" + CHATML
    folder = write_tokenizer(tmp_path / "strict", strict)
    arguments = ("receipt", source, "--tokenizer", str(folder))
    (refusal,) = json.loads(brightrun(*arguments, "--json").stdout)["template_refusals"]
    output = brightrun(*arguments).stdout
    assert "dropped refused_by_template" in output
    first = f"{refusal['pairs']}, from {refusal['sources'][0]} on"
    assert f"{first}: the chat template refuses it: too many" in output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It was a dark and stormy night.", "rows.jsonl, line 1: This is not JSON ("),
        ('{"colour": "red"}', "rows.jsonl, line 1: The line is no training record"),
    ],
)
def test_a_file_that_is_no_training_file_is_unusable(
    text: str, said: str, brightrun: BrightRun, tmp_path: Path, tokenizer: str
) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    result = brightrun("receipt", "rows.jsonl", "--tokenizer", tokenizer)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "brightrun validate rows.jsonl" in result.stderr


def test_missing_files_are_named(
    brightrun: BrightRun, tmp_path: Path, source: str, tokenizer: str
) -> None:
    missing = brightrun("receipt", "missing.jsonl", "--tokenizer", tokenizer)
    assert (missing.exit_code, "Cannot read missing.jsonl" in missing.stderr) == (2, True)
    empty = brightrun("receipt", source, "--tokenizer", str(tmp_path))
    assert (empty.exit_code, "there is no tokenizer_config.json" in empty.stderr) == (2, True)
    arguments = ("receipt", source, "--tokenizer", tokenizer, "--split", "none.json")
    assert "Cannot read none.json" in brightrun(*arguments).stderr


@pytest.mark.skipif(not EQ_12.exists(), reason="v1's eq-12 files are not here")
def test_the_real_file_has_44_pairs(brightrun: BrightRun, tokenizer: str) -> None:
    arguments = ("receipt", str(EQ_12), "--tokenizer", tokenizer, "--max-seq-length", "32768")
    result = brightrun(*arguments, "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, said["pairs"], said["truncated_tokens"]) == (0, 44, 0)
    assert said["merge_factor"] > 2
