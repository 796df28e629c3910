"""What every store of metrics and events promises: the one in memory and the one in DynamoDB."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from brightrun.core.errors import InvalidCursorError, StorageError
from brightrun.training.model import training_event
from brightrun.training.repository import DynamoTrainingRecords, TrainingRecords
from tests.aws import Aws
from tests.builders import OWNER, START, STRANGER
from tests.fakes.training_jobs import InMemoryTrainingRecords, a_point, a_training_job

JOB = a_training_job("job-1")


@pytest.fixture(params=["memory", "dynamodb"])
def records(request: pytest.FixtureRequest) -> TrainingRecords:
    if request.param == "memory":
        return InMemoryTrainingRecords()
    return in_dynamodb(request.getfixturevalue("aws"))


def in_dynamodb(aws: Aws) -> DynamoTrainingRecords:
    return DynamoTrainingRecords(aws.dynamodb, "TrainingMetricsTable", "TrainingEventsTable")


def test_points_come_back_as_they_were_written(records: TrainingRecords) -> None:
    point = a_point(0, epoch=1.0, validation_loss=2.0, gpu_utilization=None)
    records.add_points(JOB, [point])
    (stored,) = records.latest_points(OWNER, "job-1", 100)
    assert stored == point
    assert isinstance(stored.validation_loss, float)


def test_all_points_are_listed_in_their_order_by_pages(records: TrainingRecords) -> None:
    points = [a_point(number) for number in range(120)]
    records.add_points(JOB, points[60:])
    records.add_points(JOB, points[:60])
    first = records.points(OWNER, "job-1", limit=100, cursor=None)
    rest = records.points(OWNER, "job-1", limit=100, cursor=first.next_cursor)
    assert [*first.records, *rest.records] == points
    assert rest.next_cursor is None


def test_the_latest_points_are_the_last_ones_in_their_order(records: TrainingRecords) -> None:
    records.add_points(JOB, [a_point(number) for number in range(30)])
    latest = records.latest_points(OWNER, "job-1", 3)
    assert [point.sequence for point in latest] == [27, 28, 29]


def test_points_written_twice_are_there_once(records: TrainingRecords) -> None:
    points = [a_point(number) for number in range(30)]
    records.add_points(JOB, points)
    records.add_points(JOB, points[10:])
    assert records.latest_points(OWNER, "job-1", 100) == points


def test_no_points_are_no_write(records: TrainingRecords) -> None:
    records.add_points(JOB, [])
    assert records.latest_points(OWNER, "job-1", 100) == []


def test_another_owner_has_no_part_of_it(records: TrainingRecords) -> None:
    records.add_points(JOB, [a_point(0)])
    records.add_event(JOB, training_event(START, "info", "queued", "The job is queued."))
    assert records.points(STRANGER, "job-1", limit=10, cursor=None).records == ()
    assert records.latest_points(STRANGER, "job-1", 10) == []
    assert records.events(STRANGER, "job-1", limit=10, cursor=None).records == ()


def test_events_are_listed_in_their_order_by_pages(records: TrainingRecords) -> None:
    events = [
        training_event(START + timedelta(seconds=n), "info", "step", f"Event {n}", attempt=n)
        for n in range(5)
    ]
    for event in reversed(events):
        records.add_event(JOB, event)
    first = records.events(OWNER, "job-1", limit=3, cursor=None)
    rest = records.events(OWNER, "job-1", limit=3, cursor=first.next_cursor)
    assert [*first.records, *rest.records] == events
    assert rest.next_cursor is None


def test_the_same_event_twice_is_one(records: TrainingRecords) -> None:
    event = training_event(START, "warning", "no_capacity", "No capacity; trying again.")
    records.add_event(JOB, event)
    records.add_event(JOB, event)
    assert records.events(OWNER, "job-1", limit=10, cursor=None).records == (event,)


def test_two_events_of_one_moment_are_both_kept(records: TrainingRecords) -> None:
    records.add_event(JOB, training_event(START, "info", "a", "One."))
    records.add_event(JOB, training_event(START, "info", "b", "Two."))
    assert len(records.events(OWNER, "job-1", limit=10, cursor=None).records) == 2


def test_a_cursor_of_another_job_is_refused(aws: Aws) -> None:
    records = in_dynamodb(aws)
    records.add_points(JOB, [a_point(0), a_point(1)])
    cursor = records.points(OWNER, "job-1", limit=1, cursor=None).next_cursor
    with pytest.raises(InvalidCursorError):
        records.points(OWNER, "job-2", limit=1, cursor=cursor)


def test_points_that_were_not_taken_are_sent_again(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = held_back(aws, monkeypatch, times=2)
    records = in_dynamodb(aws)
    points = [a_point(number) for number in range(30)]
    records.add_points(JOB, points)
    assert len(refused) == 2
    assert records.latest_points(OWNER, "job-1", 100) == points


def test_a_table_that_never_takes_points_is_reported(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_back(aws, monkeypatch, times=1000)
    with pytest.raises(StorageError, match="points"):
        in_dynamodb(aws).add_points(JOB, [a_point(0)])


def held_back(aws: Aws, monkeypatch: pytest.MonkeyPatch, times: int) -> list[Any]:
    """Take none of the next batches, as DynamoDB does when it is out of capacity."""
    refused: list[Any] = []
    call = aws.dynamodb._make_api_call

    def refusing(operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "BatchWriteItem" and len(refused) < times:
            refused.append(arguments["RequestItems"])
            return {"UnprocessedItems": arguments["RequestItems"]}
        return call(operation, arguments)

    monkeypatch.setattr(aws.dynamodb, "_make_api_call", refusing)
    return refused
