"""Takes a dataset's file as it is now, and has it validated."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.domain.dataset import MOST_BYTES, Dataset
from brightrun.domain.moments import iso
from brightrun.domain.upload import missing_parts, not_arrived, wrong_size
from brightrun.errors import ActionNotAllowedError, NotFoundError, VersionConflictError
from brightrun.ports import Clock, TrainingFileRepository
from brightrun.ports.datasets import (
    DatasetFiles,
    DatasetRepository,
    StoredObject,
    ValidationWorkflow,
)


@dataclass(frozen=True, slots=True)
class DatasetConfirmer:
    """What POST /api/datasets/{id}/confirm does, and the second half of an import.

    `training_files_bucket` is where the versions of training files lie.
    """

    datasets: DatasetRepository
    files: DatasetFiles
    training_files: TrainingFileRepository
    training_files_bucket: str
    workflow: ValidationWorkflow
    clock: Clock

    def confirm(self, owner_id: str, dataset_id: str) -> Dataset:
        """Check that the file has arrived as declared, and start its validation.

        A dataset that is ready stays as it is; of one that is being validated only the workflow is
        made sure of; one in error is validated once more. Of two confirmations at once, one starts
        the validation and both give the same dataset. Raises NotFoundError, UploadMissingError,
        UploadSizeError, ActionNotAllowedError while the dataset is being deleted, StorageError.
        """
        dataset = self.datasets.dataset(owner_id, dataset_id)
        if dataset.deleted_at:
            raise ActionNotAllowedError(str(dataset.error_message), details=dataset.state())
        now = self.clock()
        if dataset.status == "ready":
            return dataset
        if dataset.status != "validating" or dataset.is_stuck(now):
            dataset = self._begun(dataset, iso(now))
        if dataset.status == "validating":
            self.workflow.ensure_validating(dataset)
        return dataset

    def _begun(self, dataset: Dataset, now: str) -> Dataset:
        found = self._arrived(dataset)
        if found.size != dataset.file_size or found.size > MOST_BYTES:
            raise wrong_size(dataset, found.size)
        try:
            return self.datasets.replace(dataset.validating(found.etag, now))
        except VersionConflictError:
            # Somebody else confirmed it in the same moment: theirs is the validation.
            return self.datasets.dataset(dataset.owner_id, dataset.dataset_id)

    def _arrived(self, dataset: Dataset) -> StoredObject:
        """Look at the file, after it was put together or copied where that is still to be done."""
        found = self.files.stored(dataset.storage_path)
        if found is None and dataset.upload_id is not None:
            self._put_together(dataset, dataset.upload_id)
            found = self.files.stored(dataset.storage_path)
        if found is None and dataset.training_file_id is not None:
            found = self._copied(dataset, dataset.training_file_id)
        if found is None:
            raise not_arrived(dataset, missing_parts(dataset, {}))
        return found

    def _put_together(self, dataset: Dataset, upload_id: str) -> None:
        parts = self.files.parts(dataset.storage_path, upload_id)
        if parts is None:
            return
        missing = missing_parts(dataset, {part.number: part.size for part in parts})
        if missing:
            raise not_arrived(dataset, missing)
        self.files.complete_parts(dataset.storage_path, upload_id, parts)

    def _copied(self, dataset: Dataset, training_file_id: str) -> StoredObject:
        """Copy the version of the training file, which never changes, as often as it takes."""
        file = self.training_files.training_file(dataset.owner_id, training_file_id)
        version = file.numbered(dataset.training_file_version)
        if version is None:
            raise NotFoundError("version of this training file", str(dataset.training_file_version))
        return self.files.copy_from(
            self.training_files_bucket, version.jsonl_key, dataset.storage_path
        )
