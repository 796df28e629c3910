"""How a conversation is stored: enriched first, its row once, and together with others."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from brightrun.batches.claim_repository import Ended
from brightrun.batches.model import ItemStatus
from brightrun.batches.workflow import WorkerInvocation
from brightrun.core.errors import BrightRunError, StorageError
from tests import builders as build
from tests.builders import OWNER
from tests.unit.batches.worker_setup import PLENTY_S, World


def test_a_row_is_written_enriched() -> None:
    world = World()
    job = world.job(3)
    world.run_worker(job)
    ids = {item.conversation_id for item in world.items(job)}
    assert {record.conversation_id for record in world.enriched} == ids
    assert sorted(world.batches.conversations) == sorted(str(key) for key in ids)
    for record in world.batches.conversations.values():
        assert (record.enrichment_status, record.version) == ("completed", 1)
        assert record.object_keys() <= set(world.files.objects)


def test_an_answer_that_is_no_conversation_is_not_enriched() -> None:
    world = World.scripted([build.a_refusal()])
    world.run_worker(world.job(1))
    assert world.enriched == []


@pytest.mark.parametrize("error", [StorageError("PutObject", "no"), RecursionError("too deep")])
def test_a_conversation_that_cannot_be_enriched_is_stored_all_the_same(error: Exception) -> None:
    def fail(*_: Any) -> Any:
        raise error

    world = World()
    job = world.job(2)
    runner = dataclasses.replace(world.runner(), enrich=fail)
    request = WorkerInvocation(owner_id=OWNER, job_id=job.job_id, worker=0, loop=0)
    assert runner.run(request, lambda: PLENTY_S).status == "drained"
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2
    stored = world.batches.conversations.values()
    assert {record.enrichment_status for record in stored} == {"not_started"}
    assert world.claude.calls == 2


def test_items_that_end_together_are_completed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    job = world.job(12, calls_per_worker=6)
    complete, groups = world.batches.complete, []

    def counted(ended: Sequence[Ended], now: datetime) -> dict[int, BrightRunError]:
        groups.append(len(ended))
        return complete(ended, now)

    monkeypatch.setattr(world.batches, "complete", counted)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 12
    assert sum(groups) == 12


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
