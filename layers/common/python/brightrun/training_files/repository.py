"""Training files in DynamoDB, with a row beside them for each name that is taken."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.dynamodb import (
    from_wire,
    newest_first,
    row_of,
    to_wire,
    translated,
)
from brightrun.aws.transactions import transact, update
from brightrun.core.errors import NotFoundError
from brightrun.core.pages import Page
from brightrun.training_files.model import (
    TrainingFile,
    name_key,
    name_taken,
    read_training_file,
    version_conflict,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class TrainingFileRepository(Protocol):
    """Training files by owner and id; an owner's names are unique. Methods raise StorageError."""

    def add(self, file: TrainingFile) -> None:
        """Store a new file; raises DuplicateKeyError if its name is taken."""

    def name_is_free(self, owner_id: str, name: str) -> bool:
        """Whether no file of the owner has this name."""

    def training_file(self, owner_id: str, file_id: str) -> TrainingFile:
        """Read one file, strongly consistent; raises NotFoundError."""

    def training_files(
        self, owner_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingFile]:
        """List an owner's files, newest first."""

    def replace(self, file: TrainingFile, seen_version: int) -> None:
        """Replace a file that is still at `seen_version`; its imports are left as they are.

        Raises VersionConflictError, with the stored state in its details, if it has changed.
        """


_ABSENT = "attribute_not_exists(file_id)"
_IMPORTED = "imported"
"""A number set, so that two concurrent imports are both kept; absent means empty."""


class DynamoTrainingFiles(TrainingFileRepository):
    """Rows by owner and id; ids are time-ordered, so listing by id lists by age.

    A name is a row of its own, written in the same transaction as its file, so that it is unique.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, file: TrainingFile) -> None:
        name_row = {**_name_row_key(file.owner_id, file.name), "claimed_by": file.file_id}
        rows = (_row_of(file), name_row)
        failed = transact(
            self._client,
            [
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": to_wire(row),
                        "ConditionExpression": _ABSENT,
                    }
                }
                for row in rows
            ],
        )
        if failed:
            raise name_taken(file.name)

    def name_is_free(self, owner_id: str, name: str) -> bool:
        return self._row(_name_row_key(owner_id, name)) is None

    def training_file(self, owner_id: str, file_id: str) -> TrainingFile:
        row = self._row({"owner_id": owner_id, "file_id": file_id})
        if row is None:
            raise NotFoundError("training file", file_id)
        return _file_of(row)

    def training_files(
        self, owner_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingFile]:
        rows, following = newest_first(
            self._client, self._table, ("owner_id", owner_id), "file_id", limit=limit, cursor=cursor
        )
        return Page(tuple(map(_file_of, rows)), following)

    def replace(self, file: TrainingFile, seen_version: int) -> None:
        # Imports change `imported` without a new version, so it is not among the fields set here.
        key = {"owner_id": file.owner_id, "file_id": file.file_id}
        fields = {name: value for name, value in _row_of(file).items() if name not in key}
        failed = transact(
            self._client,
            [
                {
                    "Update": update(
                        self._table,
                        key,
                        set_to=fields,
                        condition="#version = :seen",
                        values={"seen": seen_version},
                    )
                }
            ],
        )
        if failed:
            raise version_conflict(self.training_file(file.owner_id, file.file_id))

    def _row(self, key: dict[str, str]) -> dict[str, Any] | None:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table, Key=to_wire(key), ConsistentRead=True
            )
        return from_wire(answer["Item"]) if "Item" in answer else None


def note_import(table: str, owner_id: str, file_id: str, version: int) -> dict[str, Any]:
    """The operation that records a dataset's creation from a version of a file."""
    return _change_imports("ADD", table, owner_id, file_id, version)


def forget_import(table: str, owner_id: str, file_id: str, version: int) -> dict[str, Any]:
    """The operation that removes the record of that creation."""
    return _change_imports("DELETE", table, owner_id, file_id, version)


def _change_imports(
    verb: str, table: str, owner_id: str, file_id: str, version: int
) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": table,
            "Key": to_wire({"owner_id": owner_id, "file_id": file_id}),
            "UpdateExpression": f"{verb} {_IMPORTED} :versions",
            "ConditionExpression": "attribute_exists(file_id)",
            "ExpressionAttributeValues": to_wire({":versions": {version}}),
        }
    }


def _row_of(file: TrainingFile) -> dict[str, Any]:
    row = row_of(file)
    del row["imported_versions"]
    return row


def _file_of(row: dict[str, Any]) -> TrainingFile:
    imported = sorted(int(version) for version in row.pop(_IMPORTED, ()))
    return read_training_file({**row, "imported_versions": imported})


def _name_row_key(owner_id: str, name: str) -> dict[str, str]:
    # A name may be longer than a key may be; its hash is not.
    digest = hashlib.sha256(name_key(name).encode()).hexdigest()
    return {"owner_id": f"{owner_id}#name", "file_id": digest}
