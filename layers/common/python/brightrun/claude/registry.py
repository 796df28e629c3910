"""The known Claude models: prices with their dates, limits and retirement dates."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field

from brightrun.claude.model import Completion
from brightrun.core.errors import UnusableModelError


class Price(BaseModel):
    """USD per million tokens from a date on; prompts over a length may have another price."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    since: date = Field(alias="from")
    input: float
    output: float
    cache_write: float
    cache_read: float
    long_prompt_over: int | None = None
    long_input: float | None = None
    long_output: float | None = None


class ClaudeModel(BaseModel):
    """One model; `effort` is None for a model that does not accept it.

    `bedrock_id` is its inference profile on Amazon Bedrock, the only name that newer models have
    there. A global profile costs the same as the first-party API, a regional one 10 % more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    id: str
    aliases: tuple[str, ...]
    bedrock_id: str
    max_output_tokens: int
    retires_at: date | None
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
            f"The Claude model '{model.id}' was retired on {model.retires_at}; "
            f"use one of {choices}."
        )
    return model


def recorded_model(model_id: str) -> ClaudeModel:
    """Find the model of a stored job, even if it has retired since."""
    return _models()[model_id]


def cost_micro_usd(model: ClaudeModel, completion: Completion, day: date) -> int:
    """Cost of a call in millionths of a dollar, from the token counts that the API reported."""
    price = model.price_on(day)
    prompt = completion.input_tokens + completion.cache_read_tokens + completion.cache_write_tokens
    long = price.long_prompt_over is not None and prompt > price.long_prompt_over
    per_input = price.long_input if long and price.long_input is not None else price.input
    per_output = price.long_output if long and price.long_output is not None else price.output
    # USD per million tokens is the same number as millionths of a dollar per token.
    return round(
        completion.input_tokens * per_input
        + completion.output_tokens * per_output
        + completion.cache_write_tokens * price.cache_write
        + completion.cache_read_tokens * price.cache_read
    )


TYPICAL_INPUT_TOKENS = 2_600
"""Prompt and schema of one conversation: 6 to 8 thousand characters at about 3 a token."""
TYPICAL_OUTPUT_TOKENS = 2_900
"""The median measured in v1, 2,208 tokens, times 1.3 for today's tokenizers."""
TYPICAL_SECONDS = 55
"""The median time of one conversation measured in v1."""


def estimated_cost_usd(model: ClaudeModel, conversations: int, day: date) -> float:
    """Estimate the cost of a batch from the typical token counts, in USD rounded to cents."""
    price = model.price_on(day)
    each = (TYPICAL_INPUT_TOKENS * price.input + TYPICAL_OUTPUT_TOKENS * price.output) / 1e6
    return round(each * conversations, 2)


def estimated_seconds(conversations: int, calls_in_flight: int) -> int:
    """Estimate the duration of a batch: rounds of typical calls, each round full."""
    return -(-conversations // calls_in_flight) * TYPICAL_SECONDS
