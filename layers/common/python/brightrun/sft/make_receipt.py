"""Makes a receipt: what a model will see of a dataset, counted by the trainer's own code.

tests/training/test_receipt_equals_trainer.py holds it to what training runs report.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from brightrun.formats import Readable
from brightrun.sft.data import DataReport, TrainingPair, pairs_of_file
from brightrun.sft.dataset import Dataset, prepare, refuse_unfit
from brightrun.sft.errors import DatasetError
from brightrun.sft.preview import preview_rows, tokens_in_content
from brightrun.sft.receipt import Dropped, Receipt, Sample, Template
from brightrun.sft.sampling import RowSampler, thinned
from brightrun.sft.settings import DatasetSettings
from brightrun.sft.splits import Split, split_by_conversation, split_by_lines
from brightrun.sft.tokenizer import OfflineTokenizer

SHOWN_OF_TEMPLATE = 200
"""Characters of the template that a receipt repeats."""

RATIOS = frozenset({"merge_factor", "longest_sequence", "steps"})
"""What of a dataset's summary does not grow with its rows."""


@dataclass(frozen=True)
class SampleLimits:
    """From which sizes on a part is counted: of the file in bytes, of what is read in characters.

    A pair is read with its history, so a file's characters are some times its bytes.
    """

    size: int
    most_bytes: int
    most_characters: int


@dataclass
class _Read:
    """The rows that are counted; counts of rows and of pairs are multiplied by their factors."""

    report: DataReport = field(default_factory=DataReport)
    pairs: list[TrainingPair] = field(default_factory=list)
    sampler: RowSampler | None = None
    row_factor: float = 1.0
    pair_factor: float = 1.0

    def rows(self, count: int) -> int:
        return round(count * self.row_factor)

    def whole(self, count: int) -> int:
        return round(count * self.pair_factor)

    @property
    def is_sample(self) -> bool:
        return self.pair_factor != 1.0


def make_receipt(
    source: Readable,
    tokenizer: OfflineTokenizer,
    settings: DatasetSettings,
    *,
    name: str,
    split: Split | None = None,
    rows_shown: int = 5,
    limits: SampleLimits | None = None,
) -> Receipt:
    """Count the rows of one training file as a training run with these settings would.

    Without `limits` everything is counted, in memory of about six times the file. Raises
    DatasetError for a file that holds no rows at all, and ModelError for a template that is no
    template.
    """
    chat = tokenizer.chat_format(settings.template_variables, settings.template_date)
    read = _read(source, name, limits)
    untrained_when_read = read.report.rows_without_trained_tokens
    if split:
        sides = split_by_lines(read.pairs, read.report.files[0]["lines"], split)
    else:
        fraction, seed = settings.validation_fraction, settings.seed
        sides = split_by_conversation(read.pairs, fraction, seed)
    dataset = prepare(*sides, settings, chat, read.report)
    held_out = {pair.line for pair in sides[1]}
    return Receipt(
        **_counts(dataset, settings, read),
        **_rows(read, tokenizer, untrained_when_read),
        system_folded_into_user=chat.folds_system,
        template=_template(tokenizer),
        shown=preview_rows(read.pairs, rows_shown, chat, settings.max_seq_length, held_out),
        settings={name: getattr(settings, name) for name in DatasetSettings.__struct_fields__},
        refusal=_refusal(dataset, settings),
    )


def _read(source: Readable, name: str, limits: SampleLimits | None) -> _Read:
    read = _Read()
    if limits and limits.size > limits.most_bytes:
        read.sampler = RowSampler(limits.size, limits.most_bytes)
        read.pairs = pairs_of_file(source, name, read.report, read.sampler.records)
    else:
        read.pairs = pairs_of_file(source, name, read.report)
    if read.sampler:
        read.row_factor = read.pair_factor = read.sampler.factor
    if limits:
        read.pairs, factor = thinned(read.pairs, limits.most_characters)
        read.pair_factor *= factor
        read.report.pairs = len(read.pairs)
    return read


def _rows(read: _Read, tokenizer: OfflineTokenizer, untrained_when_read: int) -> dict[str, Any]:
    report, sampler = read.report, read.sampler
    of_rows = report.rows
    late = report.rows_without_trained_tokens - untrained_when_read
    untrained = read.rows(untrained_when_read) + read.whole(late)
    sources = report.rows_without_trained_tokens_sources
    special = tokens_in_content(read.pairs, tokenizer.special_tokens)
    for one in special:
        one.rows = read.whole(one.rows)
    size = report.files[0]["bytes"]
    sample = Sample(
        rows=len({pair.line for pair in read.pairs}),
        of_rows=of_rows,
        bytes=sampler.sampled_size if sampler else size,
        of_bytes=sampler.size if sampler else size,
        factor=round(read.pair_factor, 4),
    )
    return {
        "method": "sampled" if read.is_sample else "exact",
        "sample": sample if read.is_sample else None,
        "rows": of_rows,
        "refused": report.refused,
        "refused_codes": report.refused_codes,
        "refused_lines": [_line(source) for source in report.refused_sources],
        "rows_without_trainable_tokens": untrained,
        "rows_without_trainable_tokens_lines": [_line(source) for source in sources],
        "special_tokens_in_content": special,
    }


def _counts(dataset: Dataset, settings: DatasetSettings, read: _Read) -> dict[str, Any]:
    report, whole = dataset.report, read.whole
    total = whole(dataset.tokens_unmerged + dataset.validation_tokens_unmerged)
    trainable = whole(sum(one.targets() for one in [*dataset.train, *dataset.validation]))
    training = _training(dataset, settings, read)
    return {
        **training,
        "pairs": training["train_pairs"] + training["validation_pairs"],
        "total_tokens": total,
        "trainable_tokens": trainable,
        "masked_tokens": total - trainable,
        "truncated_tokens": whole(report.truncated_tokens),
        "dropped": Dropped(
            read.rows(report.without_target),
            read.rows(report.weight_zero),
            read.rows(report.cut_off),
            whole(report.pairs_too_long),
            whole(report.refused_by_template),
        ),
        "template_refusals": [
            structs.replace(one, pairs=whole(one.pairs)) for one in report.template_refusals
        ],
        "pairs_that_lost_turns": whole(report.pairs_with_dropped_history),
        "turns_dropped": whole(report.history_turns_dropped),
    }


def _training(dataset: Dataset, settings: DatasetSettings, read: _Read) -> dict[str, Any]:
    figures = {
        name: figure if name in RATIOS else read.whole(figure)
        for name, figure in dataset.summary().items()
    }
    if read.is_sample:
        steps = math.ceil(figures["train_pairs"] / settings.batch_size)
        figures["steps"] = settings.epochs * steps
    epochs = settings.epochs
    tokens = epochs * figures["tokens_per_epoch"]
    return {**figures, "epochs": epochs, "total_training_tokens": tokens}


def _template(tokenizer: OfflineTokenizer) -> Template:
    template = tokenizer.template
    opening = template.text[:SHOWN_OF_TEMPLATE]
    return Template(template.name, template.file, template.sha256, opening)


def _refusal(dataset: Dataset, settings: DatasetSettings) -> str | None:
    try:
        refuse_unfit(dataset, settings)
    except DatasetError as error:
        return str(error)
    return None


def _line(source: str) -> int:
    return int(source.rpartition(":")[2])
