"""Training files: rows in DynamoDB, one beside them for each name, and versions' objects in S3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.dynamodb import (
    from_wire,
    newest_first,
    row_of,
    to_wire,
    translated,
)
from brightrun.aws.objects import ObjectStore, S3Objects
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
    from mypy_boto3_s3.client import S3Client


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

    def replace(self, file: TrainingFile, seen: TrainingFile) -> None:
        """Replace a file whose version and build are still as they were `seen`.

        Its imports are left as they are. Raises VersionConflictError, with the stored state in its
        details, if it has changed.
        """


BLOCK_BYTES = 1024 * 1024


class TrainingFileObjects(ObjectStore, Protocol):
    """The objects of training files, which are written in parts and read in blocks.

    Every method raises StorageError when S3 fails.
    """

    def begin_parts(self, key: str, content_type: str) -> str:
        """Begin an upload in parts, and return its id."""

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> str:
        """Store a part, in the place of one of the same number; returns its ETag.

        Every part but that of the highest number has at least 5 MiB.
        """

    def complete_parts(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        """Make the object of the parts 1, 2 and so on; does nothing if that is done already."""

    def abandon_parts(self, prefix: str) -> None:
        """End every unfinished upload below a prefix, and remove its parts."""

    def blocks(self, key: str, start: int = 0) -> Iterator[bytes]:
        """Read an object from a byte on, in blocks of BLOCK_BYTES; none if there is no object."""


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

    def replace(self, file: TrainingFile, seen: TrainingFile) -> None:
        # Imports change `imported` without a new version, so it is not among the fields set here.
        key = {"owner_id": file.owner_id, "file_id": file.file_id}
        fields = {name: value for name, value in _row_of(file).items() if name not in key}
        build = "#build_token = :token" if seen.build else "attribute_not_exists(build_token)"
        values = {"seen": seen.version, **({"token": seen.build.token} if seen.build else {})}
        failed = transact(
            self._client,
            [
                {
                    "Update": update(
                        self._table,
                        key,
                        set_to=fields,
                        condition=f"#version = :seen AND {build}",
                        values=values,
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
    if file.build is None:
        del row["build"]
        return row
    return row | {"build_token": file.build.token}


def _file_of(row: dict[str, Any]) -> TrainingFile:
    imported = sorted(int(version) for version in row.pop(_IMPORTED, ()))
    return read_training_file({**row, "imported_versions": imported})


def _name_row_key(owner_id: str, name: str) -> dict[str, str]:
    # A name may be longer than a key may be; its hash is not.
    digest = hashlib.sha256(name_key(name).encode()).hexdigest()
    return {"owner_id": f"{owner_id}#name", "file_id": digest}


class S3TrainingFileObjects(S3Objects, TrainingFileObjects):
    """The objects of training files in one S3 bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        super().__init__(client, bucket)
        self._client = client
        self._bucket = bucket

    def begin_parts(self, key: str, content_type: str) -> str:
        with translated("CreateMultipartUpload"):
            answer = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type
            )
        return answer["UploadId"]

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> str:
        with translated("UploadPart"):
            answer = self._client.upload_part(
                Bucket=self._bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=data
            )
        return answer["ETag"]

    def complete_parts(self, key: str, upload_id: str, etags: Sequence[str]) -> None:
        listed = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        with translated("CompleteMultipartUpload"):
            try:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": listed},  # type: ignore[typeddict-item]
                )
            except self._client.exceptions.NoSuchUpload:
                return

    def abandon_parts(self, prefix: str) -> None:
        with translated("AbortMultipartUpload"):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            for one in [one for page in pages for one in page.get("Uploads", [])]:
                try:
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=one["Key"], UploadId=one["UploadId"]
                    )
                except self._client.exceptions.NoSuchUpload:
                    continue

    def blocks(self, key: str, start: int = 0) -> Iterator[bytes]:
        with translated("GetObject"):
            try:
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=key, Range=f"bytes={start}-"
                )
            except self._client.exceptions.NoSuchKey:
                return
            with answer["Body"] as body:
                while block := body.read(BLOCK_BYTES):
                    yield block
