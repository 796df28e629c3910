"""Deletes datasets in steps that can be repeated: what is left of one can be deleted again."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.domain import object_keys
from brightrun.domain.moments import iso
from brightrun.errors import VersionConflictError
from brightrun.ports import Clock
from brightrun.ports.datasets import DatasetFiles, DatasetRepository


@dataclass(frozen=True, slots=True)
class DatasetDeleter:
    """What DELETE /api/datasets/{id} does."""

    datasets: DatasetRepository
    files: DatasetFiles
    clock: Clock

    def delete(self, owner_id: str, dataset_id: str) -> None:
        """Delete a dataset with all its objects.

        The row is retired first, so that no job and no validation begins with what is going away;
        then its objects go, and the row with its claim at last. A validation that ends meanwhile
        is waited out once. Raises NotFoundError, DatasetInUseError, VersionConflictError,
        StorageError.
        """
        try:
            self._delete(owner_id, dataset_id)
        except VersionConflictError:
            self._delete(owner_id, dataset_id)

    def _delete(self, owner_id: str, dataset_id: str) -> None:
        dataset = self.datasets.dataset(owner_id, dataset_id)
        if not dataset.deleted_at:
            dataset = self.datasets.retire(dataset.retired(iso(self.clock())))
        if dataset.upload_id is not None:
            self.files.abandon_parts(dataset.storage_path, dataset.upload_id)
        self.files.remove_all(object_keys.dataset_prefix(owner_id, dataset_id))
        self.datasets.delete(dataset)
