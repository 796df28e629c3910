"""Rows in five formats become pairs; what is refused is counted; validation never leaks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from brightrun.sft.data import DataReport, read_pairs
from brightrun.sft.dataset import Dataset
from brightrun.sft.errors import DatasetError
from brightrun.sft.splits import split_by_conversation
from brightrun.sft.templates import ChatFormat
from tests.training.jobs import conversation, dataset_rows, pair_rows, write_rows
from training_container.trainer.config import run_config
from training_container.trainer.contract import JobPaths
from training_container.trainer.dataset import load_dataset

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
    pairs, report = read(tmp_path, [*rows, empty])
    assert (report.without_target, report.refused) == (1, 0)
    assert len(pairs) == len(rows)


def test_answers_of_weight_zero_are_counted(tmp_path: Path) -> None:
    turns = conversation(1, 2)
    turns[1]["weight"] = 0
    pairs, report = read(tmp_path, [{"messages": turns}], meta=False)
    assert (len(pairs), report.weight_zero) == (1, 1)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{nonsense", "This is not JSON"),
        ("[1]", "no object"),
        ('{"text": "x"}', "Missing id, conversation_id"),
        ('{"messages": [{"role": "user", "content": ""}]}', "another format than most"),
        ('{"target_response": "x"}', "Missing id, conversation_id"),
    ],
)
def test_a_row_with_an_error_keeps_the_file_from_training_and_is_named(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat], line: str, complaint: str
) -> None:
    chat, sound = chat_of("chatml"), json.dumps(dataset_rows(1)[0])
    path = tmp_path / "input" / "data" / "training" / "train.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(f"{sound}\n{line}\n", "utf-8")
    with pytest.raises(DatasetError, match=rf"1 of 2 rows.*train\.jsonl, line 2: .*{complaint}"):
        load_dataset(JobPaths(tmp_path, {}), run_config({"batch_size": 4}), chat)
    path.write_text(f"{line}\n", "utf-8")
    with pytest.raises(DatasetError, match=r"train\.jsonl, (line|item) 1.*: "):
        load_dataset(JobPaths(tmp_path, {}), run_config({"batch_size": 4}), chat)


def test_missing_dataset_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no dataset file"):
        read_pairs(tmp_path / "nothing", DataReport())


@pytest.mark.parametrize(
    "name",
    [
        "A.JSONL",
        "data",
        "v",
        "x.json",
        "rows 1.jsonl",
        "Räume.für.März",
        "訓練データ.JsonL",
        "a.txt",
    ],
)
def test_the_file_of_the_channel_is_read_whatever_it_is_called(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat], name: str
) -> None:
    """A prefix of older keys brings the folder of the validation along; other tools leave marks."""
    folder = tmp_path / "input" / "data" / "training"
    write_rows(folder / name, dataset_rows(4))
    wanted = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    for other in (".hidden", "_SUCCESS", "validation/1/report.json", "alidation/1/split.json"):
        (folder / other).parent.mkdir(parents=True, exist_ok=True)
        (folder / other).write_text("no row", "utf-8")
    settings = run_config({"dataset_sha256": wanted})
    dataset = load_dataset(JobPaths(tmp_path, {}), settings, chat_of("chatml"))
    assert [file["name"] for file in dataset.report.files] == [name]
    assert dataset.report.pairs == len(dataset_rows(4))


def test_where_there_are_jsonl_files_they_alone_are_the_dataset(tmp_path: Path) -> None:
    write_rows(tmp_path / "b.JSONL", dataset_rows(1))
    write_rows(tmp_path / "a.jsonl", dataset_rows(1))
    (tmp_path / "README.md").write_text("# Rows", "utf-8")
    report = DataReport()
    read_pairs(tmp_path, report)
    assert [file["name"] for file in report.files] == ["a.jsonl", "b.JSONL"]


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


def renamed(rows: list[dict[str, Any]], suffix: str) -> list[dict[str, Any]]:
    return [{**row, "conversation_id": f"{row['conversation_id']}{suffix}"} for row in rows]


def test_copies_of_a_conversation_stay_on_its_side(tmp_path: Path) -> None:
    rows = dataset_rows(12)
    copies = renamed(rows, "-copy")
    for row in copies:
        row["target_response"] = f"{row['target_response'].upper()} !"
    pairs, _ = read(tmp_path, [*rows, *copies])
    train, held_out = split_by_conversation(pairs, 0.25, seed=1)
    sides = [{pair.conversation_id.removesuffix("-copy") for pair in s} for s in (train, held_out)]
    assert not sides[0] & sides[1]
    assert len({pair.conversation_id for pair in held_out}) == 6


def test_one_shared_exchange_keeps_conversations_together(tmp_path: Path) -> None:
    chain = [conversation(1, 1), conversation(1, 1) + conversation(2, 1), conversation(2, 1)]
    rows = [row for n, one in enumerate(chain) for row in pair_rows(one, f"chain-{n}")]
    pairs, _ = read(tmp_path, [*rows, *pair_rows(conversation(3, 2), "other")])
    for seed in range(5):
        train, held_out = split_by_conversation(pairs, 0.1, seed)
        assert {pair.conversation_id for pair in held_out} == {"other"}
        assert {pair.conversation_id for pair in train} == {"chain-0", "chain-1", "chain-2"}


def test_conversations_that_are_all_alike_are_all_trained_on(tmp_path: Path) -> None:
    rows = dataset_rows(1)
    pairs, _ = read(tmp_path, [*rows, *renamed(rows, "-copy")])
    assert split_by_conversation(pairs, 0.5, seed=1) == (pairs, [])


def split_channel(root: Path, **document: Any) -> None:
    folder = root / "input" / "data" / "split"
    folder.mkdir(parents=True)
    (folder / "split.json").write_text(json.dumps({"version": 1, **document}), "utf-8")


def test_split_channel_says_which_lines_are_held_out(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    rows = dataset_rows(5)
    chosen = [n for n, row in enumerate(rows, 2) if row["conversation_id"] == "conversation-3"]
    split_channel(tmp_path, seed=1, fraction=0.2, validation_lines=chosen)
    dataset = load(tmp_path, chat_of("chatml"), rows)
    assert {example.conversation_id for example in dataset.validation} == {"conversation-3"}
    assert dataset.summary()["validation_pairs"] == len(chosen)


def test_split_may_part_rows_that_only_open_alike(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    opening = conversation(1, 1)[:1]
    rows = [{"messages": [*opening, *conversation(n, 1)[1:]]} for n in (2, 3)]
    split_channel(tmp_path, validation_lines=[3])
    assert len(load(tmp_path, chat_of("chatml"), rows).validation) == 1


def test_split_without_lines_holds_nothing_out(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    split_channel(tmp_path, validation_lines=[])
    assert load(tmp_path, chat_of("chatml"), dataset_rows(5)).validation == []


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"validation_lines": [2]}, r"divides the conversation conversation-0: .*jsonl:2 and .*:3"),
        ({"validation_lines": [99]}, r"line 99 of a training file with \d+ lines"),
        ({"validation_lines": [0]}, r"split\.json cannot be used: .*>= 1"),
        ({}, r"split\.json cannot be used: .*validation_lines"),
        ({"validation_lines": [], "version": 2}, r"split\.json cannot be used"),
    ],
)
def test_split_that_cannot_be_followed_is_refused(
    document: dict[str, Any],
    complaint: str,
    tmp_path: Path,
    chat_of: Callable[[str], ChatFormat],
) -> None:
    split_channel(tmp_path, **document)
    with pytest.raises(DatasetError, match=complaint):
        load(tmp_path, chat_of("chatml"), dataset_rows(3))


def test_split_channel_needs_its_file_one_training_file_and_no_validation_channel(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    channels = tmp_path / "input" / "data"
    (channels / "split").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"no split\.json"):
        load(tmp_path, chat_of("chatml"), dataset_rows(3))
    write_rows(channels / "training" / "more.jsonl", dataset_rows(3))
    with pytest.raises(DatasetError, match="needs one training file; there are 2"):
        load(tmp_path, chat_of("chatml"), dataset_rows(3))
    write_rows(channels / "validation" / "v.jsonl", dataset_rows(3))
    with pytest.raises(DatasetError, match="give only one"):
        load(tmp_path, chat_of("chatml"), dataset_rows(3))


def test_only_the_file_with_the_agreed_hash_is_trained_on(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    rows = dataset_rows(3)
    write_rows(tmp_path / "train.jsonl", rows)
    digest = hashlib.sha256((tmp_path / "train.jsonl").read_bytes()).hexdigest()
    agreed = load(tmp_path, chat_of("chatml"), rows, dataset_sha256=digest)
    assert agreed.report.files[0]["sha256"] == digest
    with pytest.raises(DatasetError, match=rf"its SHA-256 is .*, and dataset_sha256 says {digest}"):
        load(tmp_path, chat_of("chatml"), rows[:-1], dataset_sha256=digest)


def test_rows_that_train_nothing_are_named_in_their_order(
    tmp_path: Path, chat_of: Callable[[str], ChatFormat]
) -> None:
    rows = dataset_rows(6)
    rows[2]["target_response"] *= 30
    rows[7]["target_response"] = None
    report = load(
        tmp_path, chat_of("chatml"), rows, max_seq_length=512, max_too_long_fraction=0.5
    ).report
    assert report.rows_without_trained_tokens == 2
    assert report.rows_without_trained_tokens_sources == ["train.jsonl:4", "train.jsonl:9"]
    assert report.truncated_tokens > 0


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


@pytest.mark.skipif(not REAL.is_dir(), reason="the files of v1 are not on this machine")
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


@pytest.mark.skipif(not REAL.is_dir(), reason="the files of v1 are not on this machine")
def test_real_cut_off_answers_are_refused(tmp_path: Path) -> None:
    raw = json.loads((REAL / "pair-b.cut-off.raw.json").read_bytes())
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in raw["turns"]]
    _, report = read(tmp_path, [{"conversation_id": "b", "turns": turns}])
    cut = [t for t in turns if t["role"] == "assistant" and t["content"].rstrip().endswith("\\")]
    assert report.cut_off == len(cut) > 0
