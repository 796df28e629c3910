"""Presets supply defaults; changed values make them custom; values out of range are named."""

from __future__ import annotations

from typing import Any

import pytest

from brightrun.catalog.presets import PRESETS, RANGES, complete
from brightrun.core.errors import InvalidInputError

OWN = {"learning_rate": 2e-4, "batch_size": 16, "epochs": 2, "rank": 24}


@pytest.mark.parametrize(
    ("preset", "values"),
    [
        ("fast", (1e-4, 8, 1, 8, 16, 0.05)),
        ("balanced", (5e-5, 4, 3, 16, 32, 0.1)),
        ("quality", (3e-5, 2, 5, 32, 64, 0.1)),
    ],
)
def test_a_preset_has_v1s_values(preset: str, values: tuple[float, ...]) -> None:
    named, found = complete(preset, {})
    assert named == preset
    assert values == (
        found.learning_rate, found.batch_size, found.epochs, found.rank, found.alpha, found.dropout
    )  # fmt: skip


def test_nothing_named_is_balanced() -> None:
    assert complete(None, {}) == ("balanced", PRESETS["balanced"])


def test_own_values_without_a_preset_are_custom() -> None:
    named, found = complete(None, OWN)
    assert named == "custom"
    assert (found.rank, found.alpha, found.dropout) == (24, 48, 0.05)


def test_a_preset_with_another_value_is_custom() -> None:
    named, found = complete("fast", {"epochs": 2})
    assert (named, found.epochs, found.batch_size) == ("custom", 2, 8)
    assert complete("fast", {"epochs": 1, "rank": None})[0] == "fast"


def test_another_rank_keeps_the_scale_of_the_adapter() -> None:
    assert complete("balanced", {"rank": 64})[1].alpha == 128
    assert complete("balanced", {"rank": 64, "alpha": 16})[1].alpha == 16


def test_custom_names_the_values_it_requires() -> None:
    with pytest.raises(InvalidInputError) as refused:
        complete("custom", {"rank": 8, "epochs": 1})
    assert [one["field"] for one in refused.value.details] == [
        "hyperparameters.learning_rate",
        "hyperparameters.batch_size",
    ]


def test_an_unknown_preset_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInputError, match="'best' is not known; use one of fast, balanced"):
        complete("best", {})


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("learning_rate", 1e-5, 1e-3), ("batch_size", 1, 64), ("epochs", 1, 20), ("rank", 4, 128)],
)
def test_v1s_ranges_hold_at_both_ends(name: str, low: float, high: float) -> None:
    assert RANGES[name] == (low, high)
    for good in (low, high):
        complete("custom", {**OWN, name: good})
    for bad in (low / 2, high + 1):
        with pytest.raises(InvalidInputError, match=f"hyperparameters.{name}: .* is outside of"):
            complete("custom", {**OWN, name: bad})


def test_all_values_out_of_range_are_named_at_once() -> None:
    bad: dict[str, Any] = {**OWN, "rank": 2, "epochs": 99}
    with pytest.raises(InvalidInputError) as refused:
        complete("custom", bad)
    assert refused.value.details == [
        {"field": "hyperparameters.epochs", "message": "99 is outside of 1 to 20."},
        {"field": "hyperparameters.rank", "message": "2 is outside of 4 to 128."},
    ]


def test_runs_stop_early_after_two_evaluations_unless_told_otherwise() -> None:
    found = complete("balanced", {})[1]
    assert (found.evaluations_per_epoch, found.early_stopping_patience) == (0, 2)
    named, found = complete("balanced", {"early_stopping_patience": 0, "evaluations_per_epoch": 8})
    assert (named, found.evaluations_per_epoch, found.early_stopping_patience) == ("custom", 8, 0)
    with pytest.raises(InvalidInputError, match="evaluations_per_epoch: 21 is outside of 0 to 20"):
        complete("balanced", {"evaluations_per_epoch": 21})
