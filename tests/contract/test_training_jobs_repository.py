"""What every store of training jobs promises: the one in memory and the one in DynamoDB."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from brightrun.aws.dynamodb import from_wire, to_wire
from brightrun.core.errors import (
    DatasetNotReadyError,
    DuplicateKeyError,
    NotFoundError,
    StorageError,
    VersionConflictError,
)
from brightrun.datasets.model import Dataset
from brightrun.datasets.repository import DynamoDatasets
from brightrun.notifications.model import Notification
from brightrun.training.adapters.repository import DynamoModels, ModelRepository
from brightrun.training.costs.model import cost_record
from brightrun.training.costs.repository import CostRecords, DynamoCostRecords
from brightrun.training.model import TrainingJob
from brightrun.training.notices import artifact_ready, job_completed, job_queued
from brightrun.training.repository import (
    DynamoTrainingJobs,
    TrainingJobRepository,
    TrainingTables,
)
from brightrun.training.transitions import cancelled, ended, starting
from infra.mark_open_jobs import mark_open_jobs
from tests.aws import Aws
from tests.builders import OWNER, START, STRANGER
from tests.fakes.datasets import DATASET_TABLES
from tests.fakes.training_jobs import InMemoryTraining, a_dataset, a_model, a_training_job

TABLES = TrainingTables(
    "TrainingJobsTable", "DatasetsTable", "NotificationsTable", "CostRecordsTable", "ModelsTable"
)
LATER = START + timedelta(minutes=30)


@dataclass(frozen=True)
class Store:
    """One kind of store, and eyes for what it writes beside the jobs."""

    jobs: TrainingJobRepository
    models: ModelRepository
    costs: CostRecords
    add_dataset: Callable[[Dataset], None]
    active_jobs: Callable[[str], int]
    notification_types: Callable[[], list[str]]


def in_memory() -> Store:
    memory = InMemoryTraining()

    def add(dataset: Dataset) -> None:
        memory.datasets[dataset.owner_id, dataset.dataset_id] = dataset

    def notification_types() -> list[str]:
        return [one.type for one in memory.notifications]

    return Store(memory, memory, memory, add, memory.active_jobs, notification_types)


def in_dynamodb(aws: Aws) -> Store:
    client = aws.dynamodb

    def add(dataset: Dataset) -> None:
        DynamoDatasets(client, DATASET_TABLES).add(dataset)

    def active_jobs(dataset_id: str) -> int:
        key = to_wire({"owner_id": OWNER, "dataset_id": dataset_id})
        item = client.get_item(TableName="DatasetsTable", Key=key)["Item"]
        return int(from_wire(item)["active_jobs"])

    def notification_types() -> list[str]:
        rows = client.scan(TableName="NotificationsTable")["Items"]
        return [from_wire(row)["type"] for row in rows]

    return Store(
        DynamoTrainingJobs(client, TABLES),
        DynamoModels(client, "ModelsTable"),
        DynamoCostRecords(client, "CostRecordsTable"),
        add,
        active_jobs,
        notification_types,
    )


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    made = in_memory() if request.param == "memory" else in_dynamodb(request.getfixturevalue("aws"))
    made.add_dataset(a_dataset())
    return made


def create(store: Store, job: TrainingJob) -> TrainingJob:
    store.jobs.create(job, job_queued(job, START))
    return job


def completed(job: TrainingJob, **fields: Any) -> TrainingJob:
    running = starting(job, START)
    return ended(running, LATER, "completed", final_cost=3.0, billed_seconds=1800, **fields)


def close_billing(
    store: Store, job: TrainingJob, seen_version: int, *, with_model: bool = True
) -> None:
    model = a_model(job) if with_model else None
    notifications: list[Notification] = [job_completed(job, a_model(job), LATER)]
    if model is not None:
        notifications.append(artifact_ready(job, model, LATER))
    store.jobs.close_billing(
        job, seen_version, cost=cost_record(job, LATER), notifications=notifications, model=model
    )


def test_a_job_comes_back_as_it_was_stored(store: Store) -> None:
    job = create(store, a_training_job(max_cost_usd=5.0, use_spot=True))
    assert store.jobs.job(OWNER, job.job_id) == job


def test_integral_amounts_come_back_as_floats(store: Store) -> None:
    job = create(store, a_training_job(max_cost_usd=5.0))
    stored = store.jobs.job(OWNER, job.job_id)
    assert isinstance(stored.max_cost_usd, float)
    assert isinstance(stored.billing.usd_per_hour, float)
    assert isinstance(stored.total_steps, int)


def test_a_job_is_counted_on_its_dataset_and_its_owner_notified(store: Store) -> None:
    create(store, a_training_job())
    assert store.active_jobs("dataset-1") == 1
    assert store.notification_types() == ["job_queued"]


def test_a_job_of_an_id_that_is_taken_is_refused_and_not_counted(store: Store) -> None:
    job = create(store, a_training_job())
    with pytest.raises(DuplicateKeyError):
        create(store, dataclasses.replace(job, name="Another"))
    assert store.active_jobs("dataset-1") == 1
    assert store.jobs.job(OWNER, job.job_id).name == "First adapter"


@pytest.mark.parametrize("status", ["uploading", "validating", "error"])
def test_a_dataset_that_is_not_ready_takes_no_job(store: Store, status: Any) -> None:
    store.add_dataset(a_dataset("dataset-2", status=status))
    job = a_training_job(dataset_id="dataset-2")
    with pytest.raises(DatasetNotReadyError):
        create(store, job)
    with pytest.raises(NotFoundError):
        store.jobs.job(OWNER, job.job_id)
    assert store.active_jobs("dataset-2") == 0
    assert store.notification_types() == []


def test_a_deleted_dataset_accepts_no_job(store: Store) -> None:
    with pytest.raises(DatasetNotReadyError):
        create(store, a_training_job(dataset_id="dataset-9"))


def test_another_owners_job_looks_like_none(store: Store) -> None:
    job = create(store, a_training_job())
    with pytest.raises(NotFoundError):
        store.jobs.job(STRANGER, job.job_id)
    assert store.jobs.jobs(STRANGER, status=None, limit=10, cursor=None).records == ()


def test_jobs_are_listed_newest_first_by_pages_and_by_status(store: Store) -> None:
    for number in (1, 3, 2):
        create(store, a_training_job(f"job-{number}"))
    store.jobs.replace(starting(store.jobs.job(OWNER, "job-2"), START), 1)
    first = store.jobs.jobs(OWNER, status=None, limit=2, cursor=None)
    rest = store.jobs.jobs(OWNER, status=None, limit=2, cursor=first.next_cursor)
    ids = [job.job_id for job in (*first.records, *rest.records)]
    assert ids == ["job-3", "job-2", "job-1"]
    assert rest.next_cursor is None
    queued = store.jobs.jobs(OWNER, status="queued", limit=10, cursor=None)
    assert [job.job_id for job in queued.records] == ["job-3", "job-1"]


def test_a_change_takes_the_place_of_the_version_that_was_seen(store: Store) -> None:
    job = create(store, a_training_job())
    store.jobs.replace(starting(job, LATER), 1, job_completed(job, a_model(job), LATER))
    stored = store.jobs.job(OWNER, job.job_id)
    assert (stored.status, stored.version) == ("initializing", 2)
    assert sorted(store.notification_types()) == ["job_completed", "job_queued"]


def test_a_change_of_an_outdated_version_is_refused_without_a_notification(store: Store) -> None:
    job = create(store, a_training_job())
    store.jobs.replace(starting(job, LATER), 1)
    with pytest.raises(VersionConflictError) as refusal:
        store.jobs.replace(cancelled(job, LATER), 1, job_completed(job, a_model(job), LATER))
    assert refusal.value.details["status"] == "initializing"
    assert refusal.value.details["version"] == 2
    assert store.notification_types() == ["job_queued"]


def test_settling_closes_the_job_with_all_that_belongs_to_it(store: Store) -> None:
    job = create(store, a_training_job())
    end = completed(job)
    close_billing(store, end, 1)
    stored = store.jobs.job(OWNER, job.job_id)
    assert (stored.status, stored.settled, stored.version) == ("completed", True, 2)
    assert store.models.model(OWNER, str(stored.model_id)) == a_model(job)
    assert store.costs.of_job(stored) == [cost_record(end, LATER)]
    assert store.active_jobs("dataset-1") == 0
    assert sorted(store.notification_types()) == ["artifact_ready", "job_completed", "job_queued"]


def test_a_job_can_end_without_a_model(store: Store) -> None:
    job = create(store, a_training_job())
    close_billing(store, completed(job), 1, with_model=False)
    assert store.jobs.job(OWNER, job.job_id).model_id is None
    assert store.models.models(OWNER, limit=10, cursor=None).records == ()


def test_a_job_whose_bill_is_closed_is_never_written_again(store: Store) -> None:
    job = create(store, a_training_job())
    close_billing(store, completed(job), 1)
    settled = store.jobs.job(OWNER, job.job_id)
    with pytest.raises(VersionConflictError):
        store.jobs.replace(dataclasses.replace(settled, progress=1.0), settled.version)
    with pytest.raises(VersionConflictError):
        close_billing(store, settled, settled.version)
    assert store.jobs.job(OWNER, job.job_id) == settled
    assert store.active_jobs("dataset-1") == 0
    assert len(list(store.costs.between(OWNER, "2026-11-01", "2026-11-30"))) == 1


def test_closing_the_bill_from_an_outdated_version_changes_nothing(store: Store) -> None:
    job = create(store, a_training_job())
    store.jobs.replace(starting(job, LATER), 1)
    with pytest.raises(VersionConflictError):
        close_billing(store, completed(job), 1)
    assert not store.jobs.job(OWNER, job.job_id).settled
    assert store.active_jobs("dataset-1") == 1
    assert store.models.models(OWNER, limit=10, cursor=None).records == ()
    assert list(store.costs.between(OWNER, "2026-11-01", "2026-11-30")) == []


def test_an_open_job_has_no_cost_record(store: Store) -> None:
    assert store.costs.of_job(create(store, a_training_job())) == []


def test_models_are_listed_newest_first_by_pages_to_their_owner_alone(store: Store) -> None:
    made = []
    for minutes in (0, 2, 1):
        job = create(store, a_training_job(_id_made_at(minutes)))
        close_billing(store, completed(job), 1)
        made.append((minutes, a_model(job)))
    newest_first = [model for _, model in sorted(made, key=lambda one: -one[0])]
    first = store.models.models(OWNER, limit=2, cursor=None)
    rest = store.models.models(OWNER, limit=2, cursor=first.next_cursor)
    assert [*first.records, *rest.records] == newest_first
    assert store.models.models(STRANGER, limit=2, cursor=None).records == ()
    with pytest.raises(NotFoundError):
        store.models.model(STRANGER, newest_first[0].model_id)


def test_costs_are_found_by_whole_days_oldest_first(store: Store) -> None:
    days = {"2026-11-19": 23, "2026-11-20": 0, "2026-11-21": 23, "2026-11-22": 0}
    for number, (day, hour) in enumerate(days.items()):
        job = create(store, a_training_job(_id_made_at(number)))
        at = START.replace(day=int(day[-2:]), hour=hour, minute=59 if hour else 0)
        end = completed(job)
        store.jobs.close_billing(end, 1, cost=cost_record(end, at), notifications=[], model=None)
    found = [one.billing_period for one in store.costs.between(OWNER, "2026-11-20", "2026-11-21")]
    assert found == ["2026-11-20", "2026-11-21"]
    assert list(store.costs.between(STRANGER, "2026-11-01", "2026-11-30")) == []


def _id_made_at(minutes: int) -> str:
    from brightrun.core.ids import time_ordered_id

    return time_ordered_id(START + timedelta(minutes=minutes))


def at_once(*attempts: Callable[[], None]) -> list[bool]:
    """Run all at the same time; True for each that met no conflict."""
    barrier = Barrier(len(attempts))

    def attempt(write: Callable[[], None]) -> bool:
        barrier.wait()
        try:
            write()
        except (VersionConflictError, DuplicateKeyError):
            return False
        return True

    with ThreadPoolExecutor(len(attempts)) as threads:
        return list(threads.map(attempt, attempts))


def test_of_a_cancellation_and_a_start_at_once_exactly_one_lands(store: Store) -> None:
    job = create(store, a_training_job())
    landed = at_once(
        lambda: store.jobs.replace(starting(job, LATER), 1),
        lambda: close_billing(
            store,
            ended(job, LATER, "cancelled", final_cost=0.0, billed_seconds=0),
            1,
            with_model=False,
        ),
    )
    assert sorted(landed) == [False, True]
    stored = store.jobs.job(OWNER, job.job_id)
    assert stored.status == ("initializing" if landed[0] else "cancelled")
    assert store.active_jobs("dataset-1") == (1 if landed[0] else 0)


def test_of_two_concurrent_closings_exactly_one_succeeds(store: Store) -> None:
    job = create(store, a_training_job())
    failed = ended(starting(job, START), LATER, "failed", final_cost=1.0, billed_seconds=600)
    landed = at_once(
        lambda: close_billing(store, completed(job), 1),
        lambda: close_billing(store, failed, 1, with_model=False),
    )
    assert sorted(landed) == [False, True]
    stored = store.jobs.job(OWNER, job.job_id)
    (cost,) = store.costs.of_job(stored)
    assert cost.amount == stored.final_cost
    assert store.active_jobs("dataset-1") == 0


def test_of_two_creations_of_one_job_at_once_exactly_one_lands(store: Store) -> None:
    job = a_training_job()
    assert sorted(at_once(lambda: _make(store, job), lambda: _make(store, job))) == [False, True]
    assert store.active_jobs("dataset-1") == 1


def _make(store: Store, job: TrainingJob) -> None:
    create(store, job)


def test_ten_jobs_at_once_are_all_counted(store: Store) -> None:
    jobs = [a_training_job(f"job-{number}") for number in range(10)]
    assert all(at_once(*(lambda job=job: _make(store, job) for job in jobs)))
    assert store.active_jobs("dataset-1") == 10


def test_closing_the_bill_of_a_job_without_its_dataset_is_an_error(aws: Aws) -> None:
    store = in_dynamodb(aws)
    store.add_dataset(a_dataset())
    job = create(store, a_training_job())
    key = to_wire({"owner_id": OWNER, "dataset_id": "dataset-1"})
    aws.dynamodb.delete_item(TableName="DatasetsTable", Key=key)
    with pytest.raises(StorageError, match="dataset is gone"):
        close_billing(store, completed(job), 1)
    assert not store.jobs.job(OWNER, job.job_id).settled


def test_a_filtered_page_reads_only_so_much_and_its_cursor_leads_to_the_rest(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brightrun.aws.dynamodb._FILTERED_READ", 2)
    monkeypatch.setattr("brightrun.training.repository._READS", 1)
    store = in_dynamodb(aws)
    store.add_dataset(a_dataset())
    for number in range(5):
        create(store, a_training_job(f"job-{number}"))
    store.jobs.replace(starting(store.jobs.job(OWNER, "job-0"), START), 1)
    found: list[str] = []
    pages, cursor = 0, None
    while pages == 0 or cursor is not None:
        page = store.jobs.jobs(OWNER, status="initializing", limit=10, cursor=cursor)
        found += [job.job_id for job in page.records]
        pages, cursor = pages + 1, page.next_cursor
    assert (found, pages) == (["job-0"], 3)


def test_open_jobs_are_those_of_all_owners_whose_bill_is_not_closed(store: Store) -> None:
    store.add_dataset(a_dataset(owner=STRANGER))
    first, others = create(store, a_training_job()), create(store, a_training_job(owner=STRANGER))
    closed = create(store, a_training_job())
    close_billing(store, completed(closed), closed.version)
    open_ids = sorted(job.job_id for job in store.jobs.open_jobs())
    assert open_ids == sorted([first.job_id, others.job_id])


def test_a_job_stays_open_through_its_changes_until_its_bill_is_closed(store: Store) -> None:
    job = create(store, a_training_job())
    store.jobs.replace(starting(job, START), 1)
    stopping = cancelled(store.jobs.job(OWNER, job.job_id), START)
    store.jobs.replace(stopping, 2)
    assert [one.status for one in store.jobs.open_jobs()] == ["cancelled"]
    close_billing(store, completed(job), 3)
    assert list(store.jobs.open_jobs()) == []


def test_finding_open_jobs_reads_no_more_after_many_have_ended(aws: Aws) -> None:
    store = in_dynamodb(aws)
    store.add_dataset(a_dataset())
    create(store, a_training_job())
    for _ in range(20):
        job = create(store, a_training_job())
        close_billing(store, completed(job), job.version)
    read: list[tuple[str, int]] = []

    def note(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        read.append((model.name, parsed.get("ScannedCount", 1)))

    aws.dynamodb.meta.events.register("after-call.dynamodb", note)
    assert len(list(store.jobs.open_jobs())) == 1
    assert read == [("Query", 1), ("GetItem", 1)]


def test_a_job_of_an_earlier_version_is_entered_by_its_next_write_or_by_the_migration(
    aws: Aws,
) -> None:
    store = in_dynamodb(aws)
    store.add_dataset(a_dataset())
    written, left, finished = (create(store, a_training_job()) for _ in range(3))
    close_billing(store, completed(finished), 1)
    for job in (written, left):
        _as_before_the_index(aws, job)
    assert list(store.jobs.open_jobs()) == []
    store.jobs.replace(starting(written, START), 1)
    assert [job.job_id for job in store.jobs.open_jobs()] == [written.job_id]
    assert mark_open_jobs("TrainingJobsTable", aws.dynamodb) == 1
    assert mark_open_jobs("TrainingJobsTable", aws.dynamodb) == 0
    assert {job.job_id for job in store.jobs.open_jobs()} == {written.job_id, left.job_id}
    close_billing(store, completed(left), 1)
    assert [job.job_id for job in store.jobs.open_jobs()] == [written.job_id]


def _as_before_the_index(aws: Aws, job: TrainingJob) -> None:
    aws.dynamodb.update_item(
        TableName="TrainingJobsTable",
        Key=to_wire({"owner_id": job.owner_id, "job_id": job.job_id}),
        UpdateExpression="REMOVE open_bill",
    )
