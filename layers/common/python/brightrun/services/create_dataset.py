"""Makes datasets: the row first, so that no object is ever without one, then the links."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.domain import object_keys
from brightrun.domain.dataset import Dataset
from brightrun.domain.ids import time_ordered_id
from brightrun.domain.moments import iso
from brightrun.domain.upload import LARGEST_PIECE, PART_BYTES, Upload, safe_file_name
from brightrun.ports import Clock
from brightrun.ports.datasets import DatasetRepository
from brightrun.services.plan_upload import UploadPlanner


@dataclass(frozen=True, slots=True)
class DatasetOrder:
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

    def create(self, owner_id: str, order: DatasetOrder) -> tuple[Dataset, Upload]:
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
