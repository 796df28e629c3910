"""A dataset: one immutable file of training rows, its upload, and its validation's outcome."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from brightrun.core.errors import (
    DatasetInUseError,
    DuplicateKeyError,
    UploadMissingError,
    UploadSizeError,
    VersionConflictError,
)
from brightrun.core.rows import from_row
from brightrun.core.timestamps import from_iso

DatasetStatus = Literal["uploading", "validating", "ready", "error"]
DatasetSource = Literal["upload", "training_file"]
VALIDATION_ENDS_WITHIN = timedelta(minutes=90)
"""More than the longest execution of validate_dataset.asl.json: three attempts of 960 s, then nine
of 60 s that record the failure, with seven minutes of pauses: 64 minutes in all."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset; `version` counts its writes, `validation_run` its validations.

    Sizes are bytes, hashes hexadecimal SHA-256. The counts are None until a validation has ended.
    `total_training_pairs` counts stored pairs, `trainable_pairs` those with an answer to train on,
    `total_validation_pairs` those of them that the split holds out.
    `etag` is that of the confirmed object; no other object is validated or trained on.
    `part_size` is None for a file that is uploaded in one request, `upload_id` is None until an
    upload in parts begins. `deleted_at` is set while the dataset is being deleted.
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
        """True when its validation has been running for longer than an execution can."""
        waited = now - from_iso(self.updated_at)
        return self.status == "validating" and waited > VALIDATION_ENDS_WITHIN

    def validating(self, etag: str, now: str) -> Dataset:
        """The dataset at the start of its next validation, without the last one's problems."""
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
        """The dataset while its objects are being deleted: it can be neither validated nor used."""
        return dataclasses.replace(
            self,
            status="error",
            error_message="The dataset is being deleted. Delete it again if it still exists.",
            deleted_at=now,
            updated_at=now,
        )

    def state(self) -> dict[str, Any]:
        """The details of a version conflict."""
        return {"version": self.version, "status": self.status, "updated_at": self.updated_at}


def read_dataset(row: Mapping[str, Any]) -> Dataset:
    """Read a dataset from its row in the repository."""
    return from_row(Dataset, row)


def version_conflict(current: Dataset) -> VersionConflictError:
    """The error of a write that was made from an outdated version."""
    return VersionConflictError(
        f"The dataset '{current.name}' was changed in the meantime; its status is now "
        f"'{current.status}'. Read it again and repeat the request.",
        details=current.state(),
    )


def in_use(dataset: Dataset) -> DatasetInUseError:
    """The error of deleting a dataset that training jobs use."""
    return DatasetInUseError(
        f"The dataset '{dataset.name}' cannot be deleted: {dataset.active_jobs} training job(s) "
        "that have not ended use it. Wait for them to end, or cancel them.",
        details={"active_jobs": dataset.active_jobs},
    )


def already_imported(dataset_id: str) -> DuplicateKeyError:
    """The error of importing a version of a training file for the second time."""
    return DuplicateKeyError(
        "This version of the training file was imported before; use or delete its dataset.",
        details={"dataset_id": dataset_id},
    )


PART_BYTES = 16 * 1024 * 1024
"""One part of an upload in parts; S3 accepts less than 5 MiB for the last part only."""
LARGEST_SINGLE_PUT = 64 * 1024 * 1024
"""Larger files are uploaded in parts unless the caller requests otherwise."""
_LONGEST_NAME = 100
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,10}$")
_MARKS = frozenset("._-()")


@dataclass(frozen=True, slots=True)
class PartLink:
    """A link that accepts one part by PUT."""

    part_number: int
    url: str


@dataclass(frozen=True, slots=True)
class Upload:
    """How the missing part of a file is sent: one PUT to `url`, or one to the link of each part.

    `put`: the whole file to `url`, with the headers. `multipart`: to each link of `parts` its part
    of `part_size` bytes, the last part may be shorter; `uploaded` are the parts that have arrived.
    """

    method: Literal["put", "multipart"]
    url: str | None
    headers: dict[str, str]
    part_size: int | None
    parts: list[PartLink]
    uploaded: list[int]
    expires_in_seconds: int


def safe_file_name(name: str) -> str:
    """Make a file name that is safe in an object key and in a download's header.

    Only what follows the last slash or backslash is used. Letters and digits of any script, spaces
    and `. _ - ( )` are kept; control and invisible characters are removed; any other becomes `_`.
    Runs of `_`, of spaces and of dots become one. The name neither begins with a space or one of
    `. _ -` nor has one before the extension. It is at most 100 characters long and keeps its
    extension (a dot and up to ten letters or digits); an empty name becomes `dataset`.
    """
    text = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    plain = re.sub(r"([_. ])\1+", r"\1", "".join(map(_plain, text))).rstrip(" .")
    found = _EXTENSION.search(plain)
    extension = found.group() if found else ""
    stem = plain.removesuffix(extension).strip(" ._-")
    return (stem[: _LONGEST_NAME - len(extension)].rstrip(" .") or "dataset") + extension


def part_sizes(dataset: Dataset) -> dict[int, int]:
    """The bytes of each part by its number, from 1; empty for an upload in one request."""
    if dataset.part_size is None:
        return {}
    starts = range(0, dataset.file_size, dataset.part_size)
    return {
        number: min(dataset.part_size, dataset.file_size - start)
        for number, start in enumerate(starts, 1)
    }


def missing_parts(dataset: Dataset, arrived: Mapping[int, int]) -> list[int]:
    """The numbers of the parts that are missing or have the wrong size."""
    return [number for number, size in part_sizes(dataset).items() if arrived.get(number) != size]


def not_arrived(dataset: Dataset, missing: list[int]) -> UploadMissingError:
    """The error of confirming an upload that is not complete."""
    if missing:
        listed = ", ".join(map(str, missing))
        sentence = f"Parts {listed} of the file have not arrived"
    else:
        sentence = f"The file '{dataset.file_name}' has not arrived"
    return UploadMissingError(
        f"{sentence}. Send what is missing to the links of "
        f"GET /api/datasets/{dataset.dataset_id}/upload, then confirm again.",
        details={"missing_parts": missing},
    )


def wrong_size(dataset: Dataset, found: int) -> UploadSizeError:
    """The error of confirming a file of another size than declared."""
    return UploadSizeError(
        f"The file has {found} bytes, but {dataset.file_size} were declared. Upload the declared "
        "file again, or create a new dataset with the actual size.",
        details={"declared_bytes": dataset.file_size, "found_bytes": found},
    )


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if character in _MARKS or category[0] in "LMN":
        return character
    if category[0] == "C" or category in {"Zl", "Zp"}:
        return ""
    return " " if category == "Zs" else "_"
