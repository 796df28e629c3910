"""Creates datasets: from an upload or from a training file, until the validation has started."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from brightrun.aws.objects import LINK_SECONDS
from brightrun.core import object_keys
from brightrun.core.errors import ActionNotAllowedError, NotFoundError, VersionConflictError
from brightrun.core.ids import time_ordered_id
from brightrun.core.timestamps import Clock, iso
from brightrun.datasets.file_repository import DatasetFiles, StoredObject
from brightrun.datasets.gateway import ValidationWorkflow
from brightrun.datasets.model import (
    LARGEST_PIECE,
    MOST_BYTES,
    PART_BYTES,
    Dataset,
    PartLink,
    Upload,
    missing_parts,
    not_arrived,
    part_sizes,
    safe_file_name,
    wrong_size,
)
from brightrun.datasets.repository import DatasetRepository
from brightrun.training_files.model import TrainingFile, TrainingFileVersion
from brightrun.training_files.repository import TrainingFileRepository


@dataclass(frozen=True, slots=True)
class UploadPlanner:
    """Signs the links of uploads, and begins those that come in parts."""

    datasets: DatasetRepository
    files: DatasetFiles

    def resume(self, owner_id: str, dataset_id: str) -> Upload:
        """Plan the rest of an upload that broke off.

        Raises NotFoundError, ActionNotAllowedError when nothing is missing any more, StorageError.
        """
        dataset = self.datasets.dataset(owner_id, dataset_id)
        if dataset.status != "uploading" or dataset.source != "upload":
            raise ActionNotAllowedError(
                f"The dataset '{dataset.name}' takes no upload: its status is '{dataset.status}'. "
                "Make a new dataset for another file.",
                details=dataset.state(),
            )
        _, upload = self.plan(dataset)
        return upload

    def plan(self, dataset: Dataset) -> tuple[Dataset, Upload]:
        """Plan an upload; gives the dataset, too, as it is then. Raises StorageError."""
        if dataset.part_size is not None:
            return self._in_parts(dataset)
        upload = Upload(
            method="put",
            expires_in_seconds=LINK_SECONDS,
            url=self.files.upload_link(dataset.storage_path, dataset.file_size),
            headers={"Content-Length": str(dataset.file_size)},
        )
        return dataset, upload

    def _in_parts(self, dataset: Dataset) -> tuple[Dataset, Upload]:
        key = dataset.storage_path
        arrived = self.files.parts(key, dataset.upload_id) if dataset.upload_id else None
        if arrived is None:
            dataset, arrived = self._begun(dataset), []
        sizes, upload_id = part_sizes(dataset), str(dataset.upload_id)
        missing = missing_parts(dataset, {part.number: part.size for part in arrived})
        upload = Upload(
            method="multipart",
            expires_in_seconds=LINK_SECONDS,
            part_size=dataset.part_size,
            parts=[
                PartLink(number, self.files.part_link(key, upload_id, number, sizes[number]))
                for number in missing
            ],
            uploaded=[number for number in sizes if number not in missing],
        )
        return dataset, upload

    def _begun(self, dataset: Dataset) -> Dataset:
        """Begin an upload in parts and write its id down; of two at once, one is given up."""
        upload_id = self.files.begin_parts(dataset.storage_path)
        try:
            return self.datasets.replace(dataclasses.replace(dataset, upload_id=upload_id))
        except VersionConflictError:
            self.files.abandon_parts(dataset.storage_path, upload_id)
            raise


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """What a caller wants to upload; `file_size` is in bytes, 1 to MOST_BYTES.

    `in_parts` None leaves it to us: files above LARGEST_PIECE come in parts.
    """

    name: str
    description: str
    format: str
    file_name: str
    file_size: int
    in_parts: bool | None = None


@dataclass(frozen=True, slots=True)
class DatasetCreator:
    """What POST /api/datasets does; `bucket` is where the files lie."""

    datasets: DatasetRepository
    uploads: UploadPlanner
    clock: Clock
    bucket: str

    def create(self, owner_id: str, order: DatasetRequest) -> tuple[Dataset, Upload]:
        """Make a dataset that waits for its file, and say how the file is sent.

        Where the second fails the dataset stays, for GET /api/datasets/{id}/upload or for DELETE.
        Raises StorageError.
        """
        now = self.clock()
        dataset_id = time_ordered_id(now)
        file_name = safe_file_name(order.file_name)
        large = order.file_size > LARGEST_PIECE
        dataset = Dataset(
            owner_id=owner_id,
            dataset_id=dataset_id,
            name=order.name,
            description=order.description,
            format=order.format,
            status="uploading",
            source="upload",
            storage_bucket=self.bucket,
            storage_path=object_keys.dataset_file(owner_id, dataset_id, file_name),
            file_name=file_name,
            file_size=order.file_size,
            created_at=iso(now),
            updated_at=iso(now),
            part_size=PART_BYTES if (large if order.in_parts is None else order.in_parts) else None,
        )
        self.datasets.add(dataset)
        return self.uploads.plan(dataset)


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
