"""What happens after a conversation was stored."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from brightrun.batches.model import ItemStatus
from brightrun.batches.workflow import WorkerInvocation
from brightrun.core.errors import StorageError, VersionConflictError
from tests import builders as build
from tests.builders import OWNER
from tests.unit.batches.worker_setup import PLENTY_S, World


def test_after_stored_is_called_once_for_every_conversation() -> None:
    world = World()
    job = world.job(3)
    world.run_worker(job)
    ids = {item.conversation_id for item in world.items(job)}
    assert len(world.stored) == 3
    assert {record.conversation_id for record in world.stored} == ids


def test_after_stored_is_not_called_for_a_failed_item() -> None:
    world = World.scripted([build.a_completion("no json")])
    world.run_worker(world.job(1))
    assert world.stored == []


@pytest.mark.parametrize(
    "error", [StorageError("PutObject", "no"), VersionConflictError("changed meanwhile")]
)
def test_a_failure_of_after_stored_leaves_the_item_completed(error: Exception) -> None:
    def fail(_: Any) -> None:
        raise error

    world = World()
    job = world.job(2)
    runner = dataclasses.replace(world.runner(), after_stored=fail)
    request = WorkerInvocation(owner_id=OWNER, job_id=job.job_id, worker=0, loop=0)
    assert runner.run(request, lambda: PLENTY_S).status == "drained"
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2


def test_a_round_sweeps_a_job_without_open_items_before_it_is_closed() -> None:
    world = World()
    job = world.job(2)
    world.run_worker(job)
    world.finish(job)
    assert [(one.job_id, one.status.value) for one in world.swept] == [(job.job_id, "processing")]


def test_a_round_of_a_job_with_open_items_sweeps_nothing() -> None:
    world = World()
    world.finish(world.job(2))
    assert world.swept == []
