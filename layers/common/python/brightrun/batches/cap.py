"""The cap of a batch: what an answer can cost at the most, and what is left for another one."""

from __future__ import annotations

import dataclasses
import math
from datetime import date, datetime

from brightrun.batches.model import BatchJob
from brightrun.batches.prompt_cache import may_cache_for_an_hour
from brightrun.claude.registry import (
    BATCHED_PRICE,
    TYPICAL_OUTPUT_TOKENS,
    estimated_cost_usd,
    most_micro_usd,
    most_output_tokens,
    ninetieth_percentile,
    recorded_model,
)
from brightrun.core.budgets import Limits, month_of
from brightrun.core.errors import InvalidInputError

ADDED_BYTES = 4_000
"""What the API adds to a prompt, at the most: the schema, and its own words about it."""
_LEAST_ROOM = 2 * TYPICAL_OUTPUT_TOKENS
"""Output tokens below which an answer is not worth asking for."""
_LONGEST_PROMPT = 200_000
"""Bytes of a prompt that a job of an earlier version, which stored no bound, may have."""


def bounded(job: BatchJob, longest_prompt: int, day: date) -> BatchJob:
    """The job with the most that the answers to an item can cost; `longest_prompt` is in bytes.

    For a job that may change lanes, that is the realtime price from the start.
    """
    most = most_micro_usd(
        recorded_model(job.model),
        longest_prompt + ADDED_BYTES,
        day,
        for_an_hour=may_cache_for_an_hour(job),
    )
    return dataclasses.replace(job, item_bound_micro_usd=math.ceil(most * _price(job)))


def capped(job: BatchJob, max_cost_usd: float) -> BatchJob:
    """The job with a cap; raises InvalidInputError if that pays for no conversation at its most."""
    bound = job.item_bound_micro_usd
    micro_usd = round(max_cost_usd * 1e6)
    if micro_usd < bound:
        raise InvalidInputError.of_field(
            "maxCostUsd",
            f"One conversation may cost up to ${math.ceil(bound / 1e4) / 100:.2f} with {job.model}:"
            " allow at least that, or leave it out.",
        )
    return dataclasses.replace(job, max_cost_micro_usd=micro_usd)


def within_budgets(
    job: BatchJob, items: int, now: datetime, limits: Limits, *, estimated_usd: float | None = None
) -> BatchJob:
    """The job with what it reserves of this month's budgets to work on so many items.

    That is what is left of its cap. Where a budget is set, a job without a cap gets one: what nine
    of ten batches stay within, and the most that the calls in flight may cost, so that it writes
    as fast as without. Without a budget, the same is reserved, and nothing holds the job to it.
    """
    if not job.item_bound_micro_usd:
        job = bounded(job, _LONGEST_PROMPT, now.date())
    spent = job.cost_micro_usd
    if estimated_usd is None:
        estimated_usd = estimated_cost_usd(
            recorded_model(job.model), items, now.date(), batched=_price(job) < 1
        )
    likely = round(ninetieth_percentile(estimated_usd, items) * 1e6)
    bound = job.item_bound_micro_usd
    most = min(items * bound, likely + job.most_calls_in_flight * bound)
    if job.cap is None and limits.are_set:
        job = dataclasses.replace(job, max_cost_micro_usd=spent + most, committed_micro_usd=spent)
    return dataclasses.replace(
        job,
        budget_month=month_of(now),
        budget_reserved_micro_usd=most if job.cap is None else max(0, job.cap.micro_usd - spent),
        budget_spent_micro_usd=job.paid_micro_usd,
    )


def cost_of_tokens_usd(model: str, input_tokens: int, output_tokens: int, day: date) -> float:
    """What so many tokens cost in calls of their own, in US dollars."""
    price = recorded_model(model).price_on(day)
    return round(input_tokens * price.input + output_tokens * price.output) / 1e6


def affordable_room(prompt_bytes: int, job: BatchJob, micro_usd: int, day: date) -> int | None:
    """Output tokens that so much pays for in any case; None if too few for an answer."""
    model, at_full_price = recorded_model(job.model), math.floor(micro_usd / _price(job))
    room = most_output_tokens(
        model,
        prompt_bytes + ADDED_BYTES,
        at_full_price,
        day,
        for_an_hour=may_cache_for_an_hour(job),
    )
    return room if room >= _LEAST_ROOM else None


def _price(job: BatchJob) -> float:
    return BATCHED_PRICE if job.is_economy and job.switch_at is None else 1.0
