"""Sums and products of quantiles."""

from __future__ import annotations

import random

import pytest

from brightrun.estimates.calibration import Quantiles, total


def test_quantiles_around_a_median_are_symmetric_in_proportion() -> None:
    found = Quantiles.around(100, 0.25)
    assert found.p90 / found.p50 == pytest.approx(found.p50 / found.p10)
    assert found.p90 == pytest.approx(137.8, abs=0.1)


def test_figures_that_are_late_together_add_up_at_every_percentile() -> None:
    assert Quantiles(1, 2, 4).plus(Quantiles(10, 20, 40)) == Quantiles(11, 22, 44)
    assert Quantiles(1, 2, 4).times(3) == Quantiles(3, 6, 12)


def test_the_sum_of_independent_figures_is_surer_than_its_parts() -> None:
    """Compared with drawing from them."""
    draw = random.Random(7)  # noqa: S311 - a comparison, not a secret
    sums = sorted(sum(draw.lognormvariate(4.6, 0.25) for _ in range(4)) for _ in range(20_000))
    found = total([Quantiles.around(99.48, 0.25)] * 4)
    assert found.p50 == pytest.approx(sums[10_000], rel=0.04)
    assert found.p90 == pytest.approx(sums[18_000], rel=0.04)
    assert found.p10 == pytest.approx(sums[2_000], rel=0.06)


def test_a_sum_is_never_less_than_nothing() -> None:
    assert total([Quantiles(0, 1, 2)] * 2).p10 == pytest.approx(0.586, abs=0.001)
    assert total([]) == Quantiles(0, 0, 0)
