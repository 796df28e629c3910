"""Delivered models in DynamoDB, and adapters' files in S3."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Protocol, cast

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import (
    error_code,
    from_wire,
    newest_first,
    to_wire,
    translated,
)
from brightrun.core.errors import NotFoundError
from brightrun.core.pages import Page
from brightrun.training.adapters.model import ModelArtifact, read_model_artifact

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef


class ArtifactFiles(Protocol):
    """The bucket of models: trainers' output and delivered files; methods raise StorageError."""

    def open(self, key: str) -> IO[bytes] | None:
        """Open an object as a stream; None when there is no such object."""

    def read(self, key: str, offset: int, most: int) -> bytes:
        """Read up to `most` bytes from `offset`; empty when the object is missing or shorter."""

    def write(self, key: str, source: IO[bytes], size: int) -> None:
        """Store a stream of `size` bytes, in parts if it is large.

        What the source raises is passed on, and nothing is stored.
        """


PART_BYTES = 16 * 1024 * 1024
"""Of a multipart upload: 10,000 parts hold 160 GB; one is in memory at a time."""
_NO_SUCH_BYTES = frozenset({"NoSuchKey", "404", "InvalidRange", "416"})


class S3ArtifactFiles(ArtifactFiles):
    """Artifact files in one S3 bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def open(self, key: str) -> IO[bytes] | None:
        with translated("GetObject"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except self._client.exceptions.NoSuchKey:
                return None
        return cast("IO[bytes]", answer["Body"])

    def read(self, key: str, offset: int, most: int) -> bytes:
        byte_range = f"bytes={offset}-{offset + most - 1}"
        with translated("GetObject"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key, Range=byte_range)
                return answer["Body"].read()
            except ClientError as error:
                if error_code(error) in _NO_SUCH_BYTES:
                    return b""
                raise

    def write(self, key: str, source: IO[bytes], size: int) -> None:
        with translated("PutObject"):
            if size <= PART_BYTES:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=source.read(size))
                return
            upload_id = self._client.create_multipart_upload(Bucket=self._bucket, Key=key)[
                "UploadId"
            ]
            try:
                parts = self._parts(key, upload_id, source, size)
            except BaseException:
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload_id
                )
                raise
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )

    def _parts(
        self, key: str, upload_id: str, source: IO[bytes], size: int
    ) -> list[CompletedPartTypeDef]:
        parts: list[CompletedPartTypeDef] = []
        for number, begin in enumerate(range(0, size, PART_BYTES), 1):
            answer = self._client.upload_part(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=source.read(min(PART_BYTES, size - begin)),
            )
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        return parts


class ModelRepository(Protocol):
    """Delivered models; every method raises StorageError."""

    def model(self, owner_id: str, model_id: str) -> ModelArtifact:
        """Read one model; raises NotFoundError."""

    def models(self, owner_id: str, *, limit: int, cursor: str | None) -> Page[ModelArtifact]:
        """List an owner's models, newest first."""


class DynamoModels(ModelRepository):
    """Delivered models in one table; ids are time-ordered, so that listing by id lists by age."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def model(self, owner_id: str, model_id: str) -> ModelArtifact:
        with translated("GetItem"):
            answer = self._client.get_item(
                TableName=self._table,
                Key=to_wire({"owner_id": owner_id, "model_id": model_id}),
                ConsistentRead=True,
            )
        if "Item" not in answer:
            raise NotFoundError("model", model_id)
        return read_model_artifact(from_wire(answer["Item"]))

    def models(self, owner_id: str, *, limit: int, cursor: str | None) -> Page[ModelArtifact]:
        rows, following = newest_first(
            self._client,
            self._table,
            ("owner_id", owner_id),
            "model_id",
            limit=limit,
            cursor=cursor,
        )
        return Page(tuple(read_model_artifact(row) for row in rows), following)
