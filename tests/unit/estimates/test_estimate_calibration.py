"""Finished jobs correct the estimate, and its quantiles are calibrated."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from brightrun.catalog.base_models import base_model
from brightrun.estimates.calibration import Calibration, Factor, Sample, bucket_of, calibrate

BUCKET = "H100/5B-10B/keep"


def samples(*ratios: float) -> list[Sample]:
    return [Sample("train", BUCKET, 100.0, 100.0 * ratio) for ratio in ratios]


def learned(*ratios: float) -> Factor:
    return calibrate(samples(*ratios)).of("train", BUCKET)


def test_without_jobs_the_prediction_is_unchanged_and_its_quantiles_wide() -> None:
    prior = Calibration().of("train", BUCKET)
    assert (prior.factor.p50, prior.jobs) == (1.0, 0)
    assert prior.factor.p90 > 1.3


def test_one_job_moves_the_factor_a_third_of_the_way() -> None:
    assert math.log(learned(2.0).factor.p50) == pytest.approx(math.log(2.0) / 3)


def test_many_jobs_that_agree_move_it_nearly_all_the_way_and_narrow_the_quantiles() -> None:
    found = learned(*[1.5] * 40)
    assert found.factor.p50 == pytest.approx(1.5, rel=0.04)
    assert found.factor.p90 / found.factor.p50 < 1.15
    assert found.jobs == 40


def test_one_outlier_among_many_changes_little() -> None:
    steady = [1.0, 1.02, 0.98, 1.01, 0.99] * 4
    assert learned(*steady, 50.0).factor.p50 == pytest.approx(learned(*steady).factor.p50, rel=0.02)


def test_newer_jobs_weigh_more() -> None:
    newest_slow, newest_fast = [2.0] * 20 + [1.0] * 20, [1.0] * 20 + [2.0] * 20
    assert learned(*newest_slow).factor.p50 > learned(*newest_fast).factor.p50


def test_a_bucket_learns_nothing_from_another_bucket() -> None:
    found = calibrate(samples(2.0, 2.0))
    assert found.of("train", "H100/5B-10B/recompute") == Calibration().of("train", BUCKET)
    assert found.of("overhead", BUCKET).jobs == 0


def test_buckets_differ_by_what_decides_the_speed() -> None:
    small, large = base_model("llama-3.1-8b-instruct"), base_model("llama-3.3-70b-instruct")
    assert bucket_of("H100", small, recompute=False, quantized=False) == BUCKET
    assert (
        bucket_of("H100", large, recompute=True, quantized=True) == "H100/over-50B/recompute-4bit"
    )
    assert bucket_of("H100", base_model("brightrun-tiny"), False, False) == "H100/under-0.1B/keep"


def normal(draw: random.Random) -> float:
    return draw.gauss(0, 0.12)


def skewed(draw: random.Random) -> float:
    """Mostly on time, sometimes late, as on machines that others use too."""
    return abs(draw.gauss(0, 0.06)) + (0.25 if draw.random() < 0.08 else 0.0)


@pytest.mark.parametrize("noise", [normal, skewed])
def test_p90_is_not_exceeded_in_about_nine_of_ten_jobs(
    noise: Callable[[random.Random], float],
) -> None:
    """Histories of 40 jobs, each 1.6 times as slow as predicted; counted from the tenth on."""
    draw = random.Random(5)  # noqa: S311 - noise, not a secret
    held = total = 0
    for _ in range(80):
        history: list[Sample] = []
        for number in range(40):
            ratio = 1.6 * math.exp(noise(draw))
            if number >= 10:
                held += ratio <= calibrate(reversed(history)).of("train", BUCKET).factor.p90
                total += 1
            history += samples(ratio)
    assert 0.85 <= held / total <= 0.95


def test_the_error_shrinks_as_jobs_end() -> None:
    draw = random.Random(6)  # noqa: S311 - noise, not a secret
    early: list[float] = []
    late: list[float] = []
    for _ in range(60):
        history: list[Sample] = []
        for number in range(30):
            ratio = 1.8 * math.exp(draw.gauss(0, 0.08))
            guess = calibrate(reversed(history)).of("train", BUCKET).factor.p50
            (early if number < 3 else late if number >= 15 else []).append(abs(guess / ratio - 1))
            history += samples(ratio)
    assert sum(early) / len(early) > 0.25
    assert sum(late) / len(late) < 0.1
