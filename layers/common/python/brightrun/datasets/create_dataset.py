"""Creates datasets from an upload or from a training file, and starts their validation."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from brightrun.aws.objects import LINK_SECONDS
from brightrun.core import object_keys
from brightrun.core.errors import ActionNotAllowedError, NotFoundError, VersionConflictError
from brightrun.core.ids import time_ordered_id
from brightrun.core.limits import MOST_DATASET_BYTES
from brightrun.core.timestamps import Clock, iso
from brightrun.datasets.file_repository import DatasetFiles, StoredObject
from brightrun.datasets.gateway import ValidationWorkflow
from brightrun.datasets.model import (
    LARGEST_SINGLE_PUT,
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
from brightrun.training_files.model import (
    TrainingFile,
    TrainingFileVersion,
    import_obstacle,
)
from brightrun.training_files.repository import TrainingFileRepository


@dataclass(frozen=True, slots=True)
class UploadPlanner:
    """Signs the links of uploads, and begins multipart uploads."""

    datasets: DatasetRepository
    files: DatasetFiles

    def resume(self, owner_id: str, dataset_id: str) -> Upload:
        """Plan the rest of an interrupted upload.

        Raises NotFoundError, ActionNotAllowedError for a dataset that expects no upload,
        StorageError.
        """
        dataset = self.datasets.dataset(owner_id, dataset_id)
        if dataset.status != "uploading" or dataset.source != "upload":
            raise ActionNotAllowedError(
                f"The dataset '{dataset.name}' expects no upload: its status is "
                f"'{dataset.status}'. Create a new dataset for another file.",
                details=dataset.state(),
            )
        _, upload = self.plan(dataset)
        return upload

    def plan(self, dataset: Dataset) -> tuple[Dataset, Upload]:
        """Plan an upload; returns the dataset as it is stored then. Raises StorageError."""
        if dataset.part_size is not None:
            return self._in_parts(dataset)
        upload = Upload(
            method="put",
            url=self.files.upload_link(dataset.storage_path, dataset.file_size),
            headers={"Content-Length": str(dataset.file_size)},
            part_size=None,
            parts=[],
            uploaded=[],
            expires_in_seconds=LINK_SECONDS,
        )
        return dataset, upload

    def _in_parts(self, dataset: Dataset) -> tuple[Dataset, Upload]:
        key = dataset.storage_path
        arrived = self.files.parts(key, dataset.upload_id) if dataset.upload_id else None
        if arrived is None:
            dataset, arrived = self._begin_parts(dataset), []
        sizes, upload_id = part_sizes(dataset), str(dataset.upload_id)
        missing = missing_parts(dataset, {part.number: part.size for part in arrived})
        upload = Upload(
            method="multipart",
            url=None,
            headers={},
            part_size=dataset.part_size,
            parts=[
                PartLink(number, self.files.part_link(key, upload_id, number, sizes[number]))
                for number in missing
            ],
            uploaded=[number for number in sizes if number not in missing],
            expires_in_seconds=LINK_SECONDS,
        )
        return dataset, upload

    def _begin_parts(self, dataset: Dataset) -> Dataset:
        """Begin a multipart upload and store its id; of two concurrent ones, one is abandoned."""
        upload_id = self.files.begin_parts(dataset.storage_path)
        try:
            return self.datasets.replace(dataclasses.replace(dataset, upload_id=upload_id))
        except VersionConflictError:
            self.files.abandon_parts(dataset.storage_path, upload_id)
            raise


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """A request to upload a file; `file_size` is in bytes, 1 to MOST_DATASET_BYTES.

    With `in_parts` None, files above LARGEST_SINGLE_PUT are uploaded in parts.
    """

    name: str
    description: str
    format: str
    file_name: str
    file_size: int
    in_parts: bool | None = None


@dataclass(frozen=True, slots=True)
class DatasetCreator:
    """The service of POST /api/datasets; `bucket` is the bucket of datasets."""

    datasets: DatasetRepository
    uploads: UploadPlanner
    clock: Clock
    bucket: str

    def create(self, owner_id: str, request: DatasetRequest) -> tuple[Dataset, Upload]:
        """Store a dataset that waits for its file, and plan the upload.

        If the plan fails, the dataset remains, for GET /api/datasets/{id}/upload or for DELETE.
        Raises StorageError.
        """
        now = self.clock()
        dataset_id = time_ordered_id(now)
        file_name = safe_file_name(request.file_name)
        in_parts = request.in_parts
        if in_parts is None:
            in_parts = request.file_size > LARGEST_SINGLE_PUT
        dataset = Dataset(
            owner_id=owner_id,
            dataset_id=dataset_id,
            name=request.name,
            description=request.description,
            format=request.format,
            status="uploading",
            source="upload",
            storage_bucket=self.bucket,
            storage_path=object_keys.dataset_file(owner_id, dataset_id, file_name),
            file_name=file_name,
            file_size=request.file_size,
            created_at=iso(now),
            updated_at=iso(now),
            part_size=PART_BYTES if in_parts else None,
        )
        self.datasets.add(dataset)
        return self.uploads.plan(dataset)


@dataclass(frozen=True, slots=True)
class DatasetConfirmer:
    """The service of POST /api/datasets/{id}/confirm, and the second half of an import.

    `training_files_bucket` holds the versions of training files.
    """

    datasets: DatasetRepository
    files: DatasetFiles
    training_files: TrainingFileRepository
    training_files_bucket: str
    workflow: ValidationWorkflow
    clock: Clock

    def confirm(self, owner_id: str, dataset_id: str) -> Dataset:
        """Check that the file has arrived as declared, and start its validation.

        A dataset that is ready is returned unchanged; for one that is being validated, the workflow
        is started if it is missing; one in error is validated again. Of two concurrent
        confirmations, one starts the validation and both return the same dataset. Raises
        NotFoundError, UploadMissingError, UploadSizeError, ActionNotAllowedError while the dataset
        is being deleted, StorageError.
        """
        dataset = self.datasets.dataset(owner_id, dataset_id)
        if dataset.deleted_at:
            raise ActionNotAllowedError(str(dataset.error_message), details=dataset.state())
        now = self.clock()
        if dataset.status == "ready":
            return dataset
        if dataset.status != "validating" or dataset.is_stuck(now):
            dataset = self._start_validation(dataset, iso(now))
        if dataset.status == "validating":
            self.workflow.ensure_validating(dataset)
        return dataset

    def _start_validation(self, dataset: Dataset, now: str) -> Dataset:
        stored = self._stored_file(dataset)
        if stored.size != dataset.file_size or stored.size > MOST_DATASET_BYTES:
            raise wrong_size(dataset, stored.size)
        try:
            return self.datasets.replace(dataset.validating(stored.etag, now))
        except VersionConflictError:
            # A concurrent confirmation has started the validation.
            return self.datasets.dataset(dataset.owner_id, dataset.dataset_id)

    def _stored_file(self, dataset: Dataset) -> StoredObject:
        """The dataset's object, assembled from its parts or copied first if that is missing."""
        stored = self.files.stored(dataset.storage_path)
        if stored is None and dataset.upload_id is not None:
            self._complete_parts(dataset, dataset.upload_id)
            stored = self.files.stored(dataset.storage_path)
        if stored is None and dataset.training_file_id is not None:
            stored = self._copy_version(dataset, dataset.training_file_id)
        if stored is None:
            raise not_arrived(dataset, missing_parts(dataset, {}))
        return stored

    def _complete_parts(self, dataset: Dataset, upload_id: str) -> None:
        parts = self.files.parts(dataset.storage_path, upload_id)
        if parts is None:
            return
        missing = missing_parts(dataset, {part.number: part.size for part in parts})
        if missing:
            raise not_arrived(dataset, missing)
        self.files.complete_parts(dataset.storage_path, upload_id, parts)

    def _copy_version(self, dataset: Dataset, training_file_id: str) -> StoredObject:
        """Copy the training file's version; versions never change, so it may be repeated."""
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
    """The service of POST /api/datasets/import-from-training-file; `bucket` holds datasets."""

    datasets: DatasetRepository
    training_files: TrainingFileRepository
    confirmer: DatasetConfirmer
    clock: Clock
    bucket: str

    def import_version(self, owner_id: str, file_id: str, number: int | None) -> Dataset:
        """Create a dataset from a version, by default the newest, and start its validation.

        The dataset and its claim are stored before the copy: confirming the dataset continues an
        interrupted import. Raises NotFoundError, ActionNotAllowedError
        for a version that no dataset can hold, DuplicateKeyError whose details name the dataset
        that was created from this version before, StorageError.
        """
        file = self.training_files.training_file(owner_id, file_id)
        version = file.numbered(number)
        if version is None:
            raise NotFoundError("version of this training file", str(number or "newest"))
        if obstacle := import_obstacle(version):
            raise ActionNotAllowedError(
                f"No dataset can be created from version {version.version} of the training file "
                f"'{file.name}'. {obstacle}",
                details={"version": version.version, "bytes": version.jsonl_file_size},
            )
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
