"""Validates a dataset's file in one stream, and settles the dataset by what it finds."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from brightrun.domain import object_keys
from brightrun.domain.dataset import Dataset
from brightrun.domain.dataset_notices import validation_ended
from brightrun.domain.dataset_sample import HEAD_BYTES, sample_of
from brightrun.domain.moments import iso
from brightrun.domain.validation_outcome import GIVEN_UP, found_out, not_validated
from brightrun.domain.validation_workflow import ValidationEnd, ValidationRun, ValidationStatus
from brightrun.errors import NotFoundError, ObjectChangedError, VersionConflictError
from brightrun.ports import Clock, ObjectStore
from brightrun.ports.datasets import ByteStream, DatasetFiles, DatasetRepository
from brightrun.validation import ValidationResult, validate

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class DatasetValidator:
    """What the validate_dataset function does; `reports` is the datasets' own bucket."""

    datasets: DatasetRepository
    files: DatasetFiles
    reports: ObjectStore
    clock: Clock

    def validate(self, run: ValidationRun) -> ValidationEnd:
        """Carry out one validation run, or record that it failed for good.

        Only the dataset's current run settles it, and only once: a run that was killed is carried
        out again from the start, and of two at once the second changes nothing. Raises
        StorageError.
        """
        dataset = self._current(run)
        if dataset is None:
            return run.ended("superseded")
        if run.failed:
            return run.ended(self._settled(not_validated(dataset, GIVEN_UP, self._now())))
        try:
            source = _Heading(self.files.open(dataset.storage_path, str(dataset.etag)))
        except ObjectChangedError as error:
            reason = f"{error.message} Confirm the dataset again to have it validated as it is."
            return run.ended(self._settled(not_validated(dataset, reason, self._now())))
        found = validate(source)
        settled = self._written_down(dataset, found)
        sampled = dataclasses.replace(settled, sample_data=sample_of(bytes(source.head)))
        return run.ended(self._settled(sampled))

    def _current(self, run: ValidationRun) -> Dataset | None:
        """The dataset, as long as it waits for this run."""
        try:
            dataset = self.datasets.dataset(run.owner_id, run.dataset_id)
        except NotFoundError:
            return None
        waits = dataset.status == "validating" and dataset.validation_run == run.run
        return dataset if waits else None

    def _written_down(self, dataset: Dataset, found: ValidationResult) -> Dataset:
        """Store the report, and a good file's split; every try of one run writes the same."""
        place = (dataset.owner_id, dataset.dataset_id, dataset.validation_run)
        report, split = found.as_dict(), found.split
        settled = found_out(dataset, report, self._now())
        report_key, split_key = object_keys.dataset_report(*place), None
        self.reports.put(report_key, json.dumps(report, ensure_ascii=False), content_type=_JSON)
        if split is not None:
            split_key = object_keys.dataset_split(*place)
            self.reports.put(split_key, json.dumps(split.as_dict()), content_type=_JSON)
        return dataclasses.replace(settled, report_key=report_key, split_key=split_key)

    def _settled(self, dataset: Dataset) -> ValidationStatus:
        try:
            self.datasets.replace(dataset, validation_ended(dataset))
        except (VersionConflictError, NotFoundError):
            self._clear_away(dataset)
            return "superseded"
        return "ready" if dataset.status == "ready" else "error"

    def _clear_away(self, dataset: Dataset) -> None:
        """Leave nothing of a dataset behind that was deleted while it was being validated."""
        try:
            gone = self.datasets.dataset(dataset.owner_id, dataset.dataset_id).deleted_at
        except NotFoundError:
            gone = dataset.updated_at
        if gone:
            self.files.remove_all(object_keys.dataset_prefix(dataset.owner_id, dataset.dataset_id))

    def _now(self) -> str:
        return iso(self.clock())


class _Heading:
    """Hands a stream on, and keeps its first HEAD_BYTES for the samples."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.head = bytearray()

    def read(self, size: int, /) -> bytes:
        block = self._stream.read(size)
        if len(self.head) < HEAD_BYTES:
            self.head += block[: HEAD_BYTES - len(self.head)]
        return block
