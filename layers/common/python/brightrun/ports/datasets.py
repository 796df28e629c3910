"""The seams of datasets: their rows, their objects, their validation, the notifications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from brightrun.domain.dataset import Dataset
    from brightrun.domain.notification import Notification
    from brightrun.domain.pages import Page


class DatasetRepository(Protocol):
    """Datasets' rows; every write states the version of the row that it saw."""

    def add(self, dataset: Dataset) -> None:
        """Store a new row, with the claim to its training file's version if it has one.

        Raises DuplicateKeyError, whose details name the dataset that has the claim.
        """

    def dataset(self, owner_id: str, dataset_id: str) -> Dataset:
        """Read one row, strongly consistent; raises NotFoundError."""

    def datasets(
        self,
        owner_id: str,
        *,
        status: str | None,
        search: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Dataset]:
        """List an owner's datasets, newest first; `search` is a part of the name, in any case.

        A filtered page may be short, or empty, and still have a cursor: one request reads only so
        much.
        """

    def replace(self, dataset: Dataset, notification: Notification | None = None) -> Dataset:
        """Store a row in the place of the version that it was made from, under the next version.

        Its owner is told in the same step. Never touches `active_jobs`. Gives the row with its new
        version. Raises VersionConflictError, NotFoundError.
        """

    def retire(self, dataset: Dataset) -> Dataset:
        """Store the row of a dataset that is being deleted, as long as no job uses it.

        Raises DatasetInUseError when one does, VersionConflictError, NotFoundError.
        """

    def delete(self, dataset: Dataset) -> None:
        """Remove a retired row and its claim. Raises VersionConflictError, NotFoundError."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What S3 says about an object."""

    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class UploadPart:
    """A part of a multipart upload that has arrived."""

    number: int
    size: int
    etag: str


class ByteStream(Protocol):
    """The bytes of an object, from its first to its last."""

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes, none at the end; raises StorageError."""


class DatasetFiles(Protocol):
    """The bucket of datasets: uploads in one piece or in parts, and reading as a stream."""

    def upload_link(self, key: str, size: int) -> str:
        """Sign a link that takes exactly `size` bytes by PUT."""

    def begin_parts(self, key: str) -> str:
        """Begin an upload in parts and give its id."""

    def part_link(self, key: str, upload_id: str, number: int, size: int) -> str:
        """Sign a link that takes one part of exactly `size` bytes by PUT."""

    def parts(self, key: str, upload_id: str) -> list[UploadPart] | None:
        """List the parts that have arrived; None for an upload that is unknown."""

    def complete_parts(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None:
        """Make the object of its parts; nothing happens when somebody has done so already."""

    def abandon_parts(self, key: str, upload_id: str) -> None:
        """Throw the parts away; nothing happens when there are none."""

    def stored(self, key: str) -> StoredObject | None:
        """Look at an object; None when there is no such object."""

    def copy_from(self, bucket: str, source_key: str, key: str) -> StoredObject:
        """Copy an object of another bucket of ours, in the service; raises StorageError."""

    def open(self, key: str, etag: str) -> ByteStream:
        """Open an object for reading, as long as it is still the one with this ETag.

        Raises StorageError, ObjectChangedError.
        """

    def remove_all(self, prefix: str) -> None:
        """Delete every object below a prefix."""


class ValidationWorkflow(Protocol):
    """Starts the state machine that validates a dataset."""

    def ensure_validating(self, dataset: Dataset) -> None:
        """Start the dataset's current validation run; starting it again changes nothing."""


class Notifications(Protocol):
    """What owners are told."""

    def add(self, notification: Notification) -> None:
        """Keep a notification; writing it again changes nothing."""

    def notifications(
        self, owner_id: str, *, unread: bool, limit: int, cursor: str | None
    ) -> Page[Notification]:
        """List an owner's notifications, newest first, or only those that were not read."""

    def unread_count(self, owner_id: str) -> int:
        """Count those that were not read, among the newest few thousand."""

    def mark_read(self, owner_id: str, notification_id: str) -> Notification:
        """Mark one as read; done again, it changes nothing. Raises NotFoundError."""

    def mark_all_read(self, owner_id: str) -> int:
        """Mark the newest unread ones as read, up to 1,000; gives their number."""
