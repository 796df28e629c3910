"""The receipt, made without torch and transformers, says what training runs report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from brightrun.sft.make_receipt import make_receipt
from brightrun.sft.receipt import Receipt
from brightrun.sft.settings import DatasetSettings
from brightrun.sft.splits import SPLIT_FILE, Split
from brightrun.sft.tokenizer import TEMPLATE, OfflineTokenizer
from tests.training.jobs import (
    SMALL,
    conversation,
    dataset_rows,
    environment,
    pair_rows,
    train_here,
    write_job,
    write_rows,
)
from tests.training.tokenizers import FAMILIES, save_tokenizer
from training_container.tiny_model import TEMPLATES
from training_container.trainer.chat import chat_format
from training_container.trainer.config import run_config
from training_container.trainer.contract import JobPaths
from training_container.trainer.dataset import load_dataset

EQ_12 = Path(__file__).resolve().parents[3] / "shared" / "data" / "eq-12.training.jsonl"
STYLES = sorted(TEMPLATES)
DATED = "{{ strftime_now('%d %B %Y') }}{{ mood }}" + TEMPLATES["chatml"][0]
"""Its words are longer on some days than on others."""


def receipt_of(path: Path, tokenizer: Path, given: dict[str, Any], **how: Any) -> Receipt:
    known = {k: v for k, v in given.items() if k in DatasetSettings.__struct_fields__}
    settings = msgspec.convert(known, DatasetSettings, strict=False)
    with path.open("rb") as lines:
        return make_receipt(lines, OfflineTokenizer(tokenizer), settings, name=path.name, **how)


def trainers_dataset(root: Path, tokenizer: Path, given: dict[str, Any]) -> dict[str, Any]:
    """What results.json would say under `dataset`, without training."""
    from transformers import AutoTokenizer

    config = run_config(given)
    chat = chat_format(AutoTokenizer.from_pretrained(tokenizer, local_files_only=True), {})
    dataset = load_dataset(JobPaths(root, environment(root)), config, chat)
    return {**dataset.summary(), **msgspec.to_builtins(dataset.report)}


def assert_equal(receipt: Receipt, trained: dict[str, Any]) -> None:
    said = msgspec.to_builtins(receipt)
    shared = said.keys() & trained.keys() - {"pairs"}
    assert len(shared) >= 13  # the trainer's whole summary, and its rows
    assert {key: said[key] for key in shared} == {key: trained[key] for key in shared}
    assert said["total_training_tokens"] == said["epochs"] * trained["tokens_per_epoch"]
    assert said["pairs"] == trained["train_pairs"] + trained["validation_pairs"]
    dropped = msgspec.to_builtins(receipt.dropped)
    too_long = dropped.pop("too_long")
    assert too_long == trained["pairs_too_long"]
    assert dropped == {key: trained[key] for key in dropped}
    assert receipt.pairs_that_lost_turns == trained["pairs_with_dropped_history"]
    assert receipt.turns_dropped == trained["history_turns_dropped"]
    assert receipt.system_folded_into_user == trained["system_folded_into_user"]
    assert receipt.rows_without_trainable_tokens == trained["rows_without_trained_tokens"]
    lines = receipt.rows_without_trainable_tokens_lines
    sources = trained["rows_without_trained_tokens_sources"]
    assert [f"train.jsonl:{line}" for line in lines] == sources
    assert (receipt.method, receipt.refusal) == ("exact", None)


def messy_pairs() -> list[dict[str, Any]]:
    """v4 pairs, with everything that is dropped or shortened for one reason or another."""
    rows = dataset_rows(10)
    rows[3]["target_response"] += " cut \\"
    rows[5]["target_response"] = None
    rows[6]["target_response"] *= 30
    return [*rows, *pair_rows(conversation(51, 12), "long")]


def messy_messages() -> list[dict[str, Any]]:
    """The same of messages, in which answers may be context only."""
    some = conversation(50, 2)
    some[1]["weight"] = 0
    cut, long = conversation(53, 2), conversation(54, 1)
    cut[3]["content"] += " cut \\"
    long[1]["content"] *= 30
    rows = [some, conversation(51, 12), conversation(52, 3), conversation(52, 3), cut, long]
    return [{"messages": turns} for turns in rows]


@pytest.mark.parametrize(
    ("rows", "dropped"),
    [
        (messy_pairs(), {"without_target", "cut_off", "too_long"}),
        (messy_messages(), {"weight_zero", "cut_off", "too_long"}),
    ],
    ids=["pairs", "messages"],
)
def test_a_runs_results_are_what_the_receipt_said(
    tiny_model: Path, tmp_path: Path, rows: list[dict[str, Any]], dropped: set[str]
) -> None:
    given = {"epochs": "2", "max_seq_length": "512", "max_too_long_fraction": "0.5"}
    root = write_job(tmp_path, tiny_model, given, rows)
    results = train_here(root)
    path = root / "input" / "data" / "training" / "train.jsonl"
    receipt = receipt_of(path, tiny_model, {**SMALL, **given})
    assert_equal(receipt, results["dataset"])
    assert receipt.steps == results["total_steps"]
    assert receipt.total_training_tokens == results["tokens"]
    assert 2 * receipt.target_tokens_per_epoch == results["target_tokens"]
    assert receipt.pairs_that_lost_turns > 0
    counts = msgspec.to_builtins(receipt.dropped)
    assert {name for name, count in counts.items() if count} == dropped


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_template_and_family_of_tokenizers_is_counted_alike(
    style: str, family: str, tmp_path: Path
) -> None:
    tokenizer = save_tokenizer(tmp_path / "tokenizer", family, style)
    path = tmp_path / "input" / "data" / "training" / "train.jsonl"
    write_rows(path, messy_pairs())
    for merge in ("auto", "off"):
        given: dict[str, Any] = {
            "prefix_merge": merge,
            "batch_size": 4,
            "max_seq_length": 700,
            "max_too_long_fraction": 0.5,
        }
        receipt = receipt_of(path, tokenizer, given)
        assert_equal(receipt, trainers_dataset(tmp_path, tokenizer, given))
        assert receipt.pairs > 30


@pytest.mark.skipif(not EQ_12.is_file(), reason="the files of v1 are not on this machine")
@pytest.mark.parametrize("style", STYLES)
def test_real_pairs_are_counted_alike(style: str, tmp_path: Path) -> None:
    tokenizer = save_tokenizer(tmp_path / "tokenizer", "bytes", style)
    path = tmp_path / "input" / "data" / "training" / "train.jsonl"
    path.parent.mkdir(parents=True)
    path.symlink_to(EQ_12)
    given = {"max_seq_length": 4096, "max_too_long_fraction": 1.0}
    receipt = receipt_of(path, tokenizer, given)
    assert_equal(receipt, trainers_dataset(tmp_path, tokenizer, given))
    assert receipt.pairs + receipt.dropped.too_long == 44


def test_receipt_and_training_have_one_date_and_the_same_variables(
    tiny_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    (model / TEMPLATE).write_text(DATED, "utf-8")
    given = {
        "template_date": "2026-09-30",
        "template_variables": '{"mood": "calm and warm"}',
        "max_seq_length": "700",
    }
    root = write_job(tmp_path / "job", model, given)
    results = train_here(root)
    path = root / "input" / "data" / "training" / "train.jsonl"
    told = {**SMALL, **given, "template_variables": json.loads(given["template_variables"])}
    receipt = receipt_of(path, model, told)
    assert_equal(receipt, results["dataset"])
    text = receipt.shown[0].segments[0].text
    assert text.startswith("30 September 2026calm and warm<|im_start|>")
    undated = {key: value for key, value in told.items() if key != "template_date"}
    assert receipt_of(path, model, undated).tokens_per_epoch != receipt.tokens_per_epoch


def test_a_given_split_is_followed_by_both(tmp_path: Path) -> None:
    tokenizer = save_tokenizer(tmp_path / "tokenizer", "bytes", "chatml")
    path = tmp_path / "input" / "data" / "training" / "train.jsonl"
    rows = dataset_rows(6)
    write_rows(path, rows)
    chosen = {row["conversation_id"] for row in rows if row["conversation_id"].endswith(("1", "4"))}
    lines = [n for n, row in enumerate(rows, 2) if row["conversation_id"] in chosen]
    folder = tmp_path / "input" / "data" / "split"
    folder.mkdir()
    document = {"version": 1, "seed": 7, "fraction": 0.3, "validation_lines": lines}
    (folder / SPLIT_FILE).write_text(json.dumps(document))
    receipt = receipt_of(path, tokenizer, {}, split=Split(version=1, validation_lines=lines))
    assert_equal(receipt, trainers_dataset(tmp_path, tokenizer, {}))
    assert receipt.validation_pairs == len(lines)


def test_spans_that_are_shown_are_the_ones_that_carry_loss(
    tmp_path: Path, tokenizer_of: Callable[[str], Any]
) -> None:
    tokenizer = save_tokenizer(tmp_path / "tokenizer", "bytes", "chatml")
    path = tmp_path / "train.jsonl"
    messages = conversation(3, 3)
    write_rows(path, [{"messages": messages}], meta=False)
    (shown,) = receipt_of(path, tokenizer, {"validation_fraction": 0}).shown
    trained = [segment.text for segment in shown.segments if segment.trained]
    assert trained == [f"{m['content']}<|im_end|>" for m in messages if m["role"] == "assistant"]
    whole = tokenizer_of("chatml").apply_chat_template(messages, tokenize=False)
    assert "".join(segment.text for segment in shown.segments) == whole.rstrip()
