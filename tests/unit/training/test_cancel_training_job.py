"""Cancelling training jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from brightrun.core.errors import (
    ConflictError,
    JobEndedError,
    NotFoundError,
    StorageError,
    VersionConflictError,
)
from brightrun.core.timestamps import iso
from brightrun.training.model import TrainingJob
from brightrun.training.notices import job_queued
from brightrun.training.service import TrainingCanceller
from brightrun.training.transitions import starting
from tests.builders import OWNER, START, STRANGER, SteppedClock
from tests.fakes.training_jobs import (
    InMemoryTraining,
    InMemoryTrainingRecords,
    StoppedTraining,
    a_dataset,
    a_training_job,
)


class World:
    """A canceller and everything around it."""

    def __init__(self) -> None:
        self.training = InMemoryTraining(a_dataset())
        self.records = InMemoryTrainingRecords()
        self.sagemaker = StoppedTraining()
        self.clock = SteppedClock(START + timedelta(minutes=5))
        self.canceller = TrainingCanceller(self.training, self.records, self.sagemaker, self.clock)

    def job(self, **changes: Any) -> TrainingJob:
        job = a_training_job(**changes)
        self.training.create(job, job_queued(job, START))
        return job

    def cancel(self, job: TrainingJob) -> TrainingJob:
        return self.canceller.cancel(OWNER, job.job_id)

    def notification_types(self) -> list[str]:
        return [one.type for one in self.training.notifications]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("stage", ["queued", "waiting_for_capacity"])
def test_a_waiting_job_is_cancelled_and_its_bill_closed_at_zero(world: World, stage: Any) -> None:
    job = world.cancel(world.job(stage=stage))
    assert (job.status, job.stage, job.settled) == ("cancelled", "done", True)
    (record,) = world.training.of_job(job)
    assert (record.amount, job.final_cost, job.billed_seconds) == (0.0, 0.0, 0)
    assert world.sagemaker.stopped == []
    assert world.training.active_jobs("dataset-1") == 0
    assert world.notification_types() == ["job_queued", "job_cancelled"]


@pytest.mark.parametrize("status", ["initializing", "running"])
def test_a_job_at_sagemaker_is_cancelled_and_stopped(world: World, status: Any) -> None:
    job = world.cancel(world.job(status=status, started_at=iso(START)))
    assert (job.status, job.stage, job.settled) == ("cancelled", "stopping", False)
    assert world.sagemaker.stopped == [job.external_job_id]
    assert world.training.of_job(job) == []
    assert world.training.active_jobs("dataset-1") == 1
    assert world.notification_types() == ["job_queued", "job_cancelled"]


@pytest.mark.parametrize("status", ["queued", "running"])
def test_cancelling_again_gives_the_same_state_and_no_notification(
    world: World, status: Any
) -> None:
    first = world.cancel(world.job(status=status))
    assert world.cancel(first) == first
    assert world.notification_types() == ["job_queued", "job_cancelled"]
    assert len(world.records.events(OWNER, first.job_id, limit=10, cursor=None).records) == 1


def test_a_stop_that_did_not_reach_sagemaker_is_sent_by_the_next_request(world: World) -> None:
    job = world.job(status="running")
    world.sagemaker.fails_once = True
    with pytest.raises(StorageError):
        world.cancel(job)
    assert world.cancel(job).status == "cancelled"
    assert world.sagemaker.stopped == [job.external_job_id]


@pytest.mark.parametrize("status", ["completed", "failed"])
def test_an_ended_job_cannot_be_cancelled(world: World, status: Any) -> None:
    job = world.job(status=status, settled=True)
    with pytest.raises(JobEndedError, match=f"is {status}") as refusal:
        world.cancel(job)
    assert refusal.value.details["status"] == status
    assert world.notification_types() == ["job_queued"]


def test_a_job_that_starts_during_its_cancellation_is_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.job()
    close_billing = world.training.close_billing

    def after_the_start(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(world.training, "close_billing", close_billing)
        world.training.replace(starting(job, START), 1)
        close_billing(*args, **kwargs)

    monkeypatch.setattr(world.training, "close_billing", after_the_start)
    stopped = world.cancel(job)
    assert (stopped.status, stopped.stage) == ("cancelled", "stopping")
    assert world.sagemaker.stopped == [job.external_job_id]


def test_a_job_that_keeps_changing_is_a_conflict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = world.job(status="running")

    def conflict(*_: Any) -> None:
        raise VersionConflictError("again")

    monkeypatch.setattr(world.training, "replace", conflict)
    with pytest.raises(ConflictError, match="try again"):
        world.cancel(job)


def test_another_owners_job_is_not_there(world: World) -> None:
    job = world.job()
    with pytest.raises(NotFoundError):
        world.canceller.cancel(STRANGER, job.job_id)
