"""The bucket of datasets: uploads in one request or in parts, and reading as a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from brightrun.aws.dynamodb import error_code, translated
from brightrun.aws.objects import LINK_SECONDS, remove_below
from brightrun.core.errors import ObjectChangedError, StorageError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's size in bytes and its ETag."""

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
        """Read up to `size` bytes, none at the end; raises StorageError."""


class DatasetFiles(Protocol):
    """The files of datasets; every method but those that sign links raises StorageError."""

    def upload_link(self, key: str, size: int) -> str:
        """Sign a link that accepts exactly `size` bytes by PUT, for LINK_SECONDS."""

    def begin_parts(self, key: str) -> str:
        """Begin a multipart upload and return its id."""

    def part_link(self, key: str, upload_id: str, number: int, size: int) -> str:
        """Sign a link that accepts one part of exactly `size` bytes by PUT, for LINK_SECONDS."""

    def parts(self, key: str, upload_id: str) -> list[UploadPart] | None:
        """List the parts that have arrived; None for an unknown upload."""

    def complete_parts(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None:
        """Assemble the object from its parts; does nothing for an upload that has ended."""

    def abandon_parts(self, key: str, upload_id: str) -> None:
        """Delete the parts; does nothing for an upload that has ended."""

    def stored(self, key: str) -> StoredObject | None:
        """Read an object's size and ETag; None when there is no such object."""

    def copy_from(self, bucket: str, source_key: str, key: str) -> StoredObject:
        """Copy an object of another bucket, on the server's side."""

    def open(self, key: str, etag: str) -> ByteStream:
        """Open an object for reading; raises ObjectChangedError when its ETag is another."""

    def remove_all(self, prefix: str) -> None:
        """Delete every object below a prefix."""


CHANGED = "The file was overwritten or deleted after it was confirmed."


def object_changed() -> ObjectChangedError:
    """The error of a dataset whose stored file is not the one that was validated."""
    return ObjectChangedError(f"{CHANGED} Create a new dataset of the file that is to be used.")


def require_unchanged(files: DatasetFiles, key: str, etag: str | None) -> None:
    """Raise ObjectChangedError unless the stored object has this ETag; raises StorageError."""
    stored = files.stored(key)
    if stored is None or stored.etag != etag:
        raise object_changed()


_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
_CHANGED = frozenset({"412", "PreconditionFailed"})


class S3DatasetFiles(DatasetFiles):
    """Dataset files in one S3 bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def upload_link(self, key: str, size: int) -> str:
        # The length is part of the signature, so that S3 itself refuses any other.
        return self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": key, "ContentLength": size},
            ExpiresIn=LINK_SECONDS,
        )

    def begin_parts(self, key: str) -> str:
        with translated("CreateMultipartUpload"):
            answer = self._client.create_multipart_upload(Bucket=self._bucket, Key=key)
        return answer["UploadId"]

    def part_link(self, key: str, upload_id: str, number: int, size: int) -> str:
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
        # One response lists up to 1,000 parts, and a file of MOST_DATASET_BYTES has 32.
        with translated("ListParts"):
            try:
                answer = self._client.list_parts(Bucket=self._bucket, Key=key, UploadId=upload_id)
            except self._client.exceptions.NoSuchUpload:
                return None
        return [
            UploadPart(part["PartNumber"], part["Size"], part["ETag"])
            for part in answer.get("Parts", [])
        ]

    def complete_parts(self, key: str, upload_id: str, parts: Sequence[UploadPart]) -> None:
        listed = [{"PartNumber": part.number, "ETag": part.etag} for part in parts]
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

    def abandon_parts(self, key: str, upload_id: str) -> None:
        with translated("AbortMultipartUpload"):
            try:
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload_id
                )
            except self._client.exceptions.NoSuchUpload:
                return

    def stored(self, key: str) -> StoredObject | None:
        with translated("HeadObject"):
            try:
                found = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in _GONE:
                    return None
                raise
        return StoredObject(found["ContentLength"], found["ETag"])

    def copy_from(self, bucket: str, source_key: str, key: str) -> StoredObject:
        with translated("CopyObject"):
            self._client.copy_object(
                Bucket=self._bucket, Key=key, CopySource={"Bucket": bucket, "Key": source_key}
            )
        copied = self.stored(key)
        if copied is None:
            raise StorageError("HeadObject", "the copy is gone")
        return copied

    def open(self, key: str, etag: str) -> ByteStream:
        with translated("GetObject"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key, IfMatch=etag)
            except ClientError as error:
                if error_code(error) in _GONE | _CHANGED:
                    raise object_changed() from error
                raise
        return _Stream(answer["Body"])

    def remove_all(self, prefix: str) -> None:
        remove_below(self._client, self._bucket, prefix)


class _Stream:
    """An object's body whose reads raise StorageError instead of botocore's errors."""

    def __init__(self, body: ByteStream) -> None:
        self._body = body

    def read(self, size: int, /) -> bytes:
        with translated("GetObject"):
            return self._body.read(size)
