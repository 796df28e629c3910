"""The model registry: prices with dates, retirement, estimates."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from brightrun.claude.registry import (
    cache_saved_micro_usd,
    claude_model,
    cost_micro_usd,
    estimated_cost_usd,
    estimated_seconds,
    most_micro_usd,
    recorded_model,
)
from brightrun.core.errors import UnusableModelError
from tests.builders import a_completion

TODAY = date(2026, 11, 21)
MODELS = (
    "claude-sonnet-5-5",
    "claude-haiku-5-5",
    "claude-opus-5-5",
    "claude-sonnet-5",
    "claude-haiku-4-5-20251001",
    "claude-opus-4-5-20251101",
    "claude-sonnet-4-5-20250929",
)


def test_the_default_model_is_a_current_one() -> None:
    assert claude_model("claude-sonnet-5-5", TODAY).retires_at is None


def test_the_model_of_v1_works_until_the_day_before_it_retires() -> None:
    name = "claude-sonnet-4-5-20250929"
    assert claude_model(name, date(2026, 11, 29)).id == name
    with pytest.raises(UnusableModelError, match=r"retired on 2026-11-30.*claude-sonnet-5-5"):
        claude_model(name, date(2026, 11, 30))


def test_an_unknown_model_is_refused_with_the_usable_ones() -> None:
    with pytest.raises(UnusableModelError, match="claude-haiku-5-5"):
        claude_model("claude-1", TODAY)


def test_an_alias_means_its_model() -> None:
    assert claude_model("claude-haiku-4-5", TODAY).id == "claude-haiku-4-5-20251001"


def test_a_call_costs_its_tokens_times_the_models_price() -> None:
    completion = a_completion(
        input_tokens=1000, output_tokens=500, cache_read_tokens=2000, cache_write_tokens=100
    )
    model = claude_model("claude-sonnet-5-5", TODAY)
    assert cost_micro_usd(model, completion, TODAY) == 2000 + 5000 + 200 + 250


def test_what_is_cached_for_an_hour_costs_more_to_write() -> None:
    model = claude_model("claude-sonnet-5-5", TODAY)
    completion = a_completion(
        input_tokens=0, output_tokens=0, cache_write_tokens=1_000, cache_write_1h_tokens=400
    )
    assert cost_micro_usd(model, completion, TODAY) == 600 * 2.5 + 400 * 4


@pytest.mark.parametrize(
    ("tokens", "saved"),
    [
        ({}, 0),
        ({"cache_read_tokens": 6_000}, 6_000 * (2 - 0.1)),
        ({"cache_write_tokens": 6_000}, 6_000 * (2 - 2.5)),
        ({"cache_write_tokens": 6_000, "cache_write_1h_tokens": 6_000}, 6_000 * (2 - 4)),
        ({"cache_read_tokens": 6_000, "batched": True}, 6_000 * (2 - 0.1) / 2),
    ],
)
def test_the_cache_saves_what_reading_costs_less_and_writing_more(
    tokens: dict[str, Any], saved: float
) -> None:
    model = claude_model("claude-sonnet-5-5", TODAY)
    completion = a_completion(input_tokens=100, output_tokens=50, **tokens)
    assert cache_saved_micro_usd(model, completion, TODAY) == saved


def test_a_long_prompt_is_cached_at_the_price_of_long_ones() -> None:
    model = claude_model("claude-haiku-5-5", TODAY)
    completion = a_completion(input_tokens=1_000, output_tokens=0, cache_read_tokens=100_000)
    assert cost_micro_usd(model, completion, TODAY) == 1_000 * 0.5 + 100_000 * 0.05


@pytest.mark.parametrize("model_id", MODELS)
def test_every_model_writes_for_a_quarter_more_or_twice_the_input_and_reads_for_a_tenth(
    model_id: str,
) -> None:
    for price in recorded_model(model_id).prices:
        assert price.cache_write == pytest.approx(1.25 * price.input)
        assert price.cache_write_1h == pytest.approx(2 * price.input)
        assert price.cache_read <= 0.1 * price.input + 1e-9


@pytest.mark.parametrize("model_id", MODELS)
@pytest.mark.parametrize("prompt", [10_000, 90_000, 150_000])
@pytest.mark.parametrize("for_an_hour", [False, True])
def test_the_most_that_a_call_can_cost_covers_a_prompt_that_is_written_to_the_cache(
    model_id: str, prompt: int, for_an_hour: bool
) -> None:
    model = recorded_model(model_id)
    written = a_completion(
        input_tokens=0,
        output_tokens=24_576,
        cache_write_tokens=prompt,
        cache_write_1h_tokens=prompt if for_an_hour else 0,
    )
    most = most_micro_usd(model, prompt, TODAY, for_an_hour=for_an_hour)
    assert cost_micro_usd(model, written, TODAY) <= most


def test_a_long_prompt_has_its_own_price() -> None:
    model = claude_model("claude-haiku-5-5", TODAY)
    short = a_completion(input_tokens=100_000, output_tokens=100)
    long = a_completion(input_tokens=100_001, output_tokens=100)
    assert cost_micro_usd(model, short, TODAY) == round(100_000 * 0.1 + 100 * 0.5)
    assert cost_micro_usd(model, long, TODAY) == round(100_001 * 0.5 + 100 * 2.5)


def test_a_batch_is_estimated_at_the_measured_typical_size() -> None:
    model = claude_model("claude-sonnet-5-5", TODAY)
    # (2,600 x $2 + 2,900 x $10) / 1e6 = $0.0342 each.
    assert estimated_cost_usd(model, 100, TODAY) == pytest.approx(3.42)
    assert estimated_seconds(12, 12) == 55
    assert estimated_seconds(13, 12) == 110
