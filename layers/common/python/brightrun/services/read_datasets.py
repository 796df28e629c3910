"""Shows datasets, and signs links to the reports of their validations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from brightrun.domain.dataset import Dataset
from brightrun.domain.moments import iso
from brightrun.domain.pages import Page
from brightrun.errors import NotFoundError
from brightrun.ports import LINK_SECONDS, Clock, DownloadLinks
from brightrun.ports.datasets import DatasetRepository


@dataclass(frozen=True, slots=True)
class ReportLink:
    """A link to a validation's full report, and until when it works."""

    download_url: str
    filename: str
    expires_at: str
    expires_in_seconds: int = LINK_SECONDS


@dataclass(frozen=True, slots=True)
class DatasetReader:
    """What the datasets function reads."""

    datasets: DatasetRepository
    links: DownloadLinks
    clock: Clock

    def one(self, owner_id: str, dataset_id: str) -> Dataset:
        """Read a dataset's row; raises NotFoundError."""
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
        """Sign a link to the newest full report; raises NotFoundError, also where there is none."""
        dataset = self.one(owner_id, dataset_id)
        if dataset.report_key is None:
            raise NotFoundError("validation report for the dataset", dataset_id)
        filename = f"{dataset_id}.report.json"
        return ReportLink(
            download_url=self.links.link(dataset.report_key, filename),
            filename=filename,
            expires_at=iso(self.clock() + timedelta(seconds=LINK_SECONDS)),
        )
