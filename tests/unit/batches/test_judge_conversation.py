"""A worker on a job of judgements: advice on the row, each paid once, nothing else touched."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from brightrun.batches.claim_repository import Outcome
from brightrun.batches.create_batch import JobStarter
from brightrun.batches.judgements import JudgementRequest, JudgementService
from brightrun.batches.model import BatchJob, ItemStatus, JobStatus
from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.quality.judgement import current_rubric
from brightrun.core.errors import ClaudeCallError, LeaseLostError
from tests.builders import OWNER, a_conversation, a_judgement
from tests.fakes.conversations import a_record
from tests.fakes.outside import InMemoryKeys
from tests.unit.batches.worker_setup import World

IDS = ("conversation-1", "conversation-2")
BUSY = ClaudeCallError("rate_limit", "Busy.", retryable=True, overloaded=True, retry_after_s=30)


def a_world(*script: Any, **changes: Any) -> World:
    world = World.playing(script or [a_judgement() for _ in IDS])
    for one in IDS:
        record = a_record(one, batch_job_id="", quality_score=4.5, **changes)
        world.conversations.add(record)
        world.files.put(record.file_path, json.dumps(a_conversation()), content_type="")
    return world


def desk(world: World) -> JudgementService:
    starter = JobStarter(world.batches, world.logs, InMemoryKeys(), world.workflow)
    return JudgementService(world.conversations, starter, world.clock)


def ordered(world: World, *ids: str) -> BatchJob:
    job = desk(world).order(OWNER, JudgementRequest(ids or IDS), None).job
    assert job is not None
    return job


def row(world: World, number: int = 0) -> ConversationRecord:
    return world.conversations.conversation(OWNER, IDS[number])


def test_a_judgement_stands_beside_the_score_and_changes_nothing_else() -> None:
    world = a_world(status="approved")
    before, job = row(world), ordered(world)
    world.turn(job)
    after = row(world)
    assert after.judgement is not None
    assert dataclasses.replace(after, judgement=None, version=before.version) == before
    assert after.judgement["score"] == 4.0
    assert after.judgement["rubric_version"] == current_rubric().version
    assert after.judgement["model"] == "claude-opus-5-5" != after.model
    assert set(after.judgement["criteria"]) == {one.key for one in current_rubric().criteria}
    assert after.judgement["cost_micro_usd"] > 0


def test_its_cost_is_the_jobs_and_the_logs_under_its_own_kind() -> None:
    world = a_world()
    job = ordered(world)
    world.turn(job)
    entries = list(world.records.entries.values())
    assert {entry.kind for entry in entries} == {"judgement"}
    assert {entry.conversation_id for entry in entries} == set(IDS)
    assert world.now(job).cost_micro_usd == sum(entry.cost_micro_usd for entry in entries) > 0
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2
    assert [item.conversation_id for item in world.items(job)] == list(IDS)
    assert world.finish(job).status == "finished"
    assert world.now(job).status is JobStatus.COMPLETED


def test_what_was_judged_by_this_rubric_is_not_paid_for_again() -> None:
    world = a_world()
    world.turn(ordered(world))
    again = desk(world).order(OWNER, JudgementRequest(IDS), None)
    assert (again.job, list(again.already_judged)) == (None, list(IDS))
    assert world.claude.calls == 2


def test_two_jobs_for_one_conversation_pay_once_when_they_follow_each_other() -> None:
    world = a_world()
    first, second = ordered(world), ordered(world)
    world.turn(first)
    world.turn(second)
    assert world.claude.calls == 2
    assert world.now(second).successful_items == 2
    assert world.now(second).cost_micro_usd == 0


def test_an_older_rubric_is_no_reason_to_skip() -> None:
    world = a_world(judgement={"rubric_version": "0.9.0", "job_id": "long-ago"})
    assert ordered(world).total_items == 2


def test_an_answer_that_fits_no_rubric_fails_its_item_and_not_the_conversation() -> None:
    world = a_world(a_judgement(score=9), a_judgement())
    before, job = row(world), ordered(world)
    world.turn(job)
    assert row(world) == before
    failed, done = world.items(job)
    assert (failed.status, failed.error_code) == (ItemStatus.FAILED, "unusable_judgement")
    assert done.status is ItemStatus.COMPLETED
    assert world.now(job).cost_micro_usd > row(world, 1).judgement["cost_micro_usd"]  # type: ignore[index]


def test_a_throttled_judge_puts_the_item_back_and_the_workflow_waits() -> None:
    world = a_world(BUSY, BUSY, a_judgement(), a_judgement())
    job = ordered(world)
    result = world.turn(job)
    assert (result.status, result.wait_seconds >= 30) == ("wait", True)
    assert world.statuses(job) == [ItemStatus.QUEUED] * 2
    assert [item.conversation_id for item in world.items(job)] == list(IDS)
    world.clock.advance(600)
    world.turn(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 2


def test_an_answer_that_was_paid_for_is_used_by_the_worker_that_takes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = a_world()
    job = ordered(world, IDS[0])
    complete = world.batches.complete

    def dies(*_: Any) -> None:
        raise LeaseLostError("The worker is gone.")

    monkeypatch.setattr(world.batches, "complete", dies)
    world.turn(job)
    monkeypatch.setattr(world.batches, "complete", complete)
    world.clock.advance(61)
    world.turn(job)
    assert world.claude.calls == 1
    (entry,) = world.records.entries.values()
    assert world.now(job).cost_micro_usd == entry.cost_micro_usd > 0


def test_an_edit_while_the_judge_reads_is_not_judged_by_the_old_text() -> None:
    world = a_world()
    job = ordered(world, IDS[0])
    put = world.files.put

    def edited_meanwhile(key: str, body: str, **rest: Any) -> int:
        now = row(world)
        if key.endswith("judgement.json") and now.version == 1:
            world.conversations.replace(dataclasses.replace(now, file_path="new.json"), 1)
        return put(key, body, **rest)

    world.files.put = edited_meanwhile  # type: ignore[method-assign]
    world.turn(job)
    (item,) = world.items(job)
    assert (item.status, item.error_code) == (ItemStatus.FAILED, "version_conflict")
    assert row(world).judgement is None


def test_a_review_meanwhile_stands() -> None:
    world = a_world()
    job = ordered(world, IDS[0])
    put = world.files.put

    def approved_meanwhile(key: str, body: str, **rest: Any) -> int:
        now = row(world)
        if key.endswith("judgement.json") and now.version == 1:
            world.conversations.replace(dataclasses.replace(now, status="approved"), 1)
        return put(key, body, **rest)

    world.files.put = approved_meanwhile  # type: ignore[method-assign]
    world.turn(job)
    assert row(world).status == "approved"
    assert row(world).judgement is not None


def test_a_conversation_deleted_meanwhile_fails_its_item_only() -> None:
    world = a_world(a_judgement())
    job = ordered(world)
    world.conversations.drop(row(world))
    world.turn(job)
    gone, done = world.items(job)
    assert (gone.status, gone.error_code) == (ItemStatus.FAILED, "not_found")
    assert done.status is ItemStatus.COMPLETED


def test_a_judgement_is_never_concluded_with_a_conversation() -> None:
    """The transaction that ends an item puts whole rows: it would undo others' changes."""
    world = a_world()
    job = ordered(world)
    outcomes: list[Outcome] = []
    complete = world.batches.complete

    def noted(item: Any, outcome: Outcome, now: Any) -> None:
        outcomes.append(outcome)
        complete(item, outcome, now)

    world.batches.complete = noted  # type: ignore[method-assign]
    world.turn(job)
    assert [outcome.conversation for outcome in outcomes] == [None, None]
