"""Tells what was uploaded to a dataset after its deletion from the files of the others."""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta

from brightrun.aws.objects import ObjectStore
from brightrun.aws.orphans import Everything, OrphanSweep
from brightrun.core.errors import NotFoundError
from brightrun.datasets.repository import DatasetRepository

KEPT = timedelta(days=1)
"""Longer than a link to upload is valid."""


def dataset_orphans(
    datasets: DatasetRepository, files: ObjectStore
) -> OrphanSweep[tuple[str, str]]:
    """The sweep of the bucket of datasets: all or nothing of each."""

    def kept_by(owner: tuple[str, str]) -> Container[str]:
        try:
            is_deleted = datasets.dataset(*owner).deleted_at is not None
        except NotFoundError:
            is_deleted = True
        return frozenset() if is_deleted else Everything()

    return OrphanSweep(files, _owner_of, kept_by, lambda _: KEPT)


def _owner_of(key: str) -> tuple[str, str] | None:
    owner, _, rest = key.partition("/")
    dataset, slash, _ = rest.partition("/")
    return (owner, dataset) if slash else None
