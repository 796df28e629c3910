"""Batches that reuse answers: what was paid for once is not paid for again, and nothing else."""

from __future__ import annotations

import json

import pytest

from brightrun.aws.request_keys import ANSWERS_KEPT_FOR
from brightrun.batches.model import BatchItem, BatchJob, ItemStatus
from brightrun.batches.workflow import WorkerInvocation
from brightrun.core.errors import ClaudeCallError
from tests import builders as build
from tests.builders import STRANGER
from tests.unit.batches.worker_setup import PLENTY_S, World


@pytest.fixture
def world() -> World:
    return World()


def written(world: World, items: int = 3, **changes: object) -> BatchJob:
    """A job of so many items, worked on to its end."""
    world.clock.advance(1)
    job = world.job(items, **changes)
    world.run_worker(job)
    world.finish(job)
    return world.now(job)


def test_the_same_plan_again_makes_no_call(world: World) -> None:
    first = written(world)
    paid = world.claude.calls
    second = written(world, reuse=True)
    assert paid == 3
    assert world.claude.calls == paid
    assert (second.successful_items, second.reused_items) == (3, 3)
    assert (first.cost_micro_usd > 0, second.cost_micro_usd, second.output_tokens) == (True, 0, 0)
    assert [(item.reused, item.cost_micro_usd) for item in world.items(second)] == [(True, 0)] * 3
    assert [line for line in world.log(second) if "at no cost" in line] == [
        line for line in world.log(second) if line.startswith("✓")
    ]
    assert "3 by earlier answers, at no cost" in second.status_line


def test_nothing_is_reused_unless_the_batch_asks_for_it(world: World) -> None:
    written(world)
    again = written(world)
    assert (world.claude.calls, again.reused_items) == (6, 0)


def test_answers_of_another_owner_are_never_reused(world: World) -> None:
    written(world)
    planned = build.a_plan(3, owner=STRANGER)
    job = build.a_job(planned, owner=STRANGER, reuse=True)
    world.logs.put(job.plan_key, planned.plan.model_dump_json(), content_type="")
    world.batches.create(job, planned.items)
    request = WorkerInvocation(owner_id=STRANGER, job_id=job.job_id, worker=0, loop=0)
    world.runner().run(request, lambda: PLENTY_S)
    assert world.claude.calls == 6
    assert world.batches.job(STRANGER, job.job_id).reused_items == 0


def test_a_reused_answer_is_a_copy_that_outlives_the_first_conversation(world: World) -> None:
    first = written(world, 1)
    second = written(world, 1, reuse=True)
    for key in [key for key in world.files.objects if _conversation(world, first) in key]:
        world.files.remove(key)
    record = world.batches.conversations[_conversation(world, second)]
    assert world.files.get(record.raw_response_path) is not None
    assert record.cost_micro_usd == 0


def test_an_answer_that_was_deleted_with_its_conversation_is_paid_for_again(world: World) -> None:
    first = written(world, 1)
    for key in [key for key in world.files.objects if _conversation(world, first) in key]:
        world.files.remove(key)
    again = written(world, 1, reuse=True)
    assert (world.claude.calls, again.reused_items) == (2, 0)


def test_an_answer_is_found_for_thirty_days(world: World) -> None:
    written(world, 1)
    world.clock.advance(ANSWERS_KEPT_FOR.total_seconds() + 1)
    assert written(world, 1, reuse=True).reused_items == 0


def test_items_that_ask_for_the_same_have_answers_of_their_own() -> None:
    planned = 10
    text = json.dumps(build.a_conversation())
    world = World.scripted([build.a_completion(text + " " * n) for n in range(planned)])
    written(world, planned)
    assert world.claude.calls == planned
    repeated = written(world, planned, reuse=True)
    assert (world.claude.calls, repeated.reused_items) == (planned, planned)
    items = world.items(repeated)
    same: dict[tuple[str, str], list[BatchItem]] = {}
    for item in items:
        same.setdefault((item.persona_id, item.emotional_arc_id), []).append(item)
    (twice,) = [found for found in same.values() if len(found) == 2]
    texts = {raw_text(world, item) for item in twice}
    assert len(texts) == 2


def test_an_answer_that_could_not_be_used_is_not_reused() -> None:
    world = World.scripted([build.a_refusal()])
    failed = written(world, 1)
    assert world.statuses(failed) == [ItemStatus.FAILED]
    assert written(world, 1, reuse=True).reused_items == 0


def test_a_mended_answer_is_reused_for_the_request_that_it_answered() -> None:
    world = World.scripted([build.a_completion("{")])
    written(world, 1)
    assert world.claude.calls == 2
    assert written(world, 1, reuse=True).reused_items == 1
    assert world.claude.calls == 2


def test_an_answer_that_cannot_be_remembered_leaves_its_conversation_written(world: World) -> None:
    def unavailable(prompt: object, **_: object) -> str:
        raise ClaudeCallError("authentication", "no key")

    world.claude.fingerprint = unavailable  # type: ignore[method-assign]
    assert written(world, 1).successful_items == 1


def _conversation(world: World, job: BatchJob) -> str:
    (item,) = world.items(job)
    return str(item.conversation_id)


def raw_text(world: World, item: BatchItem) -> str:
    record = world.batches.conversations[str(item.conversation_id)]
    return world.files.objects[record.raw_response_path].text
