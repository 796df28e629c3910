"""What a run learns from: examples on both sides, merged, and planned into steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from brightrun.sft.data import LISTED_SOURCES, DataReport, TrainingPair
from brightrun.sft.errors import DatasetError
from brightrun.sft.packing import Step, arrange, plan_steps, saved_factor
from brightrun.sft.settings import DatasetSettings, evaluations_an_epoch
from brightrun.sft.templates import ChatFormat, Example


@dataclass(frozen=True)
class Dataset:
    """What a run learns from and is measured on, with its plan and the account of every row."""

    train: list[Example]
    validation: list[Example]
    steps: list[Step]
    report: DataReport
    tokens_unmerged: int
    validation_tokens_unmerged: int
    merge_factor: float

    def summary(self) -> dict[str, Any]:
        """The counts for the log, results.json and the receipt."""
        tokens = sum(len(example.ids) for example in self.train)
        targets = sum(example.targets() for example in self.train)
        return {
            "train_pairs": sum(example.pairs for example in self.train),
            "validation_pairs": sum(example.pairs for example in self.validation),
            "sequences": len(self.train),
            "tokens_per_epoch": tokens,
            "tokens_per_epoch_unmerged": self.tokens_unmerged,
            "target_tokens_per_epoch": targets,
            "masked_tokens_per_epoch": tokens - targets,
            "validation_tokens": sum(len(example.ids) for example in self.validation),
            "merge_factor": round(self.merge_factor, 4),
            "longest_sequence": max((len(example.ids) for example in self.train), default=0),
            "steps": len(self.steps),
        }


def prepare(
    train: Sequence[TrainingPair],
    held_out: Sequence[TrainingPair],
    settings: DatasetSettings,
    chat: ChatFormat,
    report: DataReport,
) -> Dataset:
    """The pairs of both sides as a run's dataset; `report` takes what became of them.

    It may have nothing to train on: `refuse_unfit` says whether it can be used.
    """
    report.system_folded_into_user = chat.folds_system
    separate, untrained = _examples(train, settings.max_seq_length, chat, report)
    validation, untrained_held_out = _examples(held_out, settings.max_seq_length, chat, report)
    _count_untrained_rows(untrained | untrained_held_out, report)
    examples = arrange(separate, settings.prefix_merge, settings.batch_size)
    evaluations = evaluations_an_epoch(
        settings.evaluations_per_epoch,
        pairs=sum(example.pairs for example in examples),
        batch_size=settings.batch_size,
        epochs=settings.epochs,
    )
    return Dataset(
        examples,
        arrange(validation, settings.prefix_merge, len(validation)),
        plan_steps(examples, settings.batch_size, settings.epochs, settings.seed, evaluations),
        report,
        sum(len(example.ids) for example in separate),
        sum(len(example.ids) for example in validation),
        saved_factor(separate, examples),
    )


def refuse_unfit(dataset: Dataset, settings: DatasetSettings) -> None:
    """Raise DatasetError for rows with an error, nothing to train on, or pairs that do not fit.

    A file whose validation finds an error is refused as a whole: what was left out in silence would
    be missed in the model.
    """
    report = dataset.report
    if report.refused or report.file_errors:
        raise DatasetError(_why_refused(report))
    if not dataset.train:
        raise DatasetError(f"no trainable pair: {_why_nothing(report)}.")
    if report.pairs_too_long / report.pairs > settings.max_too_long_fraction:
        raise DatasetError(
            f"{report.pairs_too_long} of {report.pairs} pairs do not fit into max_seq_length "
            f"{settings.max_seq_length} even without their history (first: "
            f"{', '.join(report.too_long_sources[:3])}); raise max_seq_length, or "
            "max_too_long_fraction to train without them."
        )


def _examples(
    pairs: Sequence[TrainingPair], max_tokens: int, chat: ChatFormat, report: DataReport
) -> tuple[list[Example], set[str]]:
    """The examples, and the rows none of whose pairs became one."""
    examples, with_example, all_rows = [], set(), set()
    for pair in pairs:
        example = chat.example(pair, max_tokens, report)
        all_rows.add(pair.source)
        if example is not None:
            examples.append(example)
            with_example.add(pair.source)
    return examples, all_rows - with_example


def _count_untrained_rows(sources: set[str], report: DataReport) -> None:
    """Count the rows that turned out too long with those that had nothing to learn."""
    report.rows_without_trained_tokens += len(sources)
    report.rows_without_trained_tokens_sources = nsmallest(
        LISTED_SOURCES, [*report.rows_without_trained_tokens_sources, *sources], key=_in_file
    )


def _in_file(source: str) -> tuple[str, int]:
    name, _, line = source.rpartition(":")
    return name, int(line)


def _why_refused(report: DataReport) -> str:
    found = []
    if report.refused:
        codes = ", ".join(f"{code} {count}" for code, count in report.refused_codes.items())
        found.append(
            f"{report.refused} of {report.rows} rows cannot be trained on ({codes}). "
            f"The first is {report.first_refusal}"
        )
    return " ".join([*found, *report.file_errors])


def _why_nothing(report: DataReport) -> str:
    reasons = {
        "rows": report.rows,
        "without an answer": report.without_target,
        "with weight 0": report.weight_zero,
        "cut off (ending in a backslash)": report.cut_off,
        "too long": report.pairs_too_long,
        **{
            f"refused from {one.sources[0]} on because {one.message.rstrip('.')}": one.pairs
            for one in report.template_refusals
        },
    }
    return ", ".join(f"{count} {name}" for name, count in reasons.items() if count) or "0 rows"
