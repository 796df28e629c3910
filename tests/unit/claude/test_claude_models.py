"""The model registry: prices with dates, retirement, estimates."""

from __future__ import annotations

from datetime import date

import pytest

from brightrun.claude.registry import (
    claude_model,
    cost_micro_usd,
    estimated_cost_usd,
    estimated_seconds,
)
from brightrun.core.errors import UnusableModelError
from tests.builders import a_completion

TODAY = date(2026, 11, 21)


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
