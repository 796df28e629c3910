"""Rows in three formats become pairs; what is refused is counted; validation never leaks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.jobs import conversation, dataset_rows, pair_rows, write_rows
from training_container.trainer.config import run_config
from training_container.trainer.contract import JobPaths
from training_container.trainer.data import DataReport, read_pairs, split_by_conversation
from training_container.trainer.dataset import Dataset, load_dataset
from training_container.trainer.errors import DatasetError
from training_container.trainer.templates import ChatFormat

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


def read(folder: Path, rows: list[dict[str, Any]], **how: Any) -> tuple[list[Any], DataReport]:
    write_rows(folder / "train.jsonl", rows, **how)
    report = DataReport()
    return read_pairs(folder, report), report


def load(root: Path, chat: ChatFormat, rows: list[dict[str, Any]], **settings: Any) -> Dataset:
    write_rows(root / "input" / "data" / "training" / "train.jsonl", rows)
    return load_dataset(JobPaths(root, {}), run_config({"batch_size": 4, **settings}), chat)


def test_three_formats_of_one_conversation_give_the_same_pairs(tmp_path: Path) -> None:
    messages = conversation(1, 3)
    rows = pair_rows(messages, "c")
    for row in rows:
        row["system_prompt"] = None
    shapes = {
        "pairs": rows,
        "messages": [{"messages": messages}],
        "turns": [{"conversation_id": "c", "turns": messages}],
    }
    found = {name: read(tmp_path / name, shape)[0] for name, shape in shapes.items()}
    texts = {name: [pair.messages for pair in pairs] for name, pairs in found.items()}
    assert texts["pairs"] == texts["messages"] == texts["turns"]
    assert len(texts["pairs"]) == 3


def test_meta_line_may_be_missing(tmp_path: Path) -> None:
    with_meta, _ = read(tmp_path / "a", dataset_rows(2))
    without, _ = read(tmp_path / "b", dataset_rows(2), meta=False)
    assert [p.messages for p in with_meta] == [p.messages for p in without]


def test_answers_cut_off_by_a_backslash_are_refused_and_named(tmp_path: Path) -> None:
    rows = dataset_rows(2)
    rows[1]["target_response"] += " and then \\"
    pairs, report = read(tmp_path, rows)
    assert len(pairs) == len(rows) - 1
    assert (report.cut_off, report.cut_off_sources) == (1, ["train.jsonl:3"])


def test_rows_without_anything_to_learn_are_counted_apart(tmp_path: Path) -> None:
    rows = dataset_rows(1)
    empty = {**rows[0], "target_response": None}
    mute = {**rows[0], "current_user_input": ""}
    silenced = {"messages": [rows[0]["conversation_history"][0], {
        "role": "assistant", "content": "x", "weight": 0}]}  # fmt: skip
    pairs, report = read(tmp_path, [*rows, empty, mute, silenced])
    counts = (report.without_target, report.without_prompt, report.weight_zero)
    assert counts == (1, 1, 1)
    assert len(pairs) == len(rows)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{nonsense", r"train\.jsonl:2: not JSON"),
        ("[1]", r"train\.jsonl:2: expected a JSON object"),
        ('{"text": "x"}', r"train\.jsonl:2: expected a brightrun-lora-v4 pair"),
        ('{"messages": [{"role": "tool", "content": "x"}]}', r":2: .*\$\.messages\[0\]\.role"),
        ('{"messages": [{"role": "user", "content": ""}]}', r":2: .*\$\.messages\[0\]\.content"),
        ('{"conversation_id": "c", "turns": []}', r":2: .*length >= 1"),
        ('{"target_response": "x"}', r":2: .*conversation_id"),
    ],
)
def test_row_of_an_unknown_shape_is_named_with_its_line(
    tmp_path: Path, line: str, complaint: str
) -> None:
    (tmp_path / "train.jsonl").write_text(f'{{"_meta": {{}}}}\n{line}\n', "utf-8")
    with pytest.raises(DatasetError, match=complaint):
        read_pairs(tmp_path, DataReport())


def test_missing_dataset_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no \.jsonl file"):
        read_pairs(tmp_path / "nothing", DataReport())


def test_report_names_every_file_with_its_hash(tmp_path: Path) -> None:
    _, report = read(tmp_path, dataset_rows(2))
    digest = hashlib.sha256((tmp_path / "train.jsonl").read_bytes()).hexdigest()
    assert [file["sha256"] for file in report.files] == [digest]


def test_no_conversation_is_on_both_sides_of_the_split(tmp_path: Path) -> None:
    pairs, _ = read(tmp_path, dataset_rows(20))
    train, held_out = split_by_conversation(pairs, 0.2, seed=1)
    sides = [{pair.conversation_id for pair in side} for side in (train, held_out)]
    assert not sides[0] & sides[1]
    assert [len(side) for side in sides] == [16, 4]


def test_split_depends_on_the_seed_and_not_on_the_order_of_rows(tmp_path: Path) -> None:
    pairs, _ = read(tmp_path, dataset_rows(20))

    def held_out(rows: list[Any], seed: int) -> set[str]:
        return {pair.conversation_id for pair in split_by_conversation(rows, 0.2, seed)[1]}

    assert held_out(pairs, 1) == held_out(pairs[::-1], 1)
    assert held_out(pairs, 1) != held_out(pairs, 2)


def test_single_conversation_is_all_trained_on(tmp_path: Path) -> None:
    pairs, _ = read(tmp_path, dataset_rows(1))
    assert split_by_conversation(pairs, 0.5, seed=1) == (pairs, [])


def test_lines_without_an_id_that_open_alike_stay_on_one_side(tmp_path: Path) -> None:
    messages = conversation(1, 3)
    pairs, _ = read(tmp_path, [{"messages": messages[:2]}, {"messages": messages}])
    assert len({pair.conversation_id for pair in pairs}) == 1


def test_validation_channel_is_used_as_it_is(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    write_rows(tmp_path / "input/data/validation/v.jsonl", pair_rows(conversation(99, 2), "v"))
    dataset = load(tmp_path, chat_of("chatml"), dataset_rows(4))
    assert {example.conversation_id for example in dataset.validation} == {"v"}
    assert dataset.summary()["train_pairs"] == len(dataset_rows(4))


def test_dataset_with_nothing_to_train_on_says_why(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    rows = [{**row, "target_response": None} for row in dataset_rows(2)]
    with pytest.raises(DatasetError, match=rf"no trainable pair: .*{len(rows)} without an answer"):
        load(tmp_path, chat_of("chatml"), rows)


def test_too_many_pairs_that_do_not_fit_are_an_error(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    rows = dataset_rows(4)
    rows[0]["target_response"] *= 20
    with pytest.raises(DatasetError, match=r"1 of \d+ pairs do not fit .* train\.jsonl:2"):
        load(tmp_path, chat_of("chatml"), rows, max_seq_length=512)
    dataset = load(tmp_path, chat_of("chatml"), rows, max_seq_length=512, max_too_long_fraction=0.5)
    assert dataset.report.pairs_too_long == 1


@pytest.mark.skipif(not REAL.is_dir(), reason="the original system's files are not here")
def test_real_dataset_gives_44_pairs_of_12_conversations(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    channel = tmp_path / "input" / "data" / "training"
    channel.mkdir(parents=True)
    (channel / "train.jsonl").symlink_to(REAL / "eq-12.training.jsonl")
    settings = run_config({"max_seq_length": 16384, "batch_size": 8})
    for style in ("chatml", "inst"):
        dataset = load_dataset(JobPaths(tmp_path, {}), settings, chat_of(style))
        summary = dataset.summary()
        assert summary["train_pairs"] + summary["validation_pairs"] == 44
        assert dataset.report.duplicated_turns_dropped == 44
        assert dataset.report.cut_off == 0
        assert dataset.merge_factor > 2


@pytest.mark.skipif(not REAL.is_dir(), reason="the original system's files are not here")
def test_real_cut_off_answers_are_refused(tmp_path: Path) -> None:
    raw = json.loads((REAL / "pair-b.cut-off.raw.json").read_bytes())
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in raw["turns"]]
    _, report = read(tmp_path, [{"conversation_id": "b", "turns": turns}])
    cut = [t for t in turns if t["role"] == "assistant" and t["content"].rstrip().endswith("\\")]
    assert report.cut_off == len(cut) > 0
