"""What a receipt says; make_receipt.py counts it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from brightrun.sft.data import TemplateRefusal
from brightrun.sft.preview import ShownRow, TokenInContent


class Sample(msgspec.Struct):
    """Which part was counted: `rows` of `of_rows`; every count was multiplied by `factor`."""

    rows: int
    of_rows: int
    bytes: int
    of_bytes: int
    factor: float


class Dropped(msgspec.Struct):
    """Answers that are not trained, by reason."""

    without_target: int
    weight_zero: int
    cut_off: int
    too_long: int
    refused_by_template: int


class Template(msgspec.Struct):
    """The chat template that is applied, the file it stands in, and how it begins."""

    name: str
    file: str
    sha256: str
    opening: str


class Receipt(msgspec.Struct, kw_only=True):
    """What the model will see of a dataset, and what a run would do with it.

    `method` is exact, or sampled where a part was counted and multiplied. The first four counts of
    tokens are of all pairs, each with its whole context, held out ones too; `truncated_tokens` come
    on top. Those of an epoch are of what is trained on, after merging. `refused` rows have an
    error, and are counted by its code as the validator does. `refusal` is why the trainer would not
    train on it, if it would not. Among the `settings` is the day that the template took for today.
    """

    method: Literal["exact", "sampled"]
    sample: Sample | None
    refusal: str | None
    rows: int
    refused: int
    refused_codes: dict[str, int]
    refused_lines: list[int]
    pairs: int
    total_tokens: int
    trainable_tokens: int
    masked_tokens: int
    truncated_tokens: int
    rows_without_trainable_tokens: int
    rows_without_trainable_tokens_lines: list[int]
    dropped: Dropped
    template_refusals: list[TemplateRefusal]
    pairs_that_lost_turns: int
    turns_dropped: int
    system_folded_into_user: bool
    train_pairs: int
    validation_pairs: int
    sequences: int
    longest_sequence: int
    tokens_per_epoch_unmerged: int
    merge_factor: float
    tokens_per_epoch: int
    target_tokens_per_epoch: int
    masked_tokens_per_epoch: int
    validation_tokens: int
    epochs: int
    steps: int
    total_training_tokens: int
    template: Template
    special_tokens_in_content: list[TokenInContent]
    shown: list[ShownRow]
    settings: dict[str, Any]
