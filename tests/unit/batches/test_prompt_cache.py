"""What prompts share is found, marked where it pays, and left where it does not."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brightrun.batches import prompt_cache
from brightrun.batches.model import BatchJob, Lane
from brightrun.batches.prompt_cache import (
    LEAST_ITEMS,
    PILOT_CALLS,
    SCHEMA_CHARACTERS,
    CacheUse,
    PrefixCache,
    SharedStarts,
    cache_notice,
    shared_tokens,
)
from brightrun.claude.model import Completion, Prompt
from brightrun.conversations.model import RAW_CONVERSATION_SCHEMA
from brightrun.conversations.quality.judgement import current_rubric
from brightrun.core.errors import ClaudeCallError
from tests import builders as build
from tests.unit.batches.worker_setup import World

GUIDE = "Write short sentences. Ask before you advise.\n" * 400
"""18,400 characters, about 6,000 tokens."""
LONG = 18_400
WRITE = build.a_completion(marked=True, input_tokens=1_000, cache_write_tokens=6_000)
READ = build.a_completion(marked=True, input_tokens=1_000, cache_read_tokens=6_000)
NEITHER = build.a_completion(marked=True, input_tokens=7_000)
BUSY = ClaudeCallError("overloaded", "Claude answered 529.", retryable=True, overloaded=True)


def a_job(items: int = 100, **changes: Any) -> BatchJob:
    job = build.a_job(build.a_plan(1), concurrent_processing=1)
    return replace(job, **{"total_items": items, "shared_characters": LONG, **changes})


def starts_of(*texts: str) -> int:
    starts = SharedStarts()
    for text in texts:
        starts.add("template", text)
    return starts.lengths()["template"]


# What prompts share


def test_prompts_share_their_whole_lines_up_to_the_first_difference() -> None:
    assert starts_of("Be brief.\nName: Marcus", "Be brief.\nName: Mary") == len("Be brief.\n")
    assert starts_of("Marcus", "Mary") == 0


def test_a_templates_only_prompt_shares_nothing() -> None:
    assert starts_of("Be brief.\nName: Marcus") == 0


@given(st.lists(st.text("ab\n", max_size=12), min_size=2, max_size=5))
def test_no_prompt_differs_within_what_is_shared(texts: list[str]) -> None:
    length = starts_of(*texts)
    assert len({text[:length] for text in texts}) == 1
    common = os.path.commonprefix(texts)
    assert length == common.rfind("\n") + 1


def test_each_template_has_a_start_of_its_own() -> None:
    plan = build.a_plan(9).plan
    own = build.a_plan(9, guide=GUIDE).plan
    assert len(plan.templates) == len(plan.shared_characters) == 3
    assert list(own.shared_characters) == ["own-template"]
    assert own.shared_characters["own-template"] >= LONG
    assert own.most_shared == own.shared_characters["own-template"] + len(
        own.consultant.system_prompt
    )


def test_repetitions_with_their_hints_share_the_start_too() -> None:
    planned = build.a_plan(30, guide=GUIDE)
    prompts = [planned.plan.prompt(item) for item in planned.items]
    assert max(item.variation for item in planned.items) == 3
    assert {prompt.user[: prompt.shared_characters] for prompt in prompts} == {
        prompts[0].user[: prompts[0].shared_characters]
    }


def test_a_plan_of_an_earlier_version_shares_nothing_that_is_known() -> None:
    planned = build.a_plan(2, guide=GUIDE)
    earlier = planned.plan.model_copy(update={"shared_characters": {}})
    assert earlier.prompt(planned.items[0]).shared_characters is None


def test_the_schema_counts_with_what_it_has() -> None:
    characters = len(json.dumps(RAW_CONVERSATION_SCHEMA))
    assert characters == pytest.approx(SCHEMA_CHARACTERS, rel=0.1)
    rubric = len(json.dumps(current_rubric().answer_schema()))
    assert rubric < 1.5 * SCHEMA_CHARACTERS


# Whether it is marked


@pytest.mark.parametrize(
    ("model", "characters", "marked"),
    [
        ("claude-sonnet-5-5", 1_600, False),
        ("claude-sonnet-5-5", 1_700, True),
        ("claude-sonnet-5", 1_700, True),
        ("claude-haiku-4-5-20251001", 10_800, False),
        ("claude-haiku-4-5-20251001", 10_900, True),
    ],
)
def test_a_start_is_marked_from_the_models_minimum_on(
    model: str, characters: int, marked: bool
) -> None:
    cache = PrefixCache(a_job(model=model))
    assert (cache.lifetime(characters) is not None) is marked
    assert cache.lifetime(None) is None


@pytest.mark.parametrize(("lane", "lifetime"), [("realtime", "5m"), ("economy", "1h")])
def test_each_lane_has_its_lifetime_and_its_least_number_of_conversations(
    lane: Lane, lifetime: str
) -> None:
    least = LEAST_ITEMS[lane]
    assert PrefixCache(a_job(least, lane=lane)).lifetime(LONG) == lifetime
    assert PrefixCache(a_job(least - 1, lane=lane)).lifetime(LONG) is None


def test_in_the_economy_lane_an_hour_pays_only_where_enough_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prompt_cache, "EXPECTED_HITS", 0.5)
    job = a_job(1_000, lane="economy")
    assert PrefixCache(job).lifetime(LONG) is None
    assert cache_notice(job) == (
        "Writing to the cache costs more than it is expected to save with claude-sonnet-5-5."
    )


# The pilot


def test_a_cache_that_is_not_read_is_left_after_the_pilot() -> None:
    cache = PrefixCache(a_job())
    for _ in range(PILOT_CALLS):
        assert cache.lifetime(LONG) == "5m"
        cache.note(0, 6_000, -3_000)
    assert cache.lifetime(LONG) is None


def test_one_that_pays_goes_on() -> None:
    cache = PrefixCache(a_job())
    cache.note(0, 6_000, -3_000)
    for _ in range(5):
        cache.note(6_000, 0, 11_400)
    assert cache.lifetime(LONG) == "5m"


def test_what_a_job_has_counted_decides_for_its_next_worker() -> None:
    left = a_job(cache_calls=3, cache_write_tokens=18_000, cache_saved_micro_usd=-9_000)
    assert PrefixCache(left).lifetime(LONG) is None
    pays = a_job(cache_calls=3, cache_read_tokens=12_000, cache_saved_micro_usd=19_800)
    assert PrefixCache(pays).lifetime(LONG) == "5m"


def test_each_start_and_worker_may_be_written_before_it_is_judged() -> None:
    use = CacheUse(calls=17, written_tokens=17 * 6_000, saved_micro_usd=-51_000)
    assert not use.has_failed(a_job(shared_starts=3, concurrent_processing=2))
    assert use.plus(0, 6_000, -3_000).has_failed(a_job(shared_starts=3, concurrent_processing=2))


# One call goes first


def begun(cache: PrefixCache, calls: int, *, failing: Iterable[int] = ()) -> list[str]:
    """The order in which calls with one start begin and end; each takes a moment."""
    order: list[str] = []

    async def call(number: int) -> None:
        async with cache.turn("template", LONG):
            order.append(f"begin {number}")
            await asyncio.sleep(0)
            if number in failing:
                raise BUSY
            order.append(f"end {number}")

    async def run() -> None:
        await asyncio.gather(*(call(number) for number in range(calls)), return_exceptions=True)

    asyncio.run(run())
    return order


def test_the_first_call_with_a_start_goes_alone_and_the_others_together() -> None:
    assert begun(PrefixCache(a_job()), 3) == [
        "begin 0", "end 0", "begin 1", "begin 2", "end 1", "end 2",
    ]  # fmt: skip


def test_after_a_first_call_that_fails_another_one_goes_first() -> None:
    assert begun(PrefixCache(a_job()), 4, failing=[0]) == [
        "begin 0", "begin 1", "end 1", "begin 2", "begin 3", "end 2", "end 3",
    ]  # fmt: skip


def test_the_first_call_has_a_head_start_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_cache, "HEAD_START_S", 0.01)
    cache = PrefixCache(a_job())

    async def run() -> None:
        others_went = asyncio.Event()

        async def first() -> None:
            async with cache.turn("template", LONG):
                await others_went.wait()

        async def other() -> None:
            async with cache.turn("template", LONG):
                others_went.set()

        await asyncio.wait_for(asyncio.gather(first(), other()), 5)

    asyncio.run(run())


def test_calls_that_are_not_marked_wait_for_nobody() -> None:
    assert begun(PrefixCache(a_job(2)), 2) == ["begin 0", "begin 1", "end 0", "end 1"]


# In a worker


def worked(
    script: list[Completion | Exception], items: int = 8, **changes: Any
) -> tuple[BatchJob, list[Prompt]]:
    """A batch after its worker, and what that asked."""
    world = World.scripted(script)
    job = world.guided_job(items, GUIDE, calls_per_worker=8, concurrent_processing=1, **changes)
    world.run_worker(job)
    return world.now(job), world.claude.prompts


def test_a_batch_counts_what_its_prompts_read_and_wrote_and_saved() -> None:
    job, prompts = worked([WRITE, *[READ] * 7])
    assert job.successful_items == 8
    assert {prompt.cached_for for prompt in prompts} == {"5m"}
    assert CacheUse.of(job) == CacheUse(8, 42_000, 6_000, 7 * 11_400 - 3_000)
    assert CacheUse.of(job).hit_rate == 0.875
    assert cache_notice(job) is None
    assert job.input_tokens == 8_000


def test_a_batch_whose_cache_is_never_read_leaves_it_and_says_so() -> None:
    job, prompts = worked([WRITE] * 3, items=12, calls_in_flight=1)
    assert [prompt.cached_for for prompt in prompts] == ["5m"] * 3 + [None] * 9
    assert (job.cache_calls, job.cache_saved_micro_usd) == (3, -9_000)
    assert cache_notice(job) == (
        "What was written to the cache was read too seldom to pay, so it was switched off."
    )


def test_a_model_that_caches_nothing_of_the_start_is_told() -> None:
    job, prompts = worked([NEITHER] * 3, items=12, calls_in_flight=1)
    assert [prompt.cached_for for prompt in prompts].count("5m") == 3
    notice = cache_notice(job)
    assert notice is not None
    assert notice.startswith("claude-sonnet-5-5 cached nothing of the about 6,")


def test_what_is_asked_is_the_same_with_and_without_a_mark() -> None:
    _, prompts = worked([])
    planned = build.a_plan(8, guide=GUIDE)
    asked = {(prompt.system, prompt.user) for prompt in prompts}
    assert asked == {
        (prompt.system, prompt.user)
        for prompt in (planned.plan.prompt(item) for item in planned.items)
    }


def test_both_answers_to_a_mended_item_are_counted() -> None:
    broken = build.a_completion("no JSON", marked=True, cache_write_tokens=6_000)
    job, prompts = worked([broken, READ], items=4, calls_in_flight=1)
    assert (job.cache_write_tokens, job.cache_read_tokens) == (6_000, 6_000)
    (mending,) = (prompt for prompt in prompts if "could not be used" in prompt.user)
    assert (mending.shared_characters, mending.cached_for) == (LONG, "5m")


# What a batch says


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        (
            {"shared_characters": 916, "model": "claude-sonnet-5"},
            "The prompts share about 772 tokens at their start, below the 1,024 that "
            "claude-sonnet-5 caches.",
        ),
        (
            {"shared_characters": 916},
            "The prompts share about 772 tokens at their start, below the 1,024 from which on it "
            "is tried with claude-sonnet-5-5, whose minimum is not published.",
        ),
        (
            {"total_items": 3},
            "What prompts share is cached from 4 conversations on in the realtime lane.",
        ),
        (
            {"lane": "economy"},
            "What prompts share is cached from 200 conversations on in the economy lane.",
        ),
        ({"shared_characters": None}, None),
        ({}, None),
    ],
)
def test_a_batch_says_why_nothing_is_cached(changes: dict[str, Any], notice: str | None) -> None:
    assert cache_notice(a_job(**changes)) == notice


def test_tokens_are_estimated_at_three_characters_with_the_schema() -> None:
    assert shared_tokens(18_400) == 6_600
