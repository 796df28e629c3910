"""Estimates for an owner: of a dataset or of numbers, corrected by the owner's own jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from brightrun.catalog.base_models import base_model
from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.catalog.presets import PRESETS
from brightrun.core.errors import InvalidInputError, NotFoundError, UnknownBaseModelError
from brightrun.estimates.model import EstimateRequest
from brightrun.estimates.service import AccuracyMeter, TrainingEstimator
from brightrun.training.model import TrainingJob
from brightrun.training.notices import job_queued
from tests.builders import OWNER, START
from tests.fakes.datasets import InMemoryDatasets, a_dataset, a_waiting_dataset
from tests.fakes.training_jobs import InMemoryTraining
from tests.fakes.training_jobs import a_dataset as a_dataset_to_train_on
from tests.unit.estimates.finished import a_finished_job

H100 = GpuConfig("H100", 1)
DATASET = a_dataset(
    total_training_pairs=1567,
    trainable_pairs=1567,
    total_validation_pairs=157,
    total_tokens=2_193_800,
    avg_turns_per_conversation=7.34,
)
NUMBERS: dict[str, Any] = {"pairs": 1567, "tokens": 2_193_800, "pairs_per_conversation": 3.67}


def history(*jobs: TrainingJob) -> InMemoryTraining:
    """The jobs of an owner, the last one the newest."""
    stored = InMemoryTraining(a_dataset_to_train_on())
    for number, job in enumerate(jobs):
        named = replace(job, job_id=f"job-{number:03}")
        stored.create(named, job_queued(named, START))
    return stored


def an_estimator(*jobs: TrainingJob) -> TrainingEstimator:
    return TrainingEstimator(InMemoryDatasets(DATASET), history(*jobs))


def test_a_dataset_and_its_numbers_are_estimated_alike() -> None:
    estimator = an_estimator()
    of_dataset = estimator.answer(OWNER, EstimateRequest(H100, dataset_id=DATASET.dataset_id))
    of_numbers = estimator.answer(OWNER, EstimateRequest(H100, **NUMBERS))
    assert of_dataset["training_details"]["dataset_name"] == "First"
    assert of_dataset["seconds"] == of_numbers["seconds"]
    assert (of_dataset["profile"], of_dataset["preset_id"]) == ("v2", "balanced")


def test_profile_v1_uses_v1s_formula() -> None:
    request = EstimateRequest(GpuConfig("A100-80GB", 2), profile="v1", pairs=89, tokens=17_800)
    assert an_estimator().answer(OWNER, request)["estimated_cost"] == 4.03
    of_dataset = replace(request, pairs=None, tokens=None, dataset_id=DATASET.dataset_id)
    answered = an_estimator().answer(OWNER, of_dataset)
    assert answered["training_details"]["dataset_name"] == "First"


def test_a_job_that_is_made_gets_the_same_estimate() -> None:
    estimator = an_estimator()
    made = estimator.of_dataset(
        OWNER, DATASET, base_model("qwen2.5-7b-instruct"), H100, PRESETS["balanced"]
    )
    asked = estimator.answer(OWNER, EstimateRequest(H100, dataset_id=DATASET.dataset_id))
    assert {**made.as_dict(), "preset_id": "balanced"} == asked
    assert made.total_steps == 353 * 3
    assert made.estimated_total_cost == asked["estimated_cost"]
    assert made.estimated_seconds == round(asked["seconds"]["p50"])


def test_finished_jobs_of_the_owner_correct_the_next_estimate() -> None:
    request = EstimateRequest(H100, **NUMBERS)
    first = an_estimator().answer(OWNER, request)
    known = [a_finished_job(slowness=3.0) for _ in range(10)]
    later = an_estimator(*known).answer(OWNER, request)
    assert later["calibration"]["train_jobs"] == 10
    assert later["raw"] == first["raw"]
    assert later["seconds"]["p50"] > 1.5 * first["seconds"]["p50"]
    strangers = an_estimator(*known).answer("owner-2", request)
    assert strangers["seconds"] == first["seconds"]


def test_a_dataset_that_is_not_validated_is_estimated_from_its_bytes_and_says_so() -> None:
    waiting = a_waiting_dataset("waiting", file_size=400_981)
    estimator = TrainingEstimator(InMemoryDatasets(waiting), InMemoryTraining())
    found = estimator.answer(OWNER, EstimateRequest(H100, dataset_id="waiting"))
    assert "estimated from its 400981 bytes" in found["assumptions"][0]


@pytest.mark.parametrize("other", [{"owner_id": "owner-2"}, {"dataset_id": "another"}])
def test_another_owners_dataset_is_not_found(other: dict[str, Any]) -> None:
    estimator = TrainingEstimator(InMemoryDatasets(replace(DATASET, **other)), InMemoryTraining())
    with pytest.raises(NotFoundError):
        estimator.answer(OWNER, EstimateRequest(H100, dataset_id=DATASET.dataset_id))


@pytest.mark.parametrize(
    ("changes", "refusal", "words"),
    [
        ({"base_model": "gpt-2"}, UnknownBaseModelError, "'gpt-2' is not known"),
        ({"gpu": GpuConfig("H100", 0)}, InvalidInputError, "gpu_config.count: 0 is outside"),
        ({"gpu": GpuConfig("TPU", 1)}, InvalidInputError, "gpu_config.type: 'TPU'"),
        ({"preset_id": "best"}, InvalidInputError, "preset_id: 'best'"),
        ({"hyperparameters": {"rank": 3}}, InvalidInputError, "rank: 3 is outside of 4 to 128"),
        ({"pairs": None}, InvalidInputError, "name a dataset_id, or total_training_pairs"),
    ],
)
def test_what_cannot_be_estimated_is_refused_by_name(
    changes: dict[str, Any], refusal: type[InvalidInputError], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        an_estimator().answer(OWNER, replace(EstimateRequest(H100, **NUMBERS), **changes))


def test_the_error_of_estimates_is_reported_by_bucket() -> None:
    jobs = [*(a_finished_job() for _ in range(6)), a_finished_job(results={})]
    report = AccuracyMeter(history(*jobs)).report(OWNER)
    assert (report.accuracy.jobs, report.passed_over) == (6, 1)
    (bucket,) = report.buckets
    assert bucket.bucket == "H100/5B-10B/recompute"
    assert bucket.accuracy == report.accuracy
    assert (bucket.factor.jobs, bucket.factor.factor.p50 > 1.2) == (6, True)


def test_each_job_is_measured_by_the_estimate_it_was_created_with() -> None:
    """Estimates that learn are nearer to the end of the history than to its beginning."""
    model, hyper = base_model("qwen2.5-7b-instruct"), PRESETS["balanced"]
    jobs: list[TrainingJob] = []
    errors = []
    for _ in range(12):
        made_with = an_estimator(*jobs).of_dataset(OWNER, DATASET, model, H100, hyper)
        ended = a_finished_job(made_with, slowness=1.8, rest_s=300)
        assert ended.billed_seconds is not None
        errors.append(abs(made_with.prediction.billed_seconds.p50 / ended.billed_seconds - 1))
        jobs.append(ended)
    assert errors[0] > 0.3
    assert errors[-1] < 0.1
    measured = AccuracyMeter(history(*jobs)).report(OWNER).accuracy
    assert measured.time_mape_v2 == pytest.approx(sum(errors) / 12, abs=0.001)
