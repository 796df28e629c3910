"""The accuracy of estimates, measured by finished jobs."""

from __future__ import annotations

from typing import Any

import pytest

from brightrun.estimates.calibration import accuracy, finished_job, learn
from tests.unit.estimates.estimating import THE_44_PAIRS, estimated
from tests.unit.estimates.finished import REST_S, SLOWNESS, a_finished_job


def test_a_finished_job_calibrates_training_and_overhead() -> None:
    known = estimated()
    found = finished_job(a_finished_job(known))
    assert found is not None
    train, rest = found.samples
    assert train.measured_s / train.predicted_s == pytest.approx(SLOWNESS, rel=0.001)
    assert (rest.part, rest.bucket) == ("overhead", "H100")
    assert rest.measured_s == pytest.approx(REST_S, abs=1)
    assert rest.predicted_s == pytest.approx(known.prediction.raw_overhead_s, rel=0.001)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "failed"},
        {"estimate": {"profile": "v1"}},
        {"estimate": {}},
        {"results": {}},
        {"results": {"steps": 20, "total_steps": 30, "train_seconds": 100.0}},
        {"results": {"steps": 30, "total_steps": 30, "train_seconds": 0.0}},
        {"billed_seconds": None},
        {"billed_seconds": 1},
    ],
    ids=lambda changes: str(changes)[:50],
)
def test_a_job_that_did_not_complete_is_not_used(changes: dict[str, Any]) -> None:
    assert finished_job(a_finished_job(**changes)) is None


def test_a_bill_hardly_longer_than_the_training_calibrates_training_alone() -> None:
    results = {"steps": 30, "total_steps": 30, "train_seconds": 100.0}
    found = finished_job(a_finished_job(results=results, billed_seconds=100))
    assert found is not None
    assert [one.part for one in found.samples] == ["train"]


def test_usable_jobs_calibrate_and_the_others_are_skipped() -> None:
    jobs = [a_finished_job(), a_finished_job(status="failed"), a_finished_job()]
    bucket = estimated().prediction.bucket
    assert learn(jobs).of("train", bucket).jobs == 2


def test_the_error_of_both_profiles_is_measured_in_what_was_billed() -> None:
    job = a_finished_job()
    found = finished_job(job)
    assert found is not None
    measured = accuracy([found])
    billed, cost = job.billed_seconds, job.final_cost
    assert billed is not None
    assert cost is not None
    guess = job.estimate["billed_seconds"]["p50"]
    assert measured.time_mape_v2 == pytest.approx(abs(guess / billed - 1), abs=1e-4)
    v1 = job.estimate["raw"]["v1_seconds"]
    assert measured.time_mape_v1 == pytest.approx(abs(v1 / billed - 1), abs=1e-4)
    assert measured.cost_mape_v2 == pytest.approx(
        abs(job.estimate["cost_usd"]["p50"] / cost - 1), abs=1e-4
    )
    v1_cost = job.estimate["raw"]["v1_cost_usd"]
    assert measured.cost_mape_v1 == pytest.approx(abs(v1_cost / cost - 1), abs=1e-4)


def test_p90_counts_as_kept_up_to_itself() -> None:
    late = a_finished_job(slowness=5.0)
    early = a_finished_job(slowness=1.0)
    found = accuracy([one for one in map(finished_job, (late, early)) if one])
    assert (found.time_p90_coverage, found.cost_p90_coverage) == (0.5, 0.5)


def test_spot_capacity_is_measured_in_time_alone() -> None:
    found = finished_job(a_finished_job(use_spot=True))
    assert found is not None
    measured = accuracy([found])
    assert (measured.cost_mape_v2, measured.cost_p90_coverage) == (None, None)
    assert measured.time_mape_v2 is not None


def test_a_gpu_unknown_to_v1_has_no_error_of_v1() -> None:
    known = estimated("local-cpu", model="brightrun-tiny", size=THE_44_PAIRS)
    found = finished_job(a_finished_job(known, rest_s=5))
    assert found is not None
    assert accuracy([found]).time_mape_v1 is None


def test_without_jobs_nothing_is_known() -> None:
    found = accuracy([])
    assert found.jobs == 0
    assert found.time_mape_v2 is None
