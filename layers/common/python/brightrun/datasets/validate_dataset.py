"""Validates a dataset's file in one stream and stores the outcome."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from io import BytesIO
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from brightrun.aws.objects import ObjectStore
from brightrun.core import object_keys
from brightrun.core.errors import NotFoundError, ObjectChangedError, VersionConflictError
from brightrun.core.rows import LARGEST, SMALLEST
from brightrun.core.timestamps import Clock, iso
from brightrun.datasets.file_repository import CHANGED, ByteStream, DatasetFiles
from brightrun.datasets.model import Dataset
from brightrun.datasets.repository import DatasetRepository
from brightrun.formats import (
    BYTE_ORDER_MARK,
    META,
    BlockReader,
    RecordError,
    RecordSource,
    TooLong,
    api_name,
    loads,
    numbered_lines,
)
from brightrun.notifications.model import Notification, NotificationType, notification_id
from brightrun.validation.result import ValidationResult
from brightrun.validation.validator import validate

_EVENT = ConfigDict(
    alias_generator=to_camel,
    validate_by_name=True,
    validate_by_alias=True,
    frozen=True,
    defer_build=True,
)
ValidationStatus = Literal["ready", "error", "superseded"]


class ValidationRun(BaseModel):
    """A validation run of a dataset; `failed` requests to record that all its attempts failed."""

    model_config = _EVENT

    owner_id: str
    dataset_id: str
    run: Annotated[int, Field(ge=1)]
    failed: bool = False

    def ended(self, status: ValidationStatus) -> ValidationEnd:
        """The outcome of the run."""
        return ValidationEnd(
            owner_id=self.owner_id, dataset_id=self.dataset_id, run=self.run, status=status
        )


class ValidationEnd(BaseModel):
    """The outcome of a run; `superseded` if the dataset was validated or deleted meanwhile."""

    model_config = _EVENT

    owner_id: str
    dataset_id: str
    run: int
    status: ValidationStatus


LISTED_IN_ROW = 10
"""Problems of each kind that the dataset's row holds, as in v1; the report has all."""
_STATISTICS = (
    "lines",
    "records",
    "refused",
    "conversations",
    "tokens_per_conversation",
    "tokens_per_pair",
    "lengths_method",
    "duplicates",
    "near_duplicates",
    "forgotten",
    "error_count",
    "warning_count",
    "summary",
    "split",
    "seconds",
    "mb_per_s",
)
"""Fields of the report that a dataset's `statistics` hold."""
VALIDATION_FAILED = (
    "The validation did not finish, although it was tried several times. "
    "Confirm the dataset again to start another one."
)


def validated(dataset: Dataset, report: dict[str, Any], now: str) -> Dataset:
    """The dataset after its validation; `report` is a ValidationResult as a dict."""
    ready, split = report["status"] == "ready", report["split"]
    pairs, detected = report["total_training_pairs"], report["format"]
    per_pair = round(report["total_tokens"] / pairs, 1) if pairs else None
    return dataclasses.replace(
        dataset,
        status="ready" if ready else "error",
        format=api_name(detected) if detected else dataset.format,
        sha256=report["sha256"],
        total_training_pairs=pairs,
        trainable_pairs=report["trainable_pairs"],
        total_validation_pairs=split["validation_pairs"] if split else None,
        total_tokens=report["total_tokens"],
        tokens_method=report["tokens_method"],
        avg_turns_per_conversation=report["avg_turns_per_conversation"],
        avg_tokens_per_turn=per_pair,
        statistics={name: report[name] for name in _STATISTICS},
        validation_errors=report["errors"][:LISTED_IN_ROW],
        validation_warnings=report["warnings"][:LISTED_IN_ROW],
        error_message=None if ready else _reason(report),
        validated_at=now,
        updated_at=now,
    )


def not_validated(dataset: Dataset, reason: str, now: str) -> Dataset:
    """The dataset after a validation that could not be carried out."""
    return dataclasses.replace(
        dataset, status="error", error_message=reason, validated_at=now, updated_at=now
    )


def _reason(report: dict[str, Any]) -> str:
    count, first = report["error_count"], report["errors"][0]
    found = "Found 1 error" if count == 1 else f"Found {count:,} errors, the first"
    return f"{found} in line {first['line']}: {first['message']} {first['hint']}"


SAMPLES = 3
HEAD_BYTES = 4 * 1024 * 1024
"""Bytes of a file's beginning that samples are taken from."""
_CHARACTERS = 6_000
"""Most characters of one sample: three of them, at four bytes each, are under 80 KB of a row."""
_LONGEST_TEXT = 300
_NODE = 8
"""Characters that each value counts for, besides its text."""
_DEEPEST = 12
_CUT = "…"


def sample_of(head: bytes) -> list[dict[str, Any]]:
    """Read the first records of a file's beginning, without `_meta`, with long texts shortened.

    What is no object is skipped: the report has its problems.
    """
    samples: list[dict[str, Any]] = []
    for _, line in numbered_lines(BlockReader(RecordSource(BytesIO(head)), len(head))):
        value = None if isinstance(line, TooLong) else _read(line)
        if isinstance(value, dict) and META not in value:
            samples.append(_Shortener().object(value))
        if len(samples) == SAMPLES:
            break
    return samples


def _read(line: bytes) -> Any:
    try:
        return loads(line.removeprefix(BYTE_ORDER_MARK))
    except RecordError:
        return None


class _Shortener:
    """Copies one value until its characters are used up."""

    def __init__(self) -> None:
        self._left = _CHARACTERS

    def object(self, value: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        """Copy an object without what does not fit."""
        copied = {}
        for name, inner in value.items():
            if self._left <= 0:
                break
            copied[self._text(name) or _CUT] = self._value(inner, depth + 1)
        return copied

    def _value(self, value: Any, depth: int) -> Any:
        self._left -= _NODE
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict | list) and depth > _DEEPEST:
            return _CUT
        if isinstance(value, dict):
            return self.object(value, depth)
        if isinstance(value, list):
            return self._list(value, depth)
        return self._text(str(value)) if _is_beyond(value) else value

    def _list(self, values: list[Any], depth: int) -> list[Any]:
        copied = []
        for inner in values:
            if self._left <= 0:
                break
            copied.append(self._value(inner, depth + 1))
        return copied

    def _text(self, text: str) -> str:
        most = max(min(_LONGEST_TEXT, self._left), 0)
        self._left -= min(len(text), most)
        cut = text if len(text) <= most else text[:most] + _CUT
        return cut.encode(errors="replace").decode()  # half a surrogate pair is in no row


def _is_beyond(value: Any) -> bool:
    """True for a number that readers of JSON, or a row, cannot hold: it becomes text."""
    if isinstance(value, float):
        return not (value == 0 or SMALLEST <= abs(value) <= LARGEST)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53


def validation_ended(dataset: Dataset) -> Notification:
    """The notification that a dataset is ready, or why it is not, at the end of its validation."""
    ready = dataset.status == "ready"
    kind: NotificationType = "dataset_ready" if ready else "dataset_error"
    detail = (
        f"{dataset.trainable_pairs} pairs of it can be trained on."
        if ready
        else str(dataset.error_message)
    )
    return Notification(
        owner_id=dataset.owner_id,
        notification_id=notification_id(dataset.updated_at, kind, dataset.execution_name),
        type=kind,
        title="Dataset Ready" if ready else "Dataset Not Ready",
        message=f"The dataset '{dataset.name}' is {'ready' if ready else 'not ready'}: {detail}",
        priority="medium" if ready else "high",
        action_url=f"/datasets/{dataset.dataset_id}",
        created_at=dataset.updated_at,
        metadata={"dataset_id": dataset.dataset_id},
    )


_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class DatasetValidator:
    """The validate_dataset function's service; `reports` is the bucket of datasets."""

    datasets: DatasetRepository
    files: DatasetFiles
    reports: ObjectStore
    clock: Clock

    def validate(self, run: ValidationRun) -> ValidationEnd:
        """Carry out one validation run, or record that it failed for good.

        Only the dataset's current run stores its outcome, and only once: an interrupted run is
        repeated from the start, and of two concurrent ones the second changes nothing. Raises
        StorageError.
        """
        dataset = self._current(run)
        if dataset is None:
            return run.ended("superseded")
        if run.failed:
            failed = not_validated(dataset, VALIDATION_FAILED, self._now())
            return run.ended(self._store(failed))
        try:
            source = _HeadRecorder(self.files.open(dataset.storage_path, str(dataset.etag)))
        except ObjectChangedError:
            reason = f"{CHANGED} Confirm the dataset again to validate the current file."
            return run.ended(self._store(not_validated(dataset, reason, self._now())))
        ended = self._store_report(dataset, validate(source))
        sampled = dataclasses.replace(ended, sample_data=sample_of(bytes(source.head)))
        return run.ended(self._store(sampled))

    def _current(self, run: ValidationRun) -> Dataset | None:
        """The dataset, if this run is its current one."""
        try:
            dataset = self.datasets.dataset(run.owner_id, run.dataset_id)
        except NotFoundError:
            return None
        current = dataset.status == "validating" and dataset.validation_run == run.run
        return dataset if current else None

    def _store_report(self, dataset: Dataset, result: ValidationResult) -> Dataset:
        """Store the report, and the split of a valid file; repeating a run writes the same."""
        run = (dataset.owner_id, dataset.dataset_id, dataset.validation_run)
        report, split = result.as_dict(), result.split
        ended = validated(dataset, report, self._now())
        report_key, split_key = object_keys.dataset_report(*run), None
        self.reports.put(report_key, json.dumps(report, ensure_ascii=False), content_type=_JSON)
        if split is not None:
            split_key = object_keys.dataset_split(*run)
            self.reports.put(split_key, json.dumps(split.as_dict()), content_type=_JSON)
        return dataclasses.replace(ended, report_key=report_key, split_key=split_key)

    def _store(self, dataset: Dataset) -> ValidationStatus:
        try:
            self.datasets.replace(dataset, validation_ended(dataset))
        except (VersionConflictError, NotFoundError):
            self._remove_if_deleted(dataset)
            return "superseded"
        return "ready" if dataset.status == "ready" else "error"

    def _remove_if_deleted(self, dataset: Dataset) -> None:
        """Delete the objects of a dataset that was deleted while it was being validated."""
        try:
            deleted_at = self.datasets.dataset(dataset.owner_id, dataset.dataset_id).deleted_at
        except NotFoundError:
            deleted_at = dataset.updated_at
        if deleted_at:
            self.files.remove_all(object_keys.dataset_prefix(dataset.owner_id, dataset.dataset_id))

    def _now(self) -> str:
        return iso(self.clock())


class _HeadRecorder:
    """Passes a stream through and keeps its first HEAD_BYTES for the samples."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.head = bytearray()

    def read(self, size: int, /) -> bytes:
        block = self._stream.read(size)
        if len(self.head) < HEAD_BYTES:
            self.head += block[: HEAD_BYTES - len(self.head)]
        return block
