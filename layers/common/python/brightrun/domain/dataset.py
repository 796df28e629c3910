"""A dataset: one immutable file of training rows, and what its validation found."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from brightrun.domain.moments import from_iso
from brightrun.domain.rows import from_row
from brightrun.errors import DatasetInUseError, DuplicateKeyError, VersionConflictError

DatasetStatus = Literal["uploading", "validating", "ready", "error"]
DatasetSource = Literal["upload", "training_file"]

MOST_BYTES = 524_288_000
"""Size of one dataset's file: the original's limit."""

VALIDATION_ENDS_WITHIN = timedelta(minutes=90)
"""More than the longest life of one execution of validate_dataset.asl.json: three tries of 960 s,
then nine of 60 s that record the failure, with seven minutes of pauses: 64 minutes in all."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset's row; `version` counts the row's writes, `validation_run` its validations.

    Sizes are bytes, hashes hexadecimal SHA-256. The counts are None until a validation ended.
    `total_training_pairs` counts stored pairs, `trainable_pairs` those with something to learn,
    `total_validation_pairs` those of them that the split keeps back.
    `etag` is that of the object which was confirmed; nothing else is ever validated or trained on.
    `part_size` is None for a file that comes in one piece, `upload_id` as long as no upload in
    parts was begun. `deleted_at` is set while the dataset is being deleted.
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
    part_size: int | None = None
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
    deleted_at: str | None = None
    active_jobs: int = 0

    @property
    def training_ready(self) -> bool:
        """True when a model can be trained on it."""
        return self.status == "ready" and bool(self.trainable_pairs)

    @property
    def execution_name(self) -> str:
        """The name of the workflow's execution for the current validation."""
        return f"{self.dataset_id}-{self.validation_run}"

    def is_stuck(self, now: datetime) -> bool:
        """True when its validation has been given up: nobody is going to end it any more."""
        waited = now - from_iso(self.updated_at)
        return self.status == "validating" and waited > VALIDATION_ENDS_WITHIN

    def validating(self, etag: str, now: str) -> Dataset:
        """The dataset at the start of its next validation, with nothing of the one before."""
        return dataclasses.replace(
            self,
            status="validating",
            validation_run=self.validation_run + 1,
            etag=etag,
            upload_id=None,
            error_message=None,
            validation_errors=[],
            validation_warnings=[],
            updated_at=now,
        )

    def retired(self, now: str) -> Dataset:
        """The dataset while its objects are being deleted: nothing can be begun with it."""
        return dataclasses.replace(
            self,
            status="error",
            error_message="The dataset is being deleted. Delete it again if it is still here.",
            deleted_at=now,
            updated_at=now,
        )

    def state(self) -> dict[str, Any]:
        """What somebody whose write met a newer version needs to know."""
        return {"version": self.version, "status": self.status, "updated_at": self.updated_at}


def read_dataset(row: Mapping[str, Any]) -> Dataset:
    """Read a row as the repository stored it."""
    return from_row(Dataset, row)


def overtaken(current: Dataset) -> VersionConflictError:
    """The refusal of a write from a version that is not the newest any more."""
    return VersionConflictError(
        f"The dataset '{current.name}' was changed meanwhile; its status is '{current.status}' "
        "now. Look at it again and repeat the request.",
        details=current.state(),
    )


def in_use(dataset: Dataset) -> DatasetInUseError:
    """The refusal to delete a dataset that is trained on."""
    return DatasetInUseError(
        f"The dataset '{dataset.name}' cannot be deleted: {dataset.active_jobs} training job(s) "
        "that have not ended use it. Wait for their end, or cancel them.",
        details={"active_jobs": dataset.active_jobs},
    )


def already_imported(dataset_id: str) -> DuplicateKeyError:
    """The refusal to make a second dataset of one version of a training file."""
    return DuplicateKeyError(
        "This version of the training file is a dataset already; use that one, or delete it first.",
        details={"dataset_id": dataset_id},
    )
