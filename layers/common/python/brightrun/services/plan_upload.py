"""Says how what is missing of a dataset's file is sent, with fresh links."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from brightrun.domain.dataset import Dataset
from brightrun.domain.upload import PartLink, Upload, missing_parts, part_sizes
from brightrun.errors import ActionNotAllowedError, VersionConflictError
from brightrun.ports import LINK_SECONDS
from brightrun.ports.datasets import DatasetFiles, DatasetRepository


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
