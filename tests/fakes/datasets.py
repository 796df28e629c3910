"""Datasets, their files and the notifications in memory, and some to test with."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Sequence
from typing import Any

from brightrun.core.errors import NotFoundError, StorageError
from brightrun.core.pages import Page
from brightrun.core.timestamps import iso
from brightrun.datasets.file_repository import (
    ByteStream,
    StoredObject,
    UploadPart,
    object_changed,
)
from brightrun.datasets.model import Dataset, already_imported, in_use, version_conflict
from brightrun.datasets.repository import DatasetTables
from brightrun.notifications.model import Notification, notification_id
from tests.builders import OWNER, START
from tests.fakes.training_files import InMemoryTrainingFiles

ROWS = b"".join(
    b'{"messages": [{"role": "user", "content": "Why %d?"},'
    b' {"role": "assistant", "content": "So %d."}]}\n' % (number, number)
    for number in range(4)
)
"""What lies in the file of a dataset that was found ready."""

DATASET_TABLES = DatasetTables("DatasetsTable", "TrainingFilesTable", "NotificationsTable")


def a_dataset(dataset_id: str = "dataset-1", **changes: Any) -> Dataset:
    """A dataset that was validated and found ready."""
    owner = changes.get("owner_id", OWNER)
    fields: dict[str, Any] = {
        "owner_id": OWNER,
        "dataset_id": dataset_id,
        "name": "First",
        "description": "",
        "format": "brightrun_lora_v4",
        "status": "ready",
        "source": "upload",
        "storage_bucket": "datasets",
        "storage_path": f"{owner}/{dataset_id}/rows.jsonl",
        "file_name": "rows.jsonl",
        "file_size": 1000,
        "created_at": iso(START),
        "updated_at": iso(START),
        "validation_run": 1,
        "etag": etag_of(ROWS),
        "sha256": "ab" * 32,
        "total_training_pairs": 20,
        "trainable_pairs": 10,
        "total_tokens": 4000,
        "tokens_method": "estimate",
        "avg_turns_per_conversation": 4.5,
        "avg_tokens_per_turn": 200.5,
        "statistics": {"lines": 21, "summary": [{"code": "crlf", "count": 2}]},
        "sample_data": [{"id": "1", "": 1e300, "score": 4.5}],
        "report_key": f"{owner}/{dataset_id}/_validation/1/report.json",
        "split_key": f"{owner}/{dataset_id}/_validation/1/split.json",
        "validated_at": iso(START),
    }
    return Dataset(**{**fields, **changes})


def a_waiting_dataset(dataset_id: str = "dataset-1", **changes: Any) -> Dataset:
    """A dataset whose file has not been confirmed."""
    waiting = a_dataset(dataset_id, **{"status": "uploading", "validation_run": 0, **changes})
    fresh = Dataset(**{name: getattr(waiting, name) for name in _REQUIRED})
    return dataclasses.replace(fresh, status=waiting.status, **changes)


_REQUIRED = [
    one.name
    for one in dataclasses.fields(Dataset)
    if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
]


def a_notification(number: int = 1, **changes: Any) -> Notification:
    """An unread notification; a higher number is a newer one."""
    created_at = f"2026-11-21T12:{number // 60:02}:{number % 60:02}.000Z"
    fields: dict[str, Any] = {
        "owner_id": OWNER,
        "notification_id": notification_id(created_at, "dataset_ready", f"dataset-{number}"),
        "type": "dataset_ready",
        "title": "Dataset Ready",
        "message": "The dataset 'First' is ready.",
        "priority": "medium",
        "action_url": f"/datasets/dataset-{number}",
        "created_at": created_at,
        "metadata": {"dataset_id": f"dataset-{number}"},
    }
    return Notification(**{**fields, **changes})


class InMemoryNotifications:
    """Owners' notifications."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Notification] = {}

    def add(self, notification: Notification) -> None:
        key = (notification.owner_id, notification.notification_id)
        self._rows.setdefault(key, notification)

    def notifications(
        self, owner_id: str, *, unread: bool, limit: int, cursor: str | None
    ) -> Page[Notification]:
        rows = [row for row in self._of(owner_id) if not (unread and row.read)]
        start = int(cursor or 0)
        following = str(start + limit) if start + limit < len(rows) else None
        return Page(tuple(rows[start : start + limit]), following)

    def unread_count(self, owner_id: str) -> int:
        return sum(not row.read for row in self._of(owner_id))

    def mark_read(self, owner_id: str, notification_id: str) -> Notification:
        try:
            read = dataclasses.replace(self._rows[owner_id, notification_id], read=True)
        except KeyError:
            raise NotFoundError("notification", notification_id) from None
        self._rows[owner_id, notification_id] = read
        return read

    def mark_all_read(self, owner_id: str) -> int:
        unread = [row for row in self._of(owner_id) if not row.read][:1000]
        for row in unread:
            self.mark_read(owner_id, row.notification_id)
        return len(unread)

    def _of(self, owner_id: str) -> list[Notification]:
        rows = [row for row in self._rows.values() if row.owner_id == owner_id]
        return sorted(rows, key=lambda row: row.notification_id, reverse=True)


class InMemoryDatasets:
    """DatasetRepository in memory, with training files and notifications."""

    def __init__(
        self,
        *datasets: Dataset,
        training_files: InMemoryTrainingFiles | None = None,
        notifications: InMemoryNotifications | None = None,
    ) -> None:
        self._rows = {(one.owner_id, one.dataset_id): one for one in datasets}
        self._claims: dict[tuple[str, str | None, int | None], str] = {}
        self._training_files = training_files or InMemoryTrainingFiles()
        self.notifications = notifications or InMemoryNotifications()

    def add(self, dataset: Dataset) -> None:
        key = (dataset.owner_id, dataset.dataset_id)
        if key in self._rows:
            raise already_imported(dataset.dataset_id)
        if dataset.training_file_id is not None:
            claim = _claim(dataset)
            if claim in self._claims:
                raise already_imported(self._claims[claim])
            self._note(dataset, imported=True)
            self._claims[claim] = dataset.dataset_id
        self._rows[key] = dataset

    def dataset(self, owner_id: str, dataset_id: str) -> Dataset:
        try:
            return self._rows[owner_id, dataset_id]
        except KeyError:
            raise NotFoundError("dataset", dataset_id) from None

    def datasets(
        self,
        owner_id: str,
        *,
        status: str | None,
        search: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Dataset]:
        rows = [
            row
            for row in self._rows.values()
            if row.owner_id == owner_id
            and status in {None, row.status}
            and (search or "").casefold() in row.name.casefold()
        ]
        rows.sort(key=lambda row: row.dataset_id, reverse=True)
        start = int(cursor or 0)
        following = str(start + limit) if start + limit < len(rows) else None
        return Page(tuple(rows[start : start + limit]), following)

    def replace(self, dataset: Dataset, notification: Notification | None = None) -> Dataset:
        current = self._seen(dataset)
        stored = dataclasses.replace(
            dataset, version=dataset.version + 1, active_jobs=current.active_jobs
        )
        self._rows[dataset.owner_id, dataset.dataset_id] = stored
        if notification:
            self.notifications.add(notification)
        return dataclasses.replace(dataset, version=dataset.version + 1)

    def retire(self, dataset: Dataset) -> Dataset:
        current = self.dataset(dataset.owner_id, dataset.dataset_id)
        if current.active_jobs:
            raise in_use(current)
        return self.replace(dataset)

    def delete(self, dataset: Dataset) -> None:
        self._seen(dataset)
        del self._rows[dataset.owner_id, dataset.dataset_id]
        if dataset.training_file_id is not None:
            del self._claims[_claim(dataset)]
            self._note(dataset, imported=False)

    def begin_job(self, dataset: Dataset) -> None:
        """What a training job does to the row that it uses."""
        current = self._rows[dataset.owner_id, dataset.dataset_id]
        self._rows[dataset.owner_id, dataset.dataset_id] = dataclasses.replace(
            current, active_jobs=current.active_jobs + 1
        )

    def _seen(self, dataset: Dataset) -> Dataset:
        current = self.dataset(dataset.owner_id, dataset.dataset_id)
        if current.version != dataset.version:
            raise version_conflict(current)
        return current

    def _note(self, dataset: Dataset, *, imported: bool) -> None:
        assert dataset.training_file_id is not None
        assert dataset.training_file_version is not None
        self._training_files.set_imported(
            dataset.owner_id,
            dataset.training_file_id,
            dataset.training_file_version,
            imported=imported,
        )


class InMemoryDatasetFiles:
    """DatasetFiles in memory; `elsewhere` holds the objects of other buckets."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.elsewhere: dict[tuple[str, str], bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}

    def upload_link(self, key: str, size: int) -> str:
        return f"https://files.test/{key}?size={size}"

    def begin_parts(self, key: str) -> str:
        upload_id = f"upload-{len(self.uploads) + 1}-{key}"
        self.uploads[upload_id] = {}
        return upload_id

    def part_link(self, key: str, upload_id: str, number: int, size: int) -> str:
        return f"https://files.test/{key}?upload={upload_id}&part={number}&size={size}"

    def parts(self, key: str, upload_id: str) -> list[UploadPart] | None:
        if upload_id not in self.uploads:
            return None
        parts = sorted(self.uploads[upload_id].items())
        return [UploadPart(number, len(body), etag_of(body)) for number, body in parts]

    def complete_parts(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None:
        arrived = self.uploads.pop(upload_id, None)
        if arrived is not None:
            self.objects[key] = b"".join(arrived[part.number] for part in parts)

    def abandon_parts(self, key: str, upload_id: str) -> None:
        self.uploads.pop(upload_id, None)

    def stored(self, key: str) -> StoredObject | None:
        body = self.objects.get(key)
        return None if body is None else StoredObject(len(body), etag_of(body))

    def copy_from(self, bucket: str, source_key: str, key: str) -> StoredObject:
        try:
            body = self.elsewhere[bucket, source_key]
        except KeyError:
            raise StorageError("CopyObject", "NoSuchKey") from None
        self.objects[key] = body
        return StoredObject(len(body), etag_of(body))

    def open(self, key: str, etag: str) -> ByteStream:
        body = self.objects.get(key)
        if body is None or etag_of(body) != etag:
            raise object_changed()
        return io.BytesIO(body)

    def remove_all(self, prefix: str) -> None:
        for key in [key for key in self.objects if key.startswith(prefix)]:
            del self.objects[key]


class RecordedValidation:
    """ValidationWorkflow that records the names of the started runs."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def ensure_validating(self, dataset: Dataset) -> None:
        if dataset.execution_name not in self.started:
            self.started.append(dataset.execution_name)


def etag_of(body: bytes) -> str:
    """The ETag that S3 gives an object of one request."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _claim(dataset: Dataset) -> tuple[str, str | None, int | None]:
    return dataset.owner_id, dataset.training_file_id, dataset.training_file_version
