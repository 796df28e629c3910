"""The sweep stops orphaned SageMaker jobs and restarts jobs without an execution."""

from __future__ import annotations

import dataclasses
from typing import Any

import boto3
import pytest

from brightrun.training.model import TrainingJob
from brightrun.training.notices import job_queued
from brightrun.training.sagemaker.gateway import SageMakerTraining
from brightrun.training.workflow.reconcile import Reconciliation, TrainingReconciler
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.fakes import sagemaker_account as sagemaker
from tests.fakes.sagemaker_account import Job, SageMakerAccount
from tests.fakes.training_jobs import (
    InMemoryTraining,
    InMemoryTrainingRecords,
    RecordedTraining,
    a_dataset,
    a_training_job,
)


class Executions(RecordedTraining):
    """Executions of which those in `running` need no restart."""

    def __init__(self) -> None:
        super().__init__()
        self.running: set[str] = set()

    def restart(self, job: TrainingJob) -> int | None:
        if job.job_id in self.running:
            return None
        self.started.append(job.job_id)
        return 2


class World(InMemoryTraining):
    def __init__(self) -> None:
        super().__init__(a_dataset(), a_dataset(owner=STRANGER))
        self.clock, self.records, self.executions = (
            SteppedClock(),
            InMemoryTrainingRecords(),
            Executions(),
        )
        self.client = boto3.client("sagemaker", region_name="us-east-1")
        self.account = SageMakerAccount(self.clock)
        self.account.answer(self.client.meta.events)

    def add(self, **changes: Any) -> TrainingJob:
        job = a_training_job(**changes)
        self.create(job, job_queued(job, self.clock()))
        return job

    def running(self, name: str, job: TrainingJob | None) -> None:
        """A training job that SageMaker works on."""
        environment = {} if job is None else {"BRIGHTRUN_OWNER_ID": job.owner_id}
        if job is not None:
            environment["BRIGHTRUN_JOB_ID"] = job.job_id
        now = self.clock()
        self.account.jobs[name] = Job(
            {"Environment": environment}, [sagemaker.TRAINING], now, since=now
        )

    def reconciler(self) -> TrainingReconciler:
        return TrainingReconciler(
            jobs=self,
            records=self.records,
            training=SageMakerTraining(self.client),
            workflow=self.executions,
            clock=self.clock,
        )


@pytest.fixture
def world() -> World:
    return World()


def test_what_runs_for_its_own_row_is_left_alone(world: World) -> None:
    job = world.add(status="running")
    world.running(job.external_job_id, job)
    world.executions.running.add(job.job_id)
    assert world.reconciler().sweep() == Reconciliation(0, 0)


def test_what_runs_for_a_row_that_has_ended_is_stopped_and_noted(world: World) -> None:
    job = world.add(status="cancelled")
    world.executions.running.add(job.job_id)
    world.running(job.external_job_id, job)
    assert world.reconciler().sweep() == Reconciliation(1, 0)
    assert world.account.stopped == [job.external_job_id]
    (event,) = world.records.events(OWNER, job.job_id, limit=10, cursor=None).records
    assert event.type == "orphan_stopped"


def test_an_attempt_that_its_job_has_replaced_is_stopped(world: World) -> None:
    job = world.add(status="running")
    later = dataclasses.replace(job, external_job_id=f"{job.external_job_id}-r2")
    world.replace(later, job.version)
    world.running(job.external_job_id, job)
    world.running(later.external_job_id, later)
    world.reconciler().sweep()
    assert world.account.stopped == [job.external_job_id]


def test_another_deployments_training_jobs_are_left_alone(world: World) -> None:
    world.running("brightrun-elsewhere", a_training_job("0196b3f0-0000-7000-8000-000000000009"))
    world.running("brightrun-by-hand", None)
    assert world.reconciler().sweep() == Reconciliation(0, 0)
    assert world.account.stopped == []


def test_every_owners_open_jobs_are_restarted(world: World) -> None:
    own, others = world.add(), world.add(owner=STRANGER)
    settled = world.add()
    world._jobs[OWNER, settled.job_id] = dataclasses.replace(settled, settled=True)
    assert world.reconciler().sweep() == Reconciliation(0, 2)
    assert sorted(world.executions.started) == sorted([own.job_id, others.job_id])


def test_a_change_of_one_training_job_touches_no_other(world: World) -> None:
    job, other = world.add(status="cancelled"), world.add()
    world.executions.running.add(job.job_id)
    world.running(job.external_job_id, job)
    assert world.reconciler().changed(job.external_job_id) == Reconciliation(1, 0)
    assert other.job_id not in world.executions.started


def test_a_change_of_an_unknown_sagemaker_job_changes_nothing(world: World) -> None:
    assert world.reconciler().changed("brightrun-gone") == Reconciliation(0, 0)
