"""The bucket of datasets: uploads in one piece or in parts, and reading as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from brightrun.aws.objects import LINK_SECONDS
from brightrun.core.errors import ObjectChangedError, StorageError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


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


_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
_OTHER = frozenset({"412", "PreconditionFailed"})


class S3DatasetFiles:
    """ports.datasets.DatasetFiles."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def upload_link(self, key: str, size: int) -> str:
        """Sign a link that takes exactly `size` bytes by PUT, for LINK_SECONDS.

        The length is part of the signature, so that S3 itself refuses any other.
        """
        return self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": key, "ContentLength": size},
            ExpiresIn=LINK_SECONDS,
        )

    def begin_parts(self, key: str) -> str:
        """Begin an upload in parts and give its id; raises StorageError."""
        with _translated("CreateMultipartUpload"):
            answer = self._client.create_multipart_upload(Bucket=self._bucket, Key=key)
        return answer["UploadId"]

    def part_link(self, key: str, upload_id: str, number: int, size: int) -> str:
        """Sign a link that takes one part of exactly `size` bytes by PUT, for LINK_SECONDS."""
        return self._client.generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "UploadId": upload_id,
                "PartNumber": number,
                "ContentLength": size,
            },
            ExpiresIn=LINK_SECONDS,
        )

    def parts(self, key: str, upload_id: str) -> list[UploadPart] | None:
        """List the parts that have arrived; None for an upload that is unknown.

        One answer lists 1,000 parts, and a file of MOST_BYTES has 32. Raises StorageError.
        """
        try:
            answer = self._client.list_parts(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except self._client.exceptions.NoSuchUpload:
            return None
        except (ClientError, BotoCoreError) as error:
            raise StorageError("ListParts", type(error).__name__) from error
        return [
            UploadPart(part["PartNumber"], part["Size"], part["ETag"])
            for part in answer.get("Parts", [])
        ]

    def complete_parts(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None:
        """Make the object of its parts; nothing happens when somebody has done so already.

        Raises StorageError.
        """
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
        try:
            self._client.complete_multipart_upload(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": listed},  # type: ignore[typeddict-item]
            )
        except self._client.exceptions.NoSuchUpload:
            return
        except (ClientError, BotoCoreError) as error:
            raise StorageError("CompleteMultipartUpload", type(error).__name__) from error

    def abandon_parts(self, key: str, upload_id: str) -> None:
        """Throw the parts away; nothing happens when there are none. Raises StorageError."""
        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except self._client.exceptions.NoSuchUpload:
            return
        except (ClientError, BotoCoreError) as error:
            raise StorageError("AbortMultipartUpload", type(error).__name__) from error

    def stored(self, key: str) -> StoredObject | None:
        """Look at an object; None when there is no such object. Raises StorageError."""
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if _code(error) in _GONE:
                return None
            raise StorageError("HeadObject", _code(error)) from error
        except BotoCoreError as error:
            raise StorageError("HeadObject", type(error).__name__) from error
        return StoredObject(found["ContentLength"], found["ETag"])

    def copy_from(self, bucket: str, source_key: str, key: str) -> StoredObject:
        """Copy an object of another bucket of ours, in the service; raises StorageError."""
        with _translated("CopyObject"):
            self._client.copy_object(
                Bucket=self._bucket, Key=key, CopySource={"Bucket": bucket, "Key": source_key}
            )
        copied = self.stored(key)
        if copied is None:
            raise StorageError("HeadObject", "the copy is gone")
        return copied

    def open(self, key: str, etag: str) -> ByteStream:
        """Open an object for reading, as long as it is still the one with this ETag.

        Raises StorageError, ObjectChangedError.
        """
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, IfMatch=etag)
        except ClientError as error:
            if _code(error) in _GONE | _OTHER:
                raise ObjectChangedError(
                    "The file was overwritten or deleted after it was confirmed."
                ) from error
            raise StorageError("GetObject", _code(error)) from error
        except BotoCoreError as error:
            raise StorageError("GetObject", type(error).__name__) from error
        return _Stream(answer["Body"])

    def remove_all(self, prefix: str) -> None:
        """Delete every object below a prefix; raises StorageError."""
        with _translated("DeleteObjects"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            for page in pages:
                keys = [{"Key": one["Key"]} for one in page.get("Contents", [])]
                if not keys:
                    continue
                done = self._client.delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": keys, "Quiet": True},  # type: ignore[typeddict-item]
                )
                if done.get("Errors"):
                    raise StorageError("DeleteObjects", str(done["Errors"][0].get("Code")))


class _Stream:
    """An object's body that fails as everything else here does."""

    def __init__(self, body: ByteStream) -> None:
        self._body = body

    def read(self, size: int, /) -> bytes:
        with _translated("GetObject"):
            return self._body.read(size)


@contextmanager
def _translated(operation: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise StorageError(operation, _code(error)) from error
    except BotoCoreError as error:
        raise StorageError(operation, type(error).__name__) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
