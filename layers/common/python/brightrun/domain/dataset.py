"""A dataset: one immutable file of training rows, and what its validation found."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DatasetStatus = Literal["uploading", "validating", "ready", "error"]
DatasetSource = Literal["upload", "training_file"]

MOST_BYTES = 524_288_000
"""Size of one dataset's file: the original's limit."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset's row; `version` counts the row's writes, `validation_run` its validations.

    Sizes are bytes, hashes hexadecimal SHA-256. The counts are None until a validation ended.
    `total_training_pairs` counts stored pairs, `trainable_pairs` those with something to learn.
    `etag` is that of the object which was confirmed; nothing else is ever validated or trained on.
    `active_jobs` counts the training jobs that have not ended; while there are any, the dataset
    cannot be deleted.
    """

    owner_id: str
    dataset_id: str
    name: str
    description: str
    format: str
    status: DatasetStatus
    source: DatasetSource
    storage_bucket: str
    storage_path: str
    file_name: str
    file_size: int
    created_at: str
    updated_at: str
    version: int = 1
    validation_run: int = 0
    upload_id: str | None = None
    training_file_id: str | None = None
    training_file_version: int | None = None
    simulated: bool = False
    etag: str | None = None
    sha256: str | None = None
    total_training_pairs: int | None = None
    trainable_pairs: int | None = None
    total_validation_pairs: int | None = None
    total_tokens: int | None = None
    tokens_method: str | None = None
    avg_turns_per_conversation: float | None = None
    avg_tokens_per_turn: float | None = None
    statistics: dict[str, Any] = field(default_factory=dict)
    sample_data: list[dict[str, Any]] = field(default_factory=list)
    validation_errors: list[dict[str, Any]] = field(default_factory=list)
    validation_warnings: list[dict[str, Any]] = field(default_factory=list)
    report_key: str | None = None
    split_key: str | None = None
    error_message: str | None = None
    validated_at: str | None = None
    active_jobs: int = 0

    @property
    def training_ready(self) -> bool:
        """True when a model can be trained on it."""
        return self.status == "ready" and bool(self.trainable_pairs)


def read_dataset(row: Mapping[str, Any]) -> Dataset:
    """Read a row as the repository stored it."""
    names = {one.name for one in dataclasses.fields(Dataset)}
    return Dataset(**{name: value for name, value in row.items() if name in names})
