"""Items that break whoever touches them come to an end too, and the batch with them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brightrun.batches.model import MAX_ATTEMPTS, MAX_TAKEOVERS, ItemStatus, JobStatus
from brightrun.core.ids import conversation_id
from tests import builders as build
from tests.unit.batches.worker_setup import World


def test_an_answer_that_no_file_can_hold_fails_its_item_and_no_other() -> None:
    """JSON may escape half a surrogate pair, and UTF-8 has no bytes for it."""
    broken = build.a_conversation()
    broken["turns"][0]["content"] = "Half a \ud83d face."
    world = World.scripted([build.a_completion(json.dumps(broken))])
    job = world.job(3)
    world.run_worker(job)
    assert sorted(world.statuses(job)) == ["completed", "completed", "failed"]
    assert world.finish(job).status == "finished"
    assert world.now(job).status is JobStatus.COMPLETED


def test_an_item_whose_stored_answer_breaks_every_worker_fails_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    job = world.job(2)
    poisoned = conversation_id(world.items(job)[0].item_id)
    put = world.files.put

    def breaks(key: str, body: str, **kwargs: Any) -> int:
        if f"/{poisoned}/" in key and key.endswith("/conversation.json"):
            raise ZeroDivisionError
        return put(key, body, **kwargs)

    monkeypatch.setattr(world.files, "put", breaks)
    for _ in range(2 * MAX_TAKEOVERS):
        world.run_worker(job)
        if world.finish(job).status == "finished":
            break
        world.clock.advance(61)
    bad, good = world.items(job)
    assert (bad.status, bad.error_code) == (ItemStatus.FAILED, "workers_lost")
    assert bad.attempts == MAX_TAKEOVERS + 1
    assert good.status is ItemStatus.COMPLETED
    assert world.now(job).status is JobStatus.COMPLETED
    assert world.claude.calls == 2 < MAX_ATTEMPTS
