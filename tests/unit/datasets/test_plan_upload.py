"""Links for what is missing of a file."""

from __future__ import annotations

import pytest

from brightrun.core.errors import ActionNotAllowedError, VersionConflictError
from brightrun.datasets.model import LARGEST_SINGLE_PUT, PART_BYTES
from tests.builders import OWNER
from tests.unit.datasets.dataset_setup import Datasets


@pytest.fixture
def system() -> Datasets:
    return Datasets()


@pytest.mark.parametrize(
    ("size", "requested", "in_parts"),
    [
        (LARGEST_SINGLE_PUT, None, False),
        (LARGEST_SINGLE_PUT + 1, None, True),
        (LARGEST_SINGLE_PUT + 1, False, False),
        (1, True, True),
    ],
)
def test_large_files_are_uploaded_in_parts_unless_requested_otherwise(
    system: Datasets, size: int, requested: bool | None, in_parts: bool
) -> None:
    dataset = system.created(size, in_parts=requested)
    assert (dataset.part_size == PART_BYTES) is in_parts
    assert bool(system.files.uploads) is in_parts


def test_a_resumed_upload_gives_links_for_what_is_missing(system: Datasets) -> None:
    dataset = system.created(PART_BYTES + 5, in_parts=True)
    system.files.uploads[str(dataset.upload_id)][2] = b"12345"
    upload = system.planner.resume(OWNER, dataset.dataset_id)
    assert upload.uploaded == [2]
    (link,) = upload.parts
    assert link.part_number == 1
    assert link.url.endswith(f"part=1&size={PART_BYTES}")


def test_an_unknown_upload_is_begun_again_and_stored(system: Datasets) -> None:
    dataset = system.created(5, in_parts=True)
    system.files.uploads.clear()
    system.files.uploads["another's"] = {}
    system.planner.resume(OWNER, dataset.dataset_id)
    assert system.now(dataset).upload_id in system.files.uploads
    assert system.now(dataset).upload_id != dataset.upload_id


def test_of_two_concurrent_uploads_one_is_abandoned(system: Datasets) -> None:
    dataset = system.created(5, in_parts=True)
    system.files.uploads.clear()
    begin = system.files.begin_parts

    def concurrent_upload(key: str) -> str:
        system.files.begin_parts = begin  # type: ignore[method-assign]
        system.planner.resume(OWNER, dataset.dataset_id)
        return begin(key)

    system.files.begin_parts = concurrent_upload  # type: ignore[method-assign]
    with pytest.raises(VersionConflictError):
        system.planner.resume(OWNER, dataset.dataset_id)
    assert list(system.files.uploads) == [system.now(dataset).upload_id]


def test_a_file_in_one_request_gets_a_new_link(system: Datasets) -> None:
    dataset = system.created(7)
    upload = system.planner.resume(OWNER, dataset.dataset_id)
    assert (upload.method, upload.headers) == ("put", {"Content-Length": "7"})
    assert str(upload.url).endswith("size=7")


def test_a_confirmed_dataset_expects_no_upload(system: Datasets) -> None:
    dataset = system.confirmed()
    with pytest.raises(ActionNotAllowedError, match="'validating'"):
        system.planner.resume(OWNER, dataset.dataset_id)
