"""A function killed after any of its calls to AWS: the job ends as if nothing had happened.

`make test` tries every fourth call, full effort every one of a quiet run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from brightrun.core.ids import time_ordered_id
from brightrun.training.model import TrainingJob
from brightrun.wiring import clients
from tests.aws import empty_tables
from tests.effort import effort
from tests.fakes import sagemaker_account as sagemaker
from tests.fakes.sagemaker_account import CAPACITY, HAPPY
from tests.workflows.running_machine import Killed
from tests.workflows.training_system import TrainingSystem, running_training

pytestmark = pytest.mark.slow

MOST_CALLS = 200
"""Of the functions in one run; a run that ends before its fault comes is the last one."""


class Faults:
    """Lets one call to AWS of each job's functions be carried out, then kills whoever made it."""

    def __init__(self, system: TrainingSystem) -> None:
        self._system, self._thread = system, threading.get_ident()
        self._inside = False
        self._at = self._count = 0
        self.struck = ""
        own = (system.aws.dynamodb, system.aws.s3, clients.sagemaker(), system.stepfunctions)
        for client in own:
            client.meta.events.register("after-call", self._strike)
        self._invoke = system.invoke
        system.invoke = self._watched  # type: ignore[method-assign]

    def aim(self, at: int) -> None:
        """Kill at the n-th call from now on."""
        self._at, self._count, self.struck = at, 0, ""

    def _watched(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        self._inside, self._thread = True, threading.get_ident()
        try:
            return self._invoke(name, event)
        finally:
            self._inside = False

    def _strike(self, model: Any, **_: Any) -> None:
        own = self._inside and self._thread == threading.get_ident()
        if own and not self._system.account.busy:
            self._count += 1
            if self._count == self._at:
                self.struck = model.name
                raise Killed


def quietly(_: TrainingSystem) -> None:
    """Nothing else goes wrong."""


def without_room_at_first(system: TrainingSystem) -> None:
    system.account.refusals = [("ResourceLimitExceeded", "no quota")]
    system.account.scripts = [([sagemaker.PENDING, sagemaker.FAILED], CAPACITY), (HAPPY, None)]


def cancelled_while_training(system: TrainingSystem) -> None:
    def cancel(name: str, event: dict[str, Any], _: int) -> None:
        job = system.jobs.job(event["ownerId"], event["jobId"])
        if name == "watch-training" and job.status == "running":
            system.cancel(job)

    system.disturb = cancel


@pytest.mark.parametrize(
    ("prepare", "status", "attempts", "every"),
    [
        (quietly, "completed", 1, effort(4, 1)),
        (without_room_at_first, "completed", 2, 4),
        (cancelled_while_training, "cancelled", 1, 4),
    ],
)
def test_a_function_killed_after_any_call_changes_nothing_about_the_end(
    prepare: Callable[[TrainingSystem], None], status: str, attempts: int, every: int
) -> None:
    struck: set[str] = set()
    with running_training() as system:
        faults = Faults(system)
        for at in range(1, MOST_CALLS, every):
            empty_tables()  # moto copies the tables that a transaction touches
            prepare(system)
            faults.aim(at)
            job = system.create_job(
                dataset_id=f"dataset-{at}", job_id=time_ordered_id(system.clock())
            )
            assert system.ended(job.job_id) == "SUCCEEDED", (at, faults.struck)
            check(system, job, status, attempts)
            if not faults.struck:
                break
            struck.add(faults.struck)
    assert not faults.struck, "more calls than expected"
    assert struck >= {"GetItem", "TransactWriteItems"}


def check(system: TrainingSystem, job: TrainingJob, status: str, attempts: int) -> None:
    after = system.now(job)
    assert (after.status, after.settled) == (status, True)
    own = [name for name in system.account.created if name.startswith(job.external_job_id)]
    assert len(own) == attempts
    assert system.bills(job) == [after.final_cost]
    assert system.active_jobs(job) == 0
    types = system.notification_types(job)
    assert len(types) == len(set(types))
    assert ("artifact_ready" in types) is (status == "completed")
    if status == "completed":
        assert system.model(job).job_id == job.job_id
    types = [event.type for event in system.events(job)]
    assert types.count("closed") == 1
