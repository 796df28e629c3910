"""What the store of training files does with parts and blocks: the one in S3, and the fake."""

from __future__ import annotations

import pytest

from brightrun.core.errors import StorageError
from brightrun.training_files.repository import (
    BLOCK_BYTES,
    S3TrainingFileObjects,
    TrainingFileObjects,
)
from tests.aws import Aws
from tests.fakes.training_files import InMemoryTrainingFileObjects

KEY = "owner/file/v1/attempt/training.json"
PART = b"x" * (5 * 1024 * 1024)  # S3's least
LAST = "Grüße".encode()


@pytest.fixture(params=["memory", "s3"])
def objects(request: pytest.FixtureRequest, aws: Aws) -> TrainingFileObjects:
    if request.param == "memory":
        return InMemoryTrainingFileObjects()
    store = S3TrainingFileObjects(aws.s3, "training-files")
    store.remove_all("")
    return store


def read(objects: TrainingFileObjects, key: str, start: int = 0) -> bytes:
    return b"".join(objects.blocks(key, start))


def test_parts_become_an_object_in_their_order_whatever_the_order_they_came_in(
    objects: TrainingFileObjects,
) -> None:
    upload_id = objects.begin_parts(KEY, "application/json")
    last = objects.put_part(KEY, upload_id, 2, LAST)
    first = objects.put_part(KEY, upload_id, 1, PART)
    assert read(objects, KEY) == b""
    objects.complete_parts(KEY, upload_id, [first, last])
    assert read(objects, KEY) == PART + LAST
    objects.complete_parts(KEY, upload_id, [first, last])
    assert read(objects, KEY) == PART + LAST


def test_a_part_that_was_stored_again_takes_the_place_of_the_first(
    objects: TrainingFileObjects,
) -> None:
    upload_id = objects.begin_parts(KEY, "application/json")
    old = objects.put_part(KEY, upload_id, 1, b"old")
    new = objects.put_part(KEY, upload_id, 1, b"new")
    with pytest.raises(StorageError):
        objects.complete_parts(KEY, upload_id, [old])
    objects.complete_parts(KEY, upload_id, [new])
    assert read(objects, KEY) == b"new"


def test_only_unfinished_uploads_below_a_prefix_are_given_up(objects: TrainingFileObjects) -> None:
    other = "owner/file/v1/other/training.json"
    given_up, kept = (objects.begin_parts(key, "application/json") for key in (KEY, other))
    objects.put_part(KEY, given_up, 1, LAST)
    objects.abandon_parts("owner/file/v1/attempt/")
    objects.abandon_parts("owner/file/v1/attempt/")
    objects.complete_parts(other, kept, [objects.put_part(other, kept, 1, LAST)])
    assert (read(objects, KEY), read(objects, other)) == (b"", LAST)


def test_an_upload_that_was_given_up_takes_no_room(aws: Aws) -> None:
    store = S3TrainingFileObjects(aws.s3, "training-files")
    store.put_part(KEY, store.begin_parts(KEY, "application/json"), 1, LAST)
    store.abandon_parts("owner/file/v1/attempt/")
    assert "Uploads" not in aws.s3.list_multipart_uploads(Bucket="training-files")


@pytest.mark.parametrize("start", [0, 1, BLOCK_BYTES + 7])
def test_an_object_is_read_from_a_byte_on(objects: TrainingFileObjects, start: int) -> None:
    text = "0123456789" * (BLOCK_BYTES // 5)
    objects.put(KEY, text, content_type="application/json")
    assert read(objects, KEY, start) == text.encode()[start:]
    assert all(len(block) <= BLOCK_BYTES for block in objects.blocks(KEY))


def test_an_object_that_is_not_there_has_no_blocks(objects: TrainingFileObjects) -> None:
    assert read(objects, "owner/nothing") == b""
