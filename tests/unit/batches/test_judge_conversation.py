"""A worker on a judgement job: each judgement is requested once and changes nothing else."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from brightrun.batches.ask_claude import MAX_REQUEST_BYTES
from brightrun.batches.claim_repository import Ended, Outcome
from brightrun.batches.create_batch import JobStarter
from brightrun.batches.create_judgements import JudgementCreator, JudgementRequest
from brightrun.batches.model import BatchJob, ItemStatus, JobAction, JobStatus
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.quality.judgement import current_rubric
from brightrun.core.errors import (
    BeingJudgedError,
    BrightRunError,
    ClaudeCallError,
    IdempotencyKeyReusedError,
    LeaseLostError,
)
from tests.builders import OWNER, a_conversation, a_judgement, a_lease, a_line, lines_for
from tests.fakes.conversations import a_record
from tests.fakes.external_services import InMemoryKeys
from tests.unit.batches.worker_setup import World

IDS = ("conversation-1", "conversation-2")
BUSY = ClaudeCallError("rate_limit", "Busy.", retryable=True, overloaded=True, retry_after_s=30)


def a_world(*script: Any, **changes: Any) -> World:
    world = World.scripted(script or [a_judgement() for _ in IDS])
    for one in IDS:
        record = a_record(one, batch_job_id="", quality_score=4.5, **changes)
        world.conversations.add(record)
        world.files.put(record.file_path, json.dumps(a_conversation()), content_type="")
    return world


def creator(world: World) -> JudgementCreator:
    starter = JobStarter(
        world.batches, world.logs, InMemoryKeys(), world.workflow, world.batches.budgets
    )
    return JudgementCreator(world.conversations, starter, world.clock)


def created(world: World, *ids: str) -> BatchJob:
    job = creator(world).create(OWNER, JudgementRequest(ids or IDS), None).job
    assert job is not None
    return job


def row(world: World, number: int = 0) -> ConversationRecord:
    return world.conversations.conversation(OWNER, IDS[number])


def test_a_judgement_is_stored_beside_the_score_and_changes_nothing_else() -> None:
    world = a_world(status="approved")
    before, job = row(world), created(world)
    world.run_worker(job)
    after = row(world)
    assert after.judgement is not None
    assert dataclasses.replace(after, judgement=None, version=before.version) == before
    assert after.judgement["score"] == 4.0
    assert after.judgement["rubric_version"] == current_rubric().version
    assert after.judgement["model"] == "claude-opus-5-5" != after.model
    assert set(after.judgement["criteria"]) == {one.key for one in current_rubric().criteria}
    assert after.judgement["cost_micro_usd"] > 0


def test_its_cost_is_counted_on_the_job_and_logged_as_a_judgement() -> None:
    world = a_world()
    job = created(world)
    world.run_worker(job)
    entries = list(world.records.entries.values())
    assert {entry.kind for entry in entries} == {"judgement"}
    assert {entry.conversation_id for entry in entries} == set(IDS)
    assert world.now(job).cost_micro_usd == sum(entry.cost_micro_usd for entry in entries) > 0
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2
    assert [item.conversation_id for item in world.items(job)] == list(IDS)
    assert world.finish(job).status == "finished"
    assert world.now(job).status is JobStatus.COMPLETED


def test_a_conversation_judged_by_this_rubric_is_not_judged_again() -> None:
    world = a_world()
    world.run_worker(created(world))
    again = creator(world).create(OWNER, JudgementRequest(IDS), None)
    assert (again.job, list(again.already_judged)) == (None, list(IDS))
    assert world.claude.calls == 2


def test_a_repeated_order_finds_its_job_after_everything_was_judged() -> None:
    world = a_world()
    service = creator(world)
    first = service.create(OWNER, JudgementRequest(IDS), "key-1")
    assert first.job is not None
    world.run_worker(first.job)
    again = service.create(OWNER, JudgementRequest(IDS), "key-1")
    assert again.job is not None
    assert again.job.job_id == first.job.job_id
    assert (again.already_judged, again.estimated_cost) == ([], first.estimated_cost)
    with pytest.raises(IdempotencyKeyReusedError):
        service.create(OWNER, JudgementRequest(IDS[:1]), "key-1")
    assert world.claude.calls == 2


def test_a_cancelled_job_holds_its_conversations_until_its_calls_have_ended() -> None:
    world = a_world()
    service = creator(world)
    first = service.create(OWNER, JudgementRequest(IDS), None).job
    assert first is not None
    world.batches.apply(OWNER, first.job_id, JobAction.BEGIN, world.clock.now, a_line())
    items = list(world.batches.open_items(OWNER, first.job_id))
    lease = a_lease("worker-a", at=world.clock.now)
    (held, _) = world.batches.claim(items, lease, lines_for(items), world.clock.now)
    world.controls().cancel(OWNER, first.job_id)
    with pytest.raises(BeingJudgedError):
        service.create(OWNER, JudgementRequest((str(held.conversation_id),)), None)


def test_two_jobs_for_one_conversation_call_claude_once_when_they_run_in_turn() -> None:
    world = a_world()
    first, second = created(world), created(world)
    world.run_worker(first)
    world.run_worker(second)
    assert world.claude.calls == 2
    assert world.now(second).successful_items == 2
    assert world.now(second).cost_micro_usd == 0


def test_a_conversation_judged_by_an_older_rubric_is_judged_again() -> None:
    world = a_world(judgement={"rubric_version": "0.9.0", "job_id": "long-ago"})
    assert created(world).total_items == 2


def test_an_answer_that_does_not_fit_the_rubric_fails_only_its_item() -> None:
    world = a_world(a_judgement(score=9), a_judgement())
    before, job = row(world), created(world)
    world.run_worker(job)
    assert row(world) == before
    failed, done = world.items(job)
    assert (failed.status, failed.error_code) == (ItemStatus.FAILED, "unusable_judgement")
    assert done.status is ItemStatus.COMPLETED
    assert world.now(job).cost_micro_usd > row(world, 1).judgement["cost_micro_usd"]  # type: ignore[index]


def test_a_reason_that_no_row_can_hold_fails_only_its_item() -> None:
    """JSON may escape half a surrogate pair, and UTF-8 has no bytes for it."""
    answer = json.loads(a_judgement().text)
    next(iter(answer.values()))["reason"] = "Half a \ud83d face."
    world = a_world(dataclasses.replace(a_judgement(), text=json.dumps(answer)), a_judgement())
    job = created(world)
    world.run_worker(job)
    assert sorted(world.statuses(job)) == ["completed", "failed"]
    assert world.items(job)[0].error_code == "unusable_judgement"


def test_the_log_entry_of_a_prompt_that_no_row_can_hold_has_its_beginning() -> None:
    world = a_world()
    record = row(world)
    long = a_conversation()
    signs = [chr(0x4E00 + number**3 % 20_479) for number in range(400_000)]
    long["turns"][0]["content"] = "".join(signs)
    world.files.put(record.file_path, json.dumps(long), content_type="")
    job = created(world)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2
    requests = [entry.request or b"" for entry in world.records.entries.values()]
    assert all(len(request) <= MAX_REQUEST_BYTES for request in requests)
    logged = max((json.loads(zlib.decompress(request))["user"] for request in requests), key=len)
    assert "".join(signs[:1000]) in logged


def test_a_throttled_judge_requeues_the_item_and_the_workflow_waits() -> None:
    world = a_world(BUSY, BUSY, a_judgement(), a_judgement())
    job = created(world)
    result = world.run_worker(job)
    assert (result.status, result.wait_seconds >= 30) == ("wait", True)
    assert world.statuses(job) == [ItemStatus.QUEUED] * 2
    assert [item.conversation_id for item in world.items(job)] == list(IDS)
    world.clock.advance(600)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2


def test_a_stored_completion_is_used_by_the_next_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = a_world()
    job = created(world, IDS[0])
    complete = world.batches.complete

    def dies(*_: Any) -> None:
        raise LeaseLostError("The worker is gone.")

    monkeypatch.setattr(world.batches, "complete", dies)
    world.run_worker(job)
    monkeypatch.setattr(world.batches, "complete", complete)
    world.clock.advance(61)
    world.run_worker(job)
    assert world.claude.calls == 1
    (entry,) = world.records.entries.values()
    assert world.now(job).cost_micro_usd == entry.cost_micro_usd > 0


def test_an_edit_during_the_call_is_not_judged_by_the_old_text() -> None:
    world = a_world()
    job = created(world, IDS[0])
    put = world.files.put

    def edited_meanwhile(key: str, body: str, **rest: Any) -> int:
        now = row(world)
        if key.endswith("judgement.json") and now.version == 1:
            world.conversations.replace(dataclasses.replace(now, file_path="new.json"), 1)
        return put(key, body, **rest)

    world.files.put = edited_meanwhile  # type: ignore[method-assign]
    world.run_worker(job)
    (item,) = world.items(job)
    assert (item.status, item.error_code) == (ItemStatus.FAILED, "version_conflict")
    assert row(world).judgement is None


def test_a_review_during_the_call_is_kept() -> None:
    world = a_world()
    job = created(world, IDS[0])
    put = world.files.put

    def approved_meanwhile(key: str, body: str, **rest: Any) -> int:
        now = row(world)
        if key.endswith("judgement.json") and now.version == 1:
            world.conversations.replace(dataclasses.replace(now, status="approved"), 1)
        return put(key, body, **rest)

    world.files.put = approved_meanwhile  # type: ignore[method-assign]
    world.run_worker(job)
    assert row(world).status == "approved"
    assert row(world).judgement is not None


def test_a_deleted_conversation_fails_only_its_item() -> None:
    world = a_world(a_judgement())
    job = created(world)
    world.conversations.drop(row(world))
    world.run_worker(job)
    gone, done = world.items(job)
    assert (gone.status, gone.error_code) == (ItemStatus.FAILED, "not_found")
    assert done.status is ItemStatus.COMPLETED


def test_a_judgement_is_never_completed_with_a_conversation() -> None:
    """Completing an item stores whole records, which would undo concurrent changes."""
    world = a_world()
    job = created(world)
    outcomes: list[Outcome] = []
    complete = world.batches.complete

    def noted(ended: Sequence[Ended], now: Any) -> dict[int, BrightRunError]:
        outcomes.extend(outcome for _, outcome in ended)
        return complete(ended, now)

    world.batches.complete = noted  # type: ignore[method-assign]
    world.run_worker(job)
    assert [outcome.conversation for outcome in outcomes] == [None, None]
