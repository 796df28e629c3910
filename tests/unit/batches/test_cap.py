"""What a conversation can cost at the most, and what is done at the cap of a batch."""

from __future__ import annotations

import dataclasses
import json
from datetime import date

import pytest

from brightrun.batches.cap import ADDED_BYTES, affordable_room, bounded, capped
from brightrun.batches.model import BatchJob, ItemStatus, JobStatus
from brightrun.claude.registry import most_micro_usd, most_output_tokens, recorded_model
from brightrun.conversations.model import RAW_CONVERSATION_SCHEMA
from brightrun.core.errors import ActionNotAllowedError, InvalidInputError
from tests import builders as build
from tests.builders import OWNER
from tests.unit.batches.worker_setup import World

DAY = date(2026, 11, 30)
SONNET = recorded_model("claude-sonnet-5-5")
BOUND = most_micro_usd(SONNET, 10_000, DAY)
PAID = 2000 * 2 + 1500 * 10
"""What an answer of the scripted Claude costs."""


def world_of(*script: object, items: int, conversations: float) -> tuple[World, BatchJob]:
    """A job whose cap pays for so many conversations at their most."""
    world = World.scripted(script)  # type: ignore[arg-type]
    cap = round(conversations * BOUND)
    job = world.job(
        items, max_cost_micro_usd=cap, item_bound_micro_usd=BOUND, calls_per_worker=items
    )
    return world, job


def test_the_bound_of_a_call_is_all_its_output_and_a_token_for_every_byte() -> None:
    # Claude Sonnet 5.5: $2.50 a million to write a prompt into the cache, $10 for output.
    assert most_micro_usd(SONNET, 10_000, DAY) == 10_000 * 2.5 + 24_576 * 10


def test_a_long_prompt_is_bounded_by_the_price_of_long_prompts() -> None:
    haiku = recorded_model("claude-haiku-5-5")
    # A quarter more to write it into the cache, as for short ones.
    assert most_micro_usd(haiku, 200_000, DAY) == 200_000 * 0.5 * 1.25 + 24_576 * 2.5


def test_an_economy_job_whose_start_is_kept_for_an_hour_reserves_the_price_of_that() -> None:
    job = build.a_job(build.a_plan(1), lane="economy", total_items=1_000)
    short = bounded(dataclasses.replace(job, shared_characters=900), 18_000, DAY)
    long = bounded(dataclasses.replace(job, shared_characters=9_000), 18_000, DAY)
    assert short.item_bound_micro_usd == (22_000 * 2.5 + 24_576 * 10) / 2
    assert long.item_bound_micro_usd == (22_000 * 4 + 24_576 * 10) / 2
    room = affordable_room(18_000, long, long.item_bound_micro_usd, DAY)
    assert room == 24_576


def test_the_output_that_an_amount_pays_for_costs_no_more_than_it() -> None:
    assert most_output_tokens(SONNET, 10_000, BOUND, DAY) == 24_576
    assert most_output_tokens(SONNET, 10_000, 10, DAY) == 0


def test_the_allowance_holds_the_schema() -> None:
    assert len(json.dumps(RAW_CONVERSATION_SCHEMA)) < ADDED_BYTES / 2


def test_a_job_that_may_change_lanes_is_bounded_at_the_realtime_price() -> None:
    realtime = build.a_job(build.a_plan(1))
    economy = dataclasses.replace(realtime, lane="economy")
    mixed = dataclasses.replace(economy, switch_at="2026-11-30T18:00:00.000Z")
    most = [bounded(job, 6_000, DAY).item_bound_micro_usd for job in (realtime, economy, mixed)]
    assert most[1] == most[0] // 2
    assert most[2] == most[0]


def test_a_cap_below_one_conversation_at_its_most_is_refused() -> None:
    job = bounded(build.a_job(build.a_plan(1)), 6_000, DAY)
    with pytest.raises(InvalidInputError, match=r"may cost up to \$0.28 .*allow at least that"):
        capped(job, 0.27)
    assert capped(job, 0.28).max_cost_micro_usd == 280_000


def test_a_worker_has_no_more_calls_in_flight_than_the_cap_pays_for() -> None:
    world, job = world_of(items=6, conversations=2)
    world.run_worker(job)
    assert world.claude.most_at_once <= 2
    assert world.now(job).cost_micro_usd <= 2 * BOUND


def test_a_batch_ends_at_its_cap_as_completed_with_a_remainder() -> None:
    world, job = world_of(items=6, conversations=1.1)
    world.run_worker(job)
    assert world.finish(job).status == "finished"
    ended = world.now(job)
    assert (ended.status, ended.has_remainder) == (JobStatus.COMPLETED, True)
    assert ended.successful_items + ended.cancelled_items == 6
    assert ended.cost_micro_usd == ended.committed_micro_usd == ended.successful_items * PAID
    assert ended.committed_micro_usd + BOUND > 1.1 * BOUND
    assert any("cap pays for no further item" in line for line in world.log(job))


def test_a_batch_that_ended_at_its_cap_is_raised_resumed_and_finished() -> None:
    world, job = world_of(items=6, conversations=1.1)
    world.run_worker(job)
    world.finish(job)
    with pytest.raises(ActionNotAllowedError, match="resume with a higher max_cost_usd"):
        world.controls().resume(OWNER, job.job_id)
    resumed = world.controls().resume(OWNER, job.job_id, max_cost_usd=5 * BOUND / 1e6)
    assert resumed.status is JobStatus.PROCESSING
    world.run_worker(resumed)
    world.finish(resumed)
    assert world.statuses(job) == [ItemStatus.COMPLETED] * 6
    assert world.claude.calls == 6


def test_a_batch_waits_for_what_a_dead_worker_has_reserved() -> None:
    world, job = world_of(items=3, conversations=1)
    items = world.batches.next_items(OWNER, job.job_id, 1)
    lease, lines = build.a_lease(at=world.clock.now), build.lines_for(items)
    world.batches.claim(items, lease, lines, world.clock.now, job.cap)
    assert world.run_worker(job).status == "drained"
    result = world.finish(job)
    assert (result.status, result.wait_seconds) == ("unfinished", 60)
    assert world.now(job).cancelled_items == 0


def test_an_answer_is_mended_for_what_is_left_of_its_reservation() -> None:
    world, job = world_of(build.a_completion("no json"), items=1, conversations=1)
    world.run_worker(job)
    assert world.statuses(job) == [ItemStatus.COMPLETED]
    room = world.claude.prompts[1].max_output_tokens
    assert 20_000 < room < 24_576
    assert world.now(job).committed_micro_usd == 2 * PAID


def test_an_answer_that_used_up_its_reservation_is_not_mended() -> None:
    cut = build.a_completion("{", stop_reason="max_tokens", output_tokens=24_576)
    world, job = world_of(cut, items=1, conversations=1)
    world.run_worker(job)
    assert world.claude.calls == 1
    assert world.statuses(job) == [ItemStatus.FAILED]


def test_a_batch_without_a_cap_reserves_nothing() -> None:
    world = World()
    job = world.job(3)
    world.run_worker(job)
    assert world.now(job).committed_micro_usd == 0
    assert world.now(job).reserved_micro_usd == 0
    assert dataclasses.replace(job).affordable_items == 3
