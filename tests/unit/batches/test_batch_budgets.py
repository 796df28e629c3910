"""What batches reserve of the budgets, and when they give it back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import pytest

from brightrun.batches.create_batch import BatchRequest, JobStarter
from brightrun.batches.create_judgements import JudgementCreator, JudgementRequest
from brightrun.batches.model import BatchItem, BatchJob, ItemStatus, JobStatus
from brightrun.claude.registry import estimated_cost_usd, ninetieth_percentile, recorded_model
from brightrun.core.budgets import Budget, BudgetExceededError, Limits, month_of
from tests import builders as build
from tests.builders import OWNER, START
from tests.fakes.batches import InMemoryBatches
from tests.fakes.budgets import InMemoryBudgets
from tests.fakes.external_services import InMemoryKeys
from tests.unit.batches import test_judge_conversation as judging
from tests.unit.batches.test_create_batch import ONE, Setup, refused
from tests.unit.batches.worker_setup import World

SONNET = "claude-sonnet-5-5"
MANY = BatchRequest(name="Mine", sets=[ONE] * 40, calls_in_flight=5)


def setup_with(owner_usd: float | None) -> Setup:
    return Setup(batches=InMemoryBatches(InMemoryBudgets(Limits.of_usd(owner_usd, None))))


def mine(batches: InMemoryBatches) -> Budget:
    return batches.budgets.of_month(OWNER, month_of(START))[0]


def test_without_a_budget_a_batch_has_no_cap_and_its_likely_cost_is_reserved() -> None:
    setup = setup_with(None)
    job = setup.create(MANY)
    likely = ninetieth_percentile(estimated_cost_usd(recorded_model(SONNET), 40, START.date()), 40)
    assert job.cap is None
    assert job.budget_reserved_micro_usd == round(likely * 1e6) + 5 * job.item_bound_micro_usd
    assert mine(setup.batches).reserved["writing"] == job.budget_reserved_micro_usd


def test_within_a_budget_a_batch_gets_what_it_reserves_as_its_cap() -> None:
    setup = setup_with(100)
    job = setup.create(MANY)
    assert job.max_cost_micro_usd == job.budget_reserved_micro_usd
    # All its calls may be in flight until nine of ten batches have ended.
    assert job.affordable_items > 5
    one = setup.create()
    assert one.max_cost_micro_usd == one.item_bound_micro_usd


def test_a_cap_that_is_named_is_what_is_reserved() -> None:
    setup = setup_with(100)
    job = setup.create(dataclasses.replace(MANY, max_cost_usd=3.0))
    assert job.max_cost_micro_usd == job.budget_reserved_micro_usd == 3_000_000


def test_what_does_not_fit_is_refused_before_anything_is_stored() -> None:
    setup = setup_with(2)
    error = refused(setup, dataclasses.replace(MANY, max_cost_usd=3.0), BudgetExceededError)
    assert "may cost up to $3.00. Of your budget of $2.00" in error.message
    with pytest.raises(BudgetExceededError):
        setup.create(dataclasses.replace(MANY, max_cost_usd=3.0), "a-key")
    assert setup.create(dataclasses.replace(MANY, max_cost_usd=1.0), "a-key").total_items == 40


def test_a_budget_of_nothing_stops_all_orders() -> None:
    refused(setup_with(0), MANY, BudgetExceededError)


def test_a_batch_gives_back_what_it_did_not_spend_when_its_workflow_ends() -> None:
    world = World()
    job = world.job(2, **holding(5_000_000))
    world.run_worker(job)
    assert mine(world.batches).reserved["writing"] == 5_000_000
    assert world.finish(job).status == "finished"
    ended = world.now(job)
    assert ended.budget_month is None
    assert mine(world.batches).spent["writing"] == ended.paid_micro_usd
    assert mine(world.batches).reserved["writing"] == 0


def test_a_cancelled_batch_holds_its_reservation_until_no_call_is_in_flight() -> None:
    world = World()
    job = world.job(2, **holding(5_000_000))
    items = world.batches.next_items(OWNER, job.job_id, 1)
    (held,) = world.batches.claim(items, build.a_lease(), build.lines_for(items), START)
    world.controls().cancel(OWNER, job.job_id)
    assert world.finish(job).status == "unfinished"
    assert mine(world.batches).reserved["writing"] == 5_000_000
    build.end_item(world.batches, held, build.completed(cost_micro_usd=70), START)
    assert world.finish(job).status == "finished"
    now = mine(world.batches)
    assert (now.spent["writing"], now.reserved["writing"]) == (70, 0)


def failed(world: World) -> BatchJob:
    job = world.job(3, **holding(900_000, max_cost_micro_usd=None))
    items = world.batches.next_items(OWNER, job.job_id, 3)
    for item in world.batches.claim(items, build.a_lease(), build.lines_for(items), START):
        build.end_item(world.batches, item, build.failed(cost_micro_usd=1000), START)
    world.finish(job)
    return world.now(job)


def test_a_retry_reserves_anew_and_is_held_to_it_where_a_budget_is_set() -> None:
    world = World(batches=InMemoryBatches(InMemoryBudgets(Limits.of_usd(10, None))))
    job = failed(world)
    assert (job.status, job.budget_month) == (JobStatus.FAILED, None)
    again, queued = world.controls().retry_failed(OWNER, job.job_id)
    assert queued == 3
    assert again.cap is not None
    assert again.cap.micro_usd - 3000 == again.budget_reserved_micro_usd
    assert again.committed_micro_usd == 3000
    assert mine(world.batches).reserved["writing"] == again.budget_reserved_micro_usd
    assert again.affordable_items >= 2


def test_a_retry_that_the_budget_does_not_pay_for_leaves_the_batch_as_it_was() -> None:
    world = World(batches=InMemoryBatches(InMemoryBudgets(Limits.of_usd(0.95, None))))
    job = failed(world)
    world.batches.create(*a_job_holding(900_000))
    with pytest.raises(BudgetExceededError):
        world.controls().retry_failed(OWNER, job.job_id)
    assert world.now(job) == job


def holding(micro_usd: int, **changes: Any) -> dict[str, Any]:
    return {
        "max_cost_micro_usd": micro_usd,
        "item_bound_micro_usd": 280_000,
        "budget_month": month_of(START),
        "budget_reserved_micro_usd": micro_usd,
        **changes,
    }


def a_job_holding(micro_usd: int) -> tuple[BatchJob, Sequence[BatchItem]]:
    planned = build.a_plan(1, job_id="another-job")
    return build.a_job(planned, **holding(micro_usd)), planned.items


# --- judgements


def judgements(world: World) -> JudgementCreator:
    budgets = world.batches.budgets
    starter = JobStarter(world.batches, world.logs, InMemoryKeys(), world.workflow, budgets)
    return JudgementCreator(world.conversations, starter, world.clock)


def test_judging_is_within_the_budget_of_writing() -> None:
    world = judging.a_world()
    world.batches.budgets = InMemoryBudgets(Limits.of_usd(5, None))
    request = JudgementRequest(tuple(judging.IDS))
    job = judgements(world).create(OWNER, request, None).job
    assert job is not None
    assert job.max_cost_micro_usd == job.budget_reserved_micro_usd > 0
    assert mine(world.batches).reserved["writing"] == job.budget_reserved_micro_usd


def test_a_refused_judgement_job_leaves_its_conversations_free() -> None:
    world = judging.a_world()
    world.batches.budgets = InMemoryBudgets(Limits.of_usd(0, None))
    creator = judgements(world)
    with pytest.raises(BudgetExceededError):
        creator.create(OWNER, JudgementRequest(tuple(judging.IDS)), None)
    keys = creator.starter.keys
    assert isinstance(keys, InMemoryKeys)
    world.batches.budgets = InMemoryBudgets()
    assert judgements(world).create(OWNER, JudgementRequest(tuple(judging.IDS)), None).job


def test_a_conversation_that_is_longer_than_what_is_reserved_is_not_sent() -> None:
    world = judging.a_world()
    world.batches.budgets = InMemoryBudgets(Limits.of_usd(5, None))
    job = judgements(world).create(OWNER, JudgementRequest(tuple(judging.IDS[:1])), None).job
    assert job is not None
    path = world.conversations.conversation(OWNER, judging.IDS[0]).file_path
    longer = build.a_conversation()
    longer["turns"][0]["content"] = "x" * 400_000
    world.files.put(path, json.dumps(longer), content_type="")
    world.run_worker(job)
    (item,) = world.items(job)
    assert (item.status, item.error_code) == (ItemStatus.FAILED, "over_reservation")
    assert world.now(job).cost_micro_usd == 0
