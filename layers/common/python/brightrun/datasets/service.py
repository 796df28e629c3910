"""Reads datasets, signs links to their reports, and deletes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from brightrun.aws.objects import LINK_SECONDS, ObjectStore
from brightrun.core import object_keys
from brightrun.core.errors import NotFoundError, VersionConflictError
from brightrun.core.pages import Page
from brightrun.core.timestamps import Clock, iso
from brightrun.datasets.file_repository import DatasetFiles
from brightrun.datasets.model import Dataset
from brightrun.datasets.repository import DatasetRepository


@dataclass(frozen=True, slots=True)
class ReportLink:
    """A link to a validation's full report, and when it expires."""

    download_url: str
    filename: str
    expires_at: str
    expires_in_seconds: int


@dataclass(frozen=True, slots=True)
class DatasetReader:
    """Reads datasets and their validation reports."""

    datasets: DatasetRepository
    links: ObjectStore
    clock: Clock

    def one(self, owner_id: str, dataset_id: str) -> Dataset:
        """Read a dataset; raises NotFoundError."""
        return self.datasets.dataset(owner_id, dataset_id)

    def page(
        self,
        owner_id: str,
        *,
        status: str | None,
        search: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Dataset]:
        """List an owner's datasets, newest first."""
        return self.datasets.datasets(
            owner_id, status=status, search=search, limit=limit, cursor=cursor
        )

    def report(self, owner_id: str, dataset_id: str) -> ReportLink:
        """Sign a link to the newest report; raises NotFoundError, also if there is no report."""
        dataset = self.one(owner_id, dataset_id)
        if dataset.report_key is None:
            raise NotFoundError("validation report for the dataset", dataset_id)
        filename = f"{dataset_id}.report.json"
        return ReportLink(
            download_url=self.links.link(dataset.report_key, filename),
            filename=filename,
            expires_at=iso(self.clock() + timedelta(seconds=LINK_SECONDS)),
            expires_in_seconds=LINK_SECONDS,
        )


@dataclass(frozen=True, slots=True)
class DatasetDeleter:
    """The service of DELETE /api/datasets/{id}."""

    datasets: DatasetRepository
    files: DatasetFiles
    clock: Clock

    def delete(self, owner_id: str, dataset_id: str) -> None:
        """Delete a dataset with all its objects.

        It is retired first, so that no job and no validation starts with it; then its objects are
        deleted, and finally the dataset and its claim. If a validation ends meanwhile, the deletion
        is repeated once. Raises NotFoundError, DatasetInUseError, VersionConflictError,
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
