"""What every store of datasets' files promises: the one in memory and the one in S3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest

from brightrun.aws.objects import s3_client
from brightrun.core.errors import ObjectChangedError, StorageError
from brightrun.datasets.file_repository import DatasetFiles, S3DatasetFiles
from tests.aws import Aws
from tests.fakes.datasets import InMemoryDatasetFiles

KEY = "owner-1/dataset-1/rows.jsonl"
FIVE_MIB = b"x" * (5 * 1024 * 1024)


@dataclass(frozen=True)
class Bucket:
    """The files, and what happens to them from outside."""

    files: DatasetFiles
    put: Callable[[str, bytes], object]
    put_elsewhere: Callable[[str, bytes], object]
    send_part: Callable[[str, int, bytes], object]


@pytest.fixture(params=["memory", "s3"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    if request.param == "memory":
        fake = InMemoryDatasetFiles()
        return Bucket(
            fake,
            fake.objects.__setitem__,
            lambda key, body: fake.elsewhere.__setitem__(("training-files", key), body),
            lambda upload, number, body: fake.uploads[upload].__setitem__(number, body),
        )
    s3 = request.getfixturevalue("aws").s3
    return Bucket(
        S3DatasetFiles(s3, "datasets"),
        lambda key, body: s3.put_object(Bucket="datasets", Key=key, Body=body),
        lambda key, body: s3.put_object(Bucket="training-files", Key=key, Body=body),
        lambda upload, number, body: s3.upload_part(
            Bucket="datasets", Key=KEY, UploadId=upload, PartNumber=number, Body=body
        ),
    )


def read_all(files: DatasetFiles, key: str, etag: str) -> bytes:
    stream = files.open(key, etag)
    return b"".join(iter(lambda: stream.read(3), b""))


def test_what_is_not_there_is_none(bucket: Bucket) -> None:
    assert bucket.files.stored(KEY) is None


def test_an_object_is_read_as_it_was_stored(bucket: Bucket) -> None:
    bucket.put(KEY, b"one\ntwo")
    found = bucket.files.stored(KEY)
    assert found is not None
    assert found.size == 7
    assert read_all(bucket.files, KEY, found.etag) == b"one\ntwo"


def test_an_object_that_was_overwritten_is_not_read(bucket: Bucket) -> None:
    bucket.put(KEY, b"one")
    found = bucket.files.stored(KEY)
    assert found is not None
    bucket.put(KEY, b"two")
    with pytest.raises(ObjectChangedError):
        bucket.files.open(KEY, found.etag)


def test_a_missing_object_is_not_read(bucket: Bucket) -> None:
    with pytest.raises(ObjectChangedError):
        bucket.files.open(KEY, '"any"')


def test_parts_become_one_object_once(bucket: Bucket) -> None:
    files = bucket.files
    upload_id = files.begin_parts(KEY)
    assert files.parts(KEY, upload_id) == []
    bucket.send_part(upload_id, 2, b"the end")
    bucket.send_part(upload_id, 1, FIVE_MIB)
    parts = files.parts(KEY, upload_id)
    assert parts is not None
    assert [(part.number, part.size) for part in parts] == [(1, len(FIVE_MIB)), (2, 7)]
    for _ in range(2):
        files.complete_parts(KEY, upload_id, parts)
    found = files.stored(KEY)
    assert found is not None
    assert found.size == len(FIVE_MIB) + 7
    assert files.parts(KEY, upload_id) is None


def test_abandoned_parts_are_deleted(bucket: Bucket) -> None:
    upload_id = bucket.files.begin_parts(KEY)
    bucket.send_part(upload_id, 1, b"some")
    for _ in range(2):
        bucket.files.abandon_parts(KEY, upload_id)
    assert bucket.files.parts(KEY, upload_id) is None
    assert bucket.files.stored(KEY) is None


def test_an_object_of_another_bucket_is_copied(bucket: Bucket) -> None:
    bucket.put_elsewhere("file-1/v1/training.jsonl", b"rows")
    copied = bucket.files.copy_from("training-files", "file-1/v1/training.jsonl", KEY)
    assert copied == bucket.files.stored(KEY)
    assert read_all(bucket.files, KEY, copied.etag) == b"rows"


def test_what_is_not_there_cannot_be_copied(bucket: Bucket) -> None:
    with pytest.raises(StorageError):
        bucket.files.copy_from("training-files", "nothing", KEY)


def test_everything_below_a_prefix_is_deleted_and_nothing_else(bucket: Bucket) -> None:
    for key in (KEY, "owner-1/dataset-1/_validation/1/report.json", "owner-1/dataset-10/rows"):
        bucket.put(key, b"x")
    for _ in range(2):
        bucket.files.remove_all("owner-1/dataset-1/")
    assert bucket.files.stored(KEY) is None
    assert bucket.files.stored("owner-1/dataset-1/_validation/1/report.json") is None
    assert bucket.files.stored("owner-1/dataset-10/rows") is not None


def signed_headers(url: str) -> list[str]:
    return parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"]


@pytest.mark.usefixtures("aws")
def test_links_are_signed_for_one_length() -> None:
    files = S3DatasetFiles(s3_client(), "datasets")
    assert signed_headers(files.upload_link(KEY, 500)) == ["content-length;host"]
    assert signed_headers(files.part_link(KEY, "an-upload", 2, 500)) == ["content-length;host"]


def test_every_failure_of_s3_is_a_storage_error(aws: Aws) -> None:
    files = S3DatasetFiles(aws.s3, "no-such-bucket")
    for action in (
        lambda: files.begin_parts(KEY),
        lambda: files.remove_all("owner-1/"),
        lambda: files.open(KEY, '"any"'),
    ):
        with pytest.raises(StorageError):
            action()
