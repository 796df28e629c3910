"""The bucket of artifacts: streams, uploads in parts, and no remains of an interrupted upload."""

from __future__ import annotations

import io

import pytest

from brightrun.core.errors import StorageError
from brightrun.training.adapters.repository import PART_BYTES, ArtifactFiles, S3ArtifactFiles
from tests.aws import Aws

KEY = "owner-1/model-1/adapter_model.safetensors"


@pytest.fixture
def files(aws: Aws) -> ArtifactFiles:
    return S3ArtifactFiles(aws.s3, "models")


def stored(files: ArtifactFiles) -> bytes:
    found = files.open(KEY)
    assert found is not None
    with found:
        return found.read()


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 5])
def test_what_is_written_is_read_whatever_its_size(files: ArtifactFiles, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    files.write(KEY, io.BytesIO(body[:size]), size)
    assert stored(files) == body[:size]


def test_writing_again_takes_the_place_of_what_was_there(files: ArtifactFiles) -> None:
    for body in (b"first", b"second"):
        files.write(KEY, io.BytesIO(body), len(body))
    assert stored(files) == b"second"


def test_a_missing_object_is_none_and_reads_as_nothing(files: ArtifactFiles) -> None:
    assert files.open("nothing") is None
    assert files.read("nothing", 0, 10) == b""


def test_reading_from_a_byte_on_is_bounded_and_ends_with_the_object(files: ArtifactFiles) -> None:
    files.write(KEY, io.BytesIO(b"0123456789"), 10)
    assert files.read(KEY, 0, 4) == b"0123"
    assert files.read(KEY, 8, 100) == b"89"
    assert files.read(KEY, 10, 100) == b""
    assert files.read(KEY, 500, 100) == b""


class Broken(io.BytesIO):
    """Gives one part, then fails as a damaged archive does."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise EOFError
        return super().read(size)


def test_an_upload_that_breaks_off_leaves_nothing_behind(files: ArtifactFiles, aws: Aws) -> None:
    size = 2 * PART_BYTES
    with pytest.raises(EOFError):
        files.write(KEY, Broken(bytes(size)), size)
    assert files.open(KEY) is None
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket="models")


def test_a_storage_error_names_the_operation(aws: Aws) -> None:
    files = S3ArtifactFiles(aws.s3, "no-such-bucket")
    with pytest.raises(StorageError, match="NoSuchBucket"):
        files.open(KEY)
    with pytest.raises(StorageError, match="NoSuchBucket"):
        files.read(KEY, 0, 1)
    with pytest.raises(StorageError, match="NoSuchBucket"):
        files.write(KEY, io.BytesIO(b"x"), 1)
