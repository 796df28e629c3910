"""What every store of datasets promises: the one in memory and the one in DynamoDB."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest

from brightrun.core.errors import (
    DatasetInUseError,
    DuplicateKeyError,
    InvalidCursorError,
    NotFoundError,
    VersionConflictError,
)
from brightrun.datasets.model import Dataset
from brightrun.datasets.repository import DatasetRepository, DynamoDatasets
from brightrun.notifications.repository import DynamoNotifications, NotificationRepository
from brightrun.training_files.repository import DynamoTrainingFiles, TrainingFileRepository
from tests.aws import Aws
from tests.builders import OWNER, STRANGER
from tests.contract.test_training_files_repository import READY, a_file, a_version
from tests.fakes.datasets import (
    DATASET_TABLES,
    InMemoryDatasets,
    a_dataset,
    a_notification,
    a_waiting_dataset,
)
from tests.fakes.training_files import InMemoryTrainingFiles


@dataclass(frozen=True)
class Stores:
    """The repository, what it writes to besides, and what a job does to a row."""

    datasets: DatasetRepository
    training_files: TrainingFileRepository
    notifications: NotificationRepository
    begin_job: Callable[[Dataset], None]


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        files = InMemoryTrainingFiles()
        datasets = InMemoryDatasets(training_files=files)
        return Stores(datasets, files, datasets.notifications, datasets.begin_job)
    return dynamo_stores(request.getfixturevalue("aws"))


def dynamo_stores(aws: Aws) -> Stores:
    def begin_job(dataset: Dataset) -> None:
        aws.dynamodb.update_item(
            TableName="DatasetsTable",
            Key={"owner_id": {"S": dataset.owner_id}, "dataset_id": {"S": dataset.dataset_id}},
            UpdateExpression="ADD active_jobs :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    return Stores(
        DynamoDatasets(aws.dynamodb, DATASET_TABLES),
        DynamoTrainingFiles(aws.dynamodb, "TrainingFilesTable"),
        DynamoNotifications(aws.dynamodb, "NotificationsTable"),
        begin_job,
    )


@pytest.fixture
def repository(stores: Stores) -> DatasetRepository:
    return stores.datasets


def imported(dataset_id: str = "dataset-1", version: int = 1) -> Dataset:
    return a_dataset(
        dataset_id,
        source="training_file",
        training_file_id="file-1",
        training_file_version=version,
    )


@pytest.mark.parametrize("dataset", [a_dataset(), a_waiting_dataset()])
def test_a_row_comes_back_as_it_was_stored(repository: DatasetRepository, dataset: Dataset) -> None:
    repository.add(dataset)
    assert repository.dataset(OWNER, "dataset-1") == dataset


def test_an_integral_average_comes_back_as_a_float(repository: DatasetRepository) -> None:
    repository.add(a_dataset(avg_turns_per_conversation=4.0))
    stored = repository.dataset(OWNER, "dataset-1").avg_turns_per_conversation
    assert isinstance(stored, float)


def test_a_second_row_of_the_same_id_is_refused(repository: DatasetRepository) -> None:
    repository.add(a_dataset())
    with pytest.raises(DuplicateKeyError):
        repository.add(a_dataset(name="Another"))
    assert repository.dataset(OWNER, "dataset-1").name == "First"


def test_another_owners_row_looks_like_none(repository: DatasetRepository) -> None:
    repository.add(a_dataset())
    with pytest.raises(NotFoundError):
        repository.dataset(STRANGER, "dataset-1")
    found = repository.datasets(STRANGER, status=None, search=None, limit=10, cursor=None)
    assert found.records == ()


def test_a_row_is_replaced_under_the_next_version(repository: DatasetRepository) -> None:
    repository.add(a_dataset(status="error", error_message="It was bad."))
    seen = repository.dataset(OWNER, "dataset-1")
    given = repository.replace(seen.validating('"new"', "2026-11-21T13:00:00.000Z"))
    stored = repository.dataset(OWNER, "dataset-1")
    assert stored == given
    assert (stored.version, stored.status, stored.validation_run) == (2, "validating", 2)
    assert stored.error_message is None


def test_a_write_from_an_older_version_is_refused_without_a_notification(stores: Stores) -> None:
    stores.datasets.add(a_dataset())
    stores.datasets.replace(a_dataset(name="Second"))
    with pytest.raises(VersionConflictError) as refusal:
        stores.datasets.replace(a_dataset(name="Third"), a_notification())
    assert refusal.value.details["version"] == 2
    assert stores.datasets.dataset(OWNER, "dataset-1").name == "Second"
    assert stores.notifications.unread_count(OWNER) == 0


def test_a_deleted_dataset_cannot_be_replaced(repository: DatasetRepository) -> None:
    with pytest.raises(NotFoundError):
        repository.replace(a_dataset())


def test_a_notification_is_stored_together_with_the_dataset(stores: Stores) -> None:
    stores.datasets.add(a_dataset())
    stores.datasets.replace(a_dataset(), a_notification())
    (notification,) = stores.notifications.notifications(
        OWNER, unread=True, limit=5, cursor=None
    ).records
    assert notification == a_notification()


def test_no_write_of_ours_changes_the_number_of_jobs(stores: Stores) -> None:
    stores.datasets.add(a_dataset())
    seen = stores.datasets.dataset(OWNER, "dataset-1")
    stores.begin_job(seen)
    stores.datasets.replace(dataclasses.replace(seen, name="Second", active_jobs=0))
    stored = stores.datasets.dataset(OWNER, "dataset-1")
    assert (stored.name, stored.active_jobs) == ("Second", 1)


def test_a_dataset_that_a_job_uses_is_not_retired(stores: Stores) -> None:
    stores.datasets.add(a_dataset())
    seen = stores.datasets.dataset(OWNER, "dataset-1")
    stores.begin_job(seen)
    with pytest.raises(DatasetInUseError) as refusal:
        stores.datasets.retire(seen.retired("2026-11-21T13:00:00.000Z"))
    assert refusal.value.details == {"active_jobs": 1}
    assert stores.datasets.dataset(OWNER, "dataset-1").status == "ready"


def test_retiring_from_an_older_version_is_refused(repository: DatasetRepository) -> None:
    repository.add(a_dataset())
    repository.replace(a_dataset(name="Second"))
    with pytest.raises(VersionConflictError):
        repository.retire(a_dataset().retired("2026-11-21T13:00:00.000Z"))


def test_a_retired_dataset_is_deleted(repository: DatasetRepository) -> None:
    repository.add(a_dataset())
    retired = repository.retire(a_dataset().retired("2026-11-21T13:00:00.000Z"))
    repository.delete(retired)
    with pytest.raises(NotFoundError):
        repository.dataset(OWNER, "dataset-1")
    with pytest.raises(NotFoundError):
        repository.delete(retired)


def test_deleting_from_an_older_version_is_refused(repository: DatasetRepository) -> None:
    repository.add(a_dataset())
    repository.replace(a_dataset(name="Second"))
    with pytest.raises(VersionConflictError):
        repository.delete(a_dataset())


def test_a_version_of_a_training_file_becomes_one_dataset(stores: Stores) -> None:
    stores.training_files.add(a_file())
    stores.datasets.add(imported())
    with pytest.raises(DuplicateKeyError) as refusal:
        stores.datasets.add(imported("dataset-2"))
    assert refusal.value.details == {"dataset_id": "dataset-1"}
    assert stores.training_files.training_file(OWNER, "file-1").imported_versions == [1]
    with pytest.raises(NotFoundError):
        stores.datasets.dataset(OWNER, "dataset-2")


def test_what_was_imported_is_free_again_when_its_dataset_is_deleted(stores: Stores) -> None:
    stores.training_files.add(a_file())
    stores.training_files.replace(a_file().grown(a_version(2), {}, READY), a_file())
    for dataset in (imported(), imported("dataset-2", version=2)):
        stores.datasets.add(dataset)
    assert stores.training_files.training_file(OWNER, "file-1").imported_versions == [1, 2]
    stores.datasets.delete(imported())
    assert stores.training_files.training_file(OWNER, "file-1").imported_versions == [2]
    stores.datasets.add(imported("dataset-3"))
    assert stores.training_files.training_file(OWNER, "file-1").imported_versions == [1, 2]


def test_a_file_that_grows_meanwhile_keeps_what_was_imported_of_it(stores: Stores) -> None:
    stores.training_files.add(a_file())
    seen = stores.training_files.training_file(OWNER, "file-1")
    stores.datasets.add(imported())
    stores.training_files.replace(seen.grown(a_version(2), {}, READY), seen)
    assert stores.training_files.training_file(OWNER, "file-1").imported_versions == [1]


@pytest.mark.parametrize(
    ("status", "search", "found"),
    [
        (None, None, ["4", "3", "2", "1"]),
        ("ready", None, ["3", "1"]),
        (None, "STRASSE", ["4"]),
        (None, "two", ["3", "2"]),
        ("ready", "two", ["3"]),
        ("error", "two", []),
    ],
)
def test_a_list_can_be_searched(
    repository: DatasetRepository, status: str | None, search: str | None, found: list[str]
) -> None:
    repository.add(a_dataset("1", name="One"))
    repository.add(a_dataset("2", name="Two", status="uploading"))
    repository.add(a_dataset("3", name="Number two"))
    repository.add(a_dataset("4", name="Straße", status="validating"))
    page = repository.datasets(OWNER, status=status, search=search, limit=10, cursor=None)
    assert [one.dataset_id for one in page.records] == found
    assert page.next_cursor is None


@pytest.mark.parametrize("search", [None, "first"])
def test_a_list_comes_newest_first_by_pages(
    repository: DatasetRepository, search: str | None
) -> None:
    for number in (1, 3, 2):
        repository.add(a_dataset(f"dataset-{number}"))
    first = repository.datasets(OWNER, status=None, search=search, limit=2, cursor=None)
    rest = repository.datasets(OWNER, status=None, search=search, limit=2, cursor=first.next_cursor)
    ids = [one.dataset_id for one in (*first.records, *rest.records)]
    assert ids == ["dataset-3", "dataset-2", "dataset-1"]
    assert rest.next_cursor is None


def test_of_two_imports_of_one_version_at_once_exactly_one_lands(aws: Aws) -> None:
    stores = dynamo_stores(aws)
    stores.training_files.add(a_file())
    barrier = Barrier(2)

    def add(dataset_id: str) -> bool:
        barrier.wait()
        try:
            stores.datasets.add(imported(dataset_id))
        except DuplicateKeyError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        landed = list(threads.map(add, ["dataset-1", "dataset-2"]))
    assert sorted(landed) == [False, True]


def test_a_search_that_finds_little_reads_only_so_much(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brightrun.aws.dynamodb._FILTERED_READ", 2)
    repository = dynamo_stores(aws).datasets
    for number in range(10, 40):
        repository.add(a_dataset(f"dataset-{number}", name="Last" if number == 10 else "Other"))
    names, cursor, requests = list[str](), None, 0
    while requests == 0 or cursor:
        page = repository.datasets(OWNER, status=None, search="last", limit=5, cursor=cursor)
        names += [one.dataset_id for one in page.records]
        cursor, requests = page.next_cursor, requests + 1
    assert names == ["dataset-10"]
    assert requests == 2  # of eight reads of two rows each, and one of the rest


def test_another_lists_cursor_is_refused(aws: Aws) -> None:
    repository = dynamo_stores(aws).datasets
    for number in range(3):
        repository.add(a_dataset(f"dataset-{number}"))
    cursor = repository.datasets(OWNER, status=None, search=None, limit=1, cursor=None).next_cursor
    with pytest.raises(InvalidCursorError):
        repository.datasets(STRANGER, status=None, search=None, limit=1, cursor=cursor)
