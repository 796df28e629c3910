"""The job's dataset: read, split by conversation, tokenized, merged and planned into steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training_container.trainer.config import RunConfig
from training_container.trainer.contract import JobPaths
from training_container.trainer.data import (
    DataReport,
    TrainingPair,
    read_pairs,
    split_by_conversation,
)
from training_container.trainer.errors import DatasetError
from training_container.trainer.packing import Step, arrange, plan_steps, saved_factor
from training_container.trainer.templates import ChatFormat, Example


@dataclass(frozen=True)
class Dataset:
    """What a run learns from and is measured on, with its plan and the account of every row."""

    train: list[Example]
    validation: list[Example]
    steps: list[Step]
    report: DataReport
    tokens_unmerged: int
    merge_factor: float

    def summary(self) -> dict[str, Any]:
        """The counts for the log and results.json."""
        return {
            "train_pairs": sum(example.pairs for example in self.train),
            "validation_pairs": sum(example.pairs for example in self.validation),
            "sequences": len(self.train),
            "tokens_per_epoch": sum(len(example.ids) for example in self.train),
            "tokens_per_epoch_unmerged": self.tokens_unmerged,
            "target_tokens_per_epoch": sum(example.targets() for example in self.train),
            "merge_factor": round(self.merge_factor, 4),
            "longest_sequence": max(len(example.ids) for example in self.train),
        }


def load_dataset(paths: JobPaths, config: RunConfig, chat: ChatFormat) -> Dataset:
    """The dataset of the `training` channel, validated before any weight is loaded.

    A `validation` channel, where there is one, is used as it is; else conversations are held
    out. Raises DatasetError when no answer is left to train on, or when more than
    `max_too_long_fraction` of the pairs cannot fit.
    """
    report = DataReport(system_folded_into_user=chat.folds_system)
    pairs = read_pairs(paths.channel("training"), report)
    if paths.channel("validation").is_dir():
        train, held_out = pairs, read_pairs(paths.channel("validation"), report)
    else:
        train, held_out = split_by_conversation(pairs, config.validation_fraction, config.seed)
    separate = _examples(train, config, chat, report)
    validation = _examples(held_out, config, chat, report)
    if not separate:
        raise DatasetError(f"no trainable pair: {_why_nothing(report)}.")
    _check_too_long(report, config)
    examples = arrange(separate, config.prefix_merge, config.batch_size)
    return Dataset(
        examples,
        arrange(validation, config.prefix_merge, len(validation)) if validation else [],
        plan_steps(
            examples, config.batch_size, config.epochs, config.seed, config.evaluations_per_epoch
        ),
        report,
        sum(len(example.ids) for example in separate),
        saved_factor(separate, examples),
    )


def _examples(
    pairs: Sequence[TrainingPair], config: RunConfig, chat: ChatFormat, report: DataReport
) -> list[Example]:
    found = (chat.example(pair, config.max_seq_length, report) for pair in pairs)
    return [example for example in found if example is not None]


def _check_too_long(report: DataReport, config: RunConfig) -> None:
    share = report.pairs_too_long / report.pairs
    if share > config.max_too_long_fraction:
        raise DatasetError(
            f"{report.pairs_too_long} of {report.pairs} pairs do not fit into max_seq_length "
            f"{config.max_seq_length} even without their history (first: "
            f"{', '.join(report.too_long_sources[:3])}); raise max_seq_length, or "
            "max_too_long_fraction to train without them."
        )


def _why_nothing(report: DataReport) -> str:
    reasons = {
        "rows": report.rows,
        "without an answer": report.without_target,
        "without a question": report.without_prompt,
        "with weight 0": report.weight_zero,
        "cut off (ending in a backslash)": report.cut_off,
        "too long": report.pairs_too_long,
    }
    return ", ".join(f"{count} {name}" for name, count in reasons.items() if count) or "0 rows"
