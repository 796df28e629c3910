"""The known Claude models: prices with their dates, limits and retirement dates."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field

from brightrun.claude.model import MAX_OUTPUT_TOKENS, Completion
from brightrun.core.errors import UnusableModelError


class Price(BaseModel):
    """USD per million tokens from a date on; prompts over a length may have another price.

    `cache_write` keeps what is written for five minutes, `cache_write_1h` for an hour.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    since: date = Field(alias="from")
    input: float
    output: float
    cache_write: float
    cache_write_1h: float
    cache_read: float
    long_prompt_over: int | None = None
    long_input: float | None = None
    long_output: float | None = None


class ClaudeModel(BaseModel):
    """One model; `effort` is None for a model that does not accept it.

    `successor` is the model to change to when it retires.
    `bedrock_id` is its inference profile on Amazon Bedrock, the only name that newer models have
    there. A global profile costs the same as the first-party API, a regional one 10 % more.
    `cache_minimum` is how many tokens the start of a prompt must have to be cached; None where
    that is not published.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    id: str
    aliases: tuple[str, ...]
    bedrock_id: str
    cache_minimum: int | None
    max_output_tokens: int
    retires_at: date | None
    successor: str | None = None
    accepts_temperature: bool
    effort: str | None
    prices: tuple[Price, ...]

    def price_on(self, day: date) -> Price:
        """The price in force on a date; the first known price for an earlier date."""
        known = [price for price in self.prices if price.since <= day]
        return max(known, key=lambda price: price.since) if known else self.prices[0]


@cache
def _models() -> dict[str, ClaudeModel]:
    text = (resources.files("brightrun") / "claude/claude_models.json").read_text("utf-8")
    models = [ClaudeModel.model_validate(entry) for entry in json.loads(text)["models"]]
    return {name: model for model in models for name in (model.id, *model.aliases)}


def claude_model(name: str, today: date) -> ClaudeModel:
    """Find a model by id or alias; raises UnusableModelError if it is unknown or retired."""
    model = _models().get(name)
    usable = [m.id for m in _models().values() if m.retires_at is None or today < m.retires_at]
    choices = ", ".join(dict.fromkeys(usable))
    if model is None:
        raise UnusableModelError(f"The Claude model '{name}' is not known; use one of {choices}.")
    if model.id not in usable:
        raise UnusableModelError(
            f"The Claude model '{model.id}' was retired on {model.retires_at}."
            f"{_instead(model, today)} Use one of {choices}."
        )
    return model


RETIREMENT_NOTICE = timedelta(days=60)
"""How long before its retirement a model is warned of."""


def retirement_notice(model: ClaudeModel, today: date, announced: date | None = None) -> str | None:
    """Say when a model retires and what follows it, from 60 days before; None until then.

    `announced` is the date that Claude's API gives, which may be newer than the registry's.
    """
    retires_at = announced or model.retires_at
    if retires_at is None or retires_at - today > RETIREMENT_NOTICE:
        return None
    days = (retires_at - today).days
    return f"{model.id} retires on {retires_at}, in {days} days.{_instead(model, today)}"


def _instead(model: ClaudeModel, today: date) -> str:
    if model.successor is None:
        return ""
    price, now = (one.price_on(today) for one in (_models()[model.successor], model))
    return (
        f" Its successor is {model.successor}, at ${price.input:g} a million tokens read and"
        f" ${price.output:g} written instead of ${now.input:g} and ${now.output:g}."
    )


def recorded_model(model_id: str) -> ClaudeModel:
    """Find the model of a stored job, even if it has retired since."""
    return _models()[model_id]


WITHOUT_MESSAGE_BATCHES = {
    "bedrock": "Amazon Bedrock has no Message Batches: order in the realtime lane, or have Claude "
    "asked by key or through Claude Platform on AWS."
}
"""The providers that have none, and what to do about it."""
BATCHED_PRICE = 0.5
"""Of every kind of token in a Message Batch, as a share of its price."""


def cost_micro_usd(model: ClaudeModel, completion: Completion, day: date) -> int:
    """Cost of a call in millionths of a dollar, from the token counts that the API reported."""
    price = model.price_on(day)
    prompt = completion.input_tokens + completion.cache_read_tokens + completion.cache_write_tokens
    long = price.long_prompt_over is not None and prompt > price.long_prompt_over
    per_input = price.long_input if long and price.long_input is not None else price.input
    per_output = price.long_output if long and price.long_output is not None else price.output
    written_1h = completion.cache_write_1h_tokens
    cached = (
        (completion.cache_write_tokens - written_1h) * price.cache_write
        + written_1h * price.cache_write_1h
        + completion.cache_read_tokens * price.cache_read
    )
    # USD per million tokens is the same number as millionths of a dollar per token. What is cached
    # is priced as a multiple of the input.
    cost = (
        completion.input_tokens * per_input
        + completion.output_tokens * per_output
        + cached * per_input / price.input
    )
    return round(cost * BATCHED_PRICE if completion.batched else cost)


def cache_saved_micro_usd(model: ClaudeModel, completion: Completion, day: date) -> int:
    """What the prompt cache saved of a call's cost, in millionths of a dollar.

    Negative for a call that wrote to the cache and read little from it.
    """
    cached = completion.cache_read_tokens + completion.cache_write_tokens
    if not cached:
        return 0
    plain = replace(
        completion,
        input_tokens=completion.input_tokens + cached,
        cache_read_tokens=0,
        cache_write_tokens=0,
        cache_write_1h_tokens=0,
    )
    return cost_micro_usd(model, plain, day) - cost_micro_usd(model, completion, day)


def most_micro_usd(
    model: ClaudeModel, prompt_bytes: int, day: date, *, for_an_hour: bool = False
) -> int:
    """The most that a call can cost, in millionths of a dollar: a token has at least one byte.

    `for_an_hour` is for prompts that may be cached so long, at a higher price.
    """
    per_input, per_output = _highest_prices(model, prompt_bytes, day, for_an_hour=for_an_hour)
    room = min(MAX_OUTPUT_TOKENS, model.max_output_tokens)
    return math.ceil(prompt_bytes * per_input + room * per_output)


def most_output_tokens(
    model: ClaudeModel, prompt_bytes: int, micro_usd: int, day: date, *, for_an_hour: bool = False
) -> int:
    """How many output tokens a call may have to cost no more than so much, in any case."""
    per_input, per_output = _highest_prices(model, prompt_bytes, day, for_an_hour=for_an_hour)
    return max(0, math.floor((micro_usd - prompt_bytes * per_input) / per_output))


def _highest_prices(
    model: ClaudeModel, prompt_bytes: int, day: date, *, for_an_hour: bool
) -> tuple[float, float]:
    """The price of a token in and out, whatever part of the prompt is cached."""
    price = model.price_on(day)
    write = price.cache_write_1h if for_an_hour else price.cache_write
    per_input, per_output = max(price.input, write), price.output
    if price.long_prompt_over is not None and prompt_bytes > price.long_prompt_over:
        long_input = (price.long_input or price.input) * per_input / price.input
        return max(per_input, long_input), max(per_output, price.long_output or 0)
    return per_input, per_output


TYPICAL_INPUT_TOKENS = 2_600
"""Prompt and schema of one conversation: 6 to 8 thousand characters at about 3 a token."""
TYPICAL_OUTPUT_TOKENS = 2_900
"""The median measured in v1, 2,208 tokens, times 1.3 for today's tokenizers."""
TYPICAL_SECONDS = 55
"""The median time of one conversation measured in v1."""


BATCHED_SECONDS = 3600.0
"""The API documents that most Message Batches end within an hour, ..."""
MOST_BATCHED_SECONDS = 24 * 3600.0
"""... and that one expires after a day; no percentile in between is published."""


def estimated_cost_usd(
    model: ClaudeModel, conversations: int, day: date, *, batched: bool = False
) -> float:
    """Estimate the cost of a batch from the typical token counts, in USD."""
    price = model.price_on(day)
    each = (TYPICAL_INPUT_TOKENS * price.input + TYPICAL_OUTPUT_TOKENS * price.output) / 1e6
    return round(each * conversations * (BATCHED_PRICE if batched else 1), 6)


def estimated_seconds(conversations: int, calls_in_flight: int) -> int:
    """Estimate the duration of a batch: rounds of typical calls, each round full."""
    return -(-conversations // calls_in_flight) * TYPICAL_SECONDS


_SPREAD_OF_ONE = 0.24
"""Standard deviation of the logarithm of one conversation's tokens, cost or time. v1's 155 have a
median of 2,208 output tokens and a maximum of 4,120, $0.038 and $0.068, 55 s and 107 s: 2.6
standard deviations apart, as the median and the maximum of 155 values are."""
_SPREAD_OF_ALL = 0.1
"""What all conversations of a batch have in common, such as the model's tokenizer; assumed."""
_Z90 = 1.2816
"""The ninetieth percentile of the standard normal distribution."""


def ninetieth_percentile(median: float, conversations: int) -> float:
    """What nine of ten batches of so many conversations stay within, in the median's own unit."""
    spread = math.hypot(_SPREAD_OF_ALL, _SPREAD_OF_ONE / math.sqrt(max(1, conversations)))
    return median * math.exp(_Z90 * spread)
