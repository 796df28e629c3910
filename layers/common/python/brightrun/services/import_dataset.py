"""Makes datasets of training files: a copy of one version, which no later addition changes."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.domain import object_keys
from brightrun.domain.dataset import Dataset
from brightrun.domain.ids import time_ordered_id
from brightrun.domain.moments import iso
from brightrun.domain.training_file import TrainingFile, TrainingFileVersion
from brightrun.errors import NotFoundError
from brightrun.ports import Clock, TrainingFileRepository
from brightrun.ports.datasets import DatasetRepository
from brightrun.services.confirm_dataset import DatasetConfirmer

FORMAT = "brightrun_lora_v4"
FILE_NAME = "training.jsonl"
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class DatasetImporter:
    """What POST /api/datasets/import-from-training-file does; `bucket` is the datasets' own."""

    datasets: DatasetRepository
    training_files: TrainingFileRepository
    confirmer: DatasetConfirmer
    clock: Clock
    bucket: str

    def import_version(self, owner_id: str, file_id: str, number: int | None) -> Dataset:
        """Make a dataset of a version, the newest where none is named, and have it validated.

        The row and its claim come first, then the copy: an import that broke off goes on when the
        dataset is confirmed. Raises NotFoundError, DuplicateKeyError whose details name the dataset
        that was made of this version before, StorageError.
        """
        file = self.training_files.training_file(owner_id, file_id)
        version = file.numbered(number)
        if version is None:
            raise NotFoundError("version of this training file", str(number))
        dataset = self._dataset(file, version)
        self.datasets.add(dataset)
        return self.confirmer.confirm(owner_id, dataset.dataset_id)

    def _dataset(self, file: TrainingFile, version: TrainingFileVersion) -> Dataset:
        now = self.clock()
        dataset_id = time_ordered_id(now)
        return Dataset(
            owner_id=file.owner_id,
            dataset_id=dataset_id,
            name=file.name[:_LONGEST_NAME],
            description=f"Imported from training file: {file.name}, version {version.version}",
            format=FORMAT,
            status="uploading",
            source="training_file",
            storage_bucket=self.bucket,
            storage_path=object_keys.dataset_file(file.owner_id, dataset_id, FILE_NAME),
            file_name=FILE_NAME,
            file_size=version.jsonl_file_size,
            created_at=iso(now),
            updated_at=iso(now),
            training_file_id=file.file_id,
            training_file_version=version.version,
            simulated=version.simulated,
        )
