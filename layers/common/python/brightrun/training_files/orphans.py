"""Tells the objects of training files that no row points to from the others."""

from __future__ import annotations

from collections.abc import Container
from datetime import timedelta

from brightrun.aws.objects import ObjectStore
from brightrun.aws.orphans import OrphanSweep
from brightrun.core import object_keys
from brightrun.core.errors import NotFoundError
from brightrun.training_files.repository import TrainingFileRepository

KEPT = timedelta(days=1)
"""Longer than a request takes to its row, and a build to its next checkpoint."""
_PARTS = 5
"""owner/file/version/attempt/object. Older versions of this system left the owner out."""


class _KeptKeys(Container[str]):
    """Some keys, and all below a prefix."""

    def __init__(self, keys: frozenset[str], prefix: str | None) -> None:
        self._keys = keys
        self._prefix = prefix

    def __contains__(self, key: object) -> bool:
        below = self._prefix is not None and str(key).startswith(self._prefix)
        return below or key in self._keys


def training_file_orphans(
    files: TrainingFileRepository, objects: ObjectStore
) -> OrphanSweep[tuple[str, str]]:
    """The sweep of the bucket of training files; what a running build has stored stays."""

    def kept_by(owner: tuple[str, str]) -> Container[str]:
        try:
            file = files.training_file(*owner)
        except NotFoundError:
            return frozenset()
        prefix = None
        if file.build is not None and file.build.status == "building":
            prefix = object_keys.training_file_attempt(
                *owner, file.build.version, file.build.attempt
            )
        return _KeptKeys(file.object_keys(), prefix)

    return OrphanSweep(objects, _owner_of, kept_by, lambda _: KEPT)


def _owner_of(key: str) -> tuple[str, str] | None:
    parts = key.split("/")
    return (parts[0], parts[1]) if len(parts) >= _PARTS else None
