"""Datasets in DynamoDB, with the claims to the training file versions they were made from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.dynamodb import from_wire, query_page, row_of, to_wire, translated
from brightrun.aws.transactions import transact, update
from brightrun.core.errors import NotFoundError
from brightrun.core.pages import Page
from brightrun.datasets.model import (
    Dataset,
    already_imported,
    in_use,
    read_dataset,
    version_conflict,
)
from brightrun.notifications.model import Notification
from brightrun.notifications.repository import notification_put
from brightrun.training_files.repository import forget_import, note_import

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class DatasetRepository(Protocol):
    """Datasets; every write states the version that it read, every method raises StorageError."""

    def add(self, dataset: Dataset) -> None:
        """Store a new dataset and the claim to its training file's version, if it has one.

        Raises DuplicateKeyError, whose details name the dataset that has the claim.
        """

    def dataset(self, owner_id: str, dataset_id: str) -> Dataset:
        """Read one dataset, strongly consistent; raises NotFoundError."""

    def datasets(
        self,
        owner_id: str,
        *,
        status: str | None,
        search: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Dataset]:
        """List an owner's datasets, newest first; `search` is part of the name, in any case.

        A filtered page may be short, or empty, and still have a cursor: the rows that one request
        reads are limited.
        """

    def replace(self, dataset: Dataset, notification: Notification | None = None) -> Dataset:
        """Replace the version that the dataset was read as, and return it with its new version.

        The notification is stored in the same transaction. Never writes `active_jobs`. Raises
        VersionConflictError, NotFoundError.
        """

    def retire(self, dataset: Dataset) -> Dataset:
        """Replace a dataset with its retired state, as long as no training job uses it.

        Raises DatasetInUseError when one does, VersionConflictError, NotFoundError.
        """

    def delete(self, dataset: Dataset) -> None:
        """Delete a retired dataset and its claim; raises VersionConflictError, NotFoundError."""


_READS = 8
"""Most pages of 1 MB that one filtered request reads: some hundred datasets."""
_ABSENT = "attribute_not_exists(dataset_id)"
_SEEN = "#version = :seen"
_UNUSED = "(attribute_not_exists(#active_jobs) OR #active_jobs = :none)"
_KEY = ("owner_id", "dataset_id")
_WRITTEN_BY_JOBS = "active_jobs"
"""Written by the training jobs' own transactions only."""


@dataclass(frozen=True, slots=True)
class DatasetTables:
    """The names of the tables; a function names only those that it writes to."""

    datasets: str
    training_files: str = ""
    notifications: str = ""


class DynamoDatasets(DatasetRepository):
    """Datasets in one table; ids are time-ordered, so that listing by id lists by age."""

    def __init__(self, client: DynamoDBClient, tables: DatasetTables) -> None:
        self._client = client
        self._tables = tables

    def add(self, dataset: Dataset) -> None:
        claim = _claim(dataset)
        steps = [self._put(_row_of(dataset))]
        if claim:
            steps += [
                self._put({**claim, "claimed_by": dataset.dataset_id}),
                note_import(**self._version_of(dataset)),
            ]
        while transact(self._client, steps):
            held = self._row(claim) if claim else None
            # A missing claim was released by a deletion meanwhile: try again.
            if held is not None or claim is None:
                raise already_imported(str((held or {}).get("claimed_by", dataset.dataset_id)))

    def dataset(self, owner_id: str, dataset_id: str) -> Dataset:
        row = self._row({"owner_id": owner_id, "dataset_id": dataset_id})
        if row is None:
            raise NotFoundError("dataset", dataset_id)
        return _dataset_of(row)

    def datasets(
        self,
        owner_id: str,
        *,
        status: str | None,
        search: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[Dataset]:
        request: dict[str, Any] = {}
        values = {":owner": owner_id}
        if status:
            values[":status"] = status
            request["FilterExpression"] = "#status = :status"
            request["ExpressionAttributeNames"] = {"#status": "status"}
        rows, following = query_page(
            self._client,
            limit=limit,
            cursor=cursor,
            partition=("owner_id", owner_id),
            key_attributes=_KEY,
            keep=_name_filter(search),
            most_reads=_READS,
            TableName=self._tables.datasets,
            ScanIndexForward=False,
            KeyConditionExpression="owner_id = :owner",
            ExpressionAttributeValues=to_wire(values),
            **request,
        )
        return Page(tuple(map(_dataset_of, rows)), following)

    def replace(self, dataset: Dataset, notification: Notification | None = None) -> Dataset:
        stored = dataclasses.replace(dataset, version=dataset.version + 1)
        steps = [self._update(stored, dataset.version, _SEEN, {})]
        if notification:
            steps.append(notification_put(self._tables.notifications, notification))
        if transact(self._client, steps):
            raise version_conflict(self.dataset(*_key_of(dataset)))
        return stored

    def retire(self, dataset: Dataset) -> Dataset:
        stored = dataclasses.replace(dataset, version=dataset.version + 1)
        condition = f"{_SEEN} AND {_UNUSED}"
        if transact(self._client, [self._update(stored, dataset.version, condition, {"none": 0})]):
            current = self.dataset(*_key_of(dataset))
            raise in_use(current) if current.active_jobs else version_conflict(current)
        return stored

    def delete(self, dataset: Dataset) -> None:
        key = {name: getattr(dataset, name) for name in _KEY}
        steps = [
            self._delete(key, "version = :known", dataset.version),
        ]
        if claim := _claim(dataset):
            steps += [
                self._delete(claim, "claimed_by = :known", dataset.dataset_id),
                forget_import(**self._version_of(dataset)),
            ]
        if transact(self._client, steps):
            raise version_conflict(self.dataset(*_key_of(dataset)))

    def _put(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._tables.datasets,
                "Item": to_wire(row),
                "ConditionExpression": _ABSENT,
            }
        }

    def _update(
        self, stored: Dataset, seen_version: int, condition: str, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        fields = {
            name: value
            for name, value in _row_of(stored).items()
            if name not in {*_KEY, _WRITTEN_BY_JOBS}
        }
        return {
            "Update": update(
                self._tables.datasets,
                {name: getattr(stored, name) for name in _KEY},
                set_to={name: value for name, value in fields.items() if value is not None},
                remove=[name for name, value in fields.items() if value is None],
                condition=condition,
                values={"seen": seen_version, **values},
            )
        }

    def _delete(self, key: Mapping[str, Any], condition: str, known: object) -> dict[str, Any]:
        return {
            "Delete": {
                "TableName": self._tables.datasets,
                "Key": to_wire(key),
                "ConditionExpression": condition,
                "ExpressionAttributeValues": to_wire({":known": known}),
            }
        }

    def _version_of(self, dataset: Dataset) -> dict[str, Any]:
        return {
            "table": self._tables.training_files,
            "owner_id": dataset.owner_id,
            "file_id": dataset.training_file_id,
            "version": dataset.training_file_version,
        }

    def _row(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._tables.datasets, Key=to_wire(key), ConsistentRead=True
            )
        return from_wire(answer["Item"]) if "Item" in answer else None


def _key_of(dataset: Dataset) -> tuple[str, str]:
    return dataset.owner_id, dataset.dataset_id


def _claim(dataset: Dataset) -> dict[str, str] | None:
    """The key of the claim, which prevents a second dataset of the same version."""
    if dataset.training_file_id is None:
        return None
    return {
        "owner_id": f"{dataset.owner_id}#import",
        "dataset_id": f"{dataset.training_file_id}#{dataset.training_file_version}",
    }


def _row_of(dataset: Dataset) -> dict[str, Any]:
    # Samples are a caller's data: as text, no name or number in them can be invalid in DynamoDB.
    return {**row_of(dataset), "sample_data": json.dumps(dataset.sample_data, ensure_ascii=False)}


def _dataset_of(row: Mapping[str, Any]) -> Dataset:
    return read_dataset({**row, "sample_data": json.loads(row["sample_data"])})


def _name_filter(search: str | None) -> Callable[[Mapping[str, Any]], bool] | None:
    """A filter on the name; DynamoDB itself cannot compare without regard to case."""
    if search is None:
        return None
    wanted = search.casefold()
    return lambda row: wanted in row["name"]["S"].casefold()
