"""What trainers leave and what is delivered, in S3: read as streams, written in parts."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from brightrun.repositories.dynamodb import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 16 * 1024 * 1024
"""Of a multipart upload: 10,000 parts make 160 GB; one is held in memory at a time."""

_NOTHING_THERE = frozenset({"NoSuchKey", "404", "InvalidRange", "416"})


class S3ArtifactFiles:
    """ports.training.ArtifactFiles on one bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def open(self, key: str) -> IO[bytes] | None:
        """Open an object as a stream; None when there is no such object. Raises StorageError."""
        with translated("GetObject"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except self._client.exceptions.NoSuchKey:
                return None
        return cast("IO[bytes]", answer["Body"])

    def read(self, key: str, offset: int, most: int) -> bytes:
        """Read up to `most` bytes from a byte on; nothing when it is missing or shorter.

        Raises StorageError.
        """
        wanted = f"bytes={offset}-{offset + most - 1}"
        with translated("GetObject"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key, Range=wanted)
                return answer["Body"].read()
            except ClientError as error:
                if error_code(error) in _NOTHING_THERE:
                    return b""
                raise

    def write(self, key: str, source: IO[bytes], size: int) -> None:
        """Store a stream of `size` bytes, in parts where it is large. Raises StorageError.

        What the source itself raises passes through, and nothing is stored.
        """
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
