"""Requests that came after somebody else's, or before their time."""

from __future__ import annotations

from brightrun.errors.base import ConflictError


class VersionConflictError(ConflictError):
    """The record changed since the caller read it."""

    code = "version_conflict"


class DuplicateKeyError(ConflictError):
    """The key is already taken by another record of this owner."""

    code = "duplicate_key"


class DatasetInUseError(ConflictError):
    """Training jobs that have not ended use the dataset; details say how many."""

    code = "dataset_in_use"


class UploadMissingError(ConflictError):
    """The dataset's file has not arrived; details name the parts that are missing, if any."""

    code = "upload_missing"


class UploadSizeError(ConflictError):
    """The file that arrived is of another size than was declared; details carry both, in bytes."""

    code = "upload_size"


class ObjectChangedError(ConflictError):
    """The object was overwritten or deleted since its ETag was written down."""

    code = "object_changed"
