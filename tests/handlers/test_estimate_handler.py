"""The routes of estimates."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from brightrun.training.model import TrainingJob
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, numbered_id
from tests.unit.estimates.finished import a_finished_job

ESTIMATE = "/api/jobs/estimate"
H100 = {"type": "H100", "count": 1}
NUMBERS = {"total_training_pairs": 89, "total_tokens": 17_800}


def ask(api: Api, **wishes: Any) -> Answer:
    return api(f"POST {ESTIMATE}", {"gpu_config": H100, **wishes})


def a_history(seeds: Seeds, count: int) -> None:
    for number in range(count):
        job = a_finished_job(job_id=f"job-{number:03}", dataset_id=numbered_id(900 + number))
        seeds.training_job(**{one.name: getattr(job, one.name) for one in fields(TrainingJob)})


def test_a_dataset_is_estimated_by_its_owner_alone(api: Api, seeds: Seeds) -> None:
    mine, other = seeds.dataset(1), seeds.dataset(2, owner_id="owner-2")
    answered = ask(api, dataset_id=mine.dataset_id)
    assert answered.status == 200
    data = answered.body["data"]
    assert (answered.body["success"], data["profile"], data["preset_id"]) == (
        True,
        "v2",
        "balanced",
    )
    assert data["training_details"]["dataset_name"] == mine.name
    strange, missing = (ask(api, dataset_id=one) for one in (other.dataset_id, numbered_id(3)))
    assert (strange.status, missing.status) == (404, 404)
    assert strange.body["error"].replace(other.dataset_id, numbered_id(3)) == missing.body["error"]


CPU = {"gpu_config": {"type": "local-cpu", "count": 1}, "base_model": "brightrun-tiny"}


def test_the_cpu_of_a_local_system_costs_nothing_and_says_so(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_aws = ask(api, **NUMBERS, **CPU).body["data"]
    assert (on_aws["billing"]["instance_type"], on_aws["hourly_rate"]) == ("ml.m5.2xlarge", 0.46)
    assert on_aws["cost_usd"]["p50"] > 0
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8610")
    here = ask(api, **NUMBERS, **CPU).body["data"]
    assert (here["billing"]["instance_type"], here["hourly_rate"]) == ("local_cpu", 0.0)
    assert here["estimated_cost"] == 0
    assert set(here["cost_usd"].values()) == {0.0}
    assert here["seconds"] == on_aws["seconds"]
    (added,) = set(here["warnings"]) - set(on_aws["warnings"])
    assert "costs nothing" in added
    assert "max_cost_usd has no effect" in added


def test_a_gpu_is_estimated_at_its_price_on_aws_from_a_local_system_too(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_aws = ask(api, **NUMBERS).body
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8610")
    assert ask(api, **NUMBERS).body == on_aws


def test_v1s_request_has_v1s_response(api: Api, seeds: Seeds) -> None:
    dataset = seeds.dataset(total_training_pairs=89, trainable_pairs=44, total_tokens=17_800)
    body = {
        "dataset_id": dataset.dataset_id,
        "gpu_config": {"type": "A100-80GB", "count": 2},
        "hyperparameters": {"learning_rate": 5e-5, "batch_size": 4, "epochs": 3, "rank": 16},
        "profile": "v1",
    }
    assert api(f"POST {ESTIMATE}", body).body == {
        "success": True,
        "data": {
            "profile": "v1",
            "estimated_cost": 4.03,
            "cost_breakdown": {"compute": 3.53, "storage": 0.5},
            "estimated_duration_hours": 0.5,
            "hourly_rate": 7.0,
            "training_details": {
                "total_steps": 69,
                "steps_per_epoch": 23,
                "estimated_throughput_tokens_per_sec": 3600,
                "dataset_name": dataset.name,
            },
        },
    }


def test_what_does_not_fit_has_no_price_but_a_reason_and_what_would_fit(api: Api) -> None:
    answered = ask(api, **NUMBERS, base_model="llama-3.3-70b-instruct")
    assert answered.status == 200
    data = answered.body["data"]
    priced = ("estimated_cost", "cost_usd", "estimated_duration_hours", "seconds", "billed_seconds")
    assert {name: data[name] for name in priced} == dict.fromkeys(priced)
    assert data["memory"]["advice"] in data["not_trainable_because"]
    assert all(one["cost_usd"] > 0 for one in data["alternatives"])
    assert data["alternatives"]


@pytest.mark.parametrize("status", ["uploading", "validating", "error"])
def test_a_dataset_that_is_not_ready_is_estimated_from_its_size(
    api: Api, seeds: Seeds, status: str
) -> None:
    dataset = seeds.dataset(status=status, trainable_pairs=None, total_training_pairs=None)
    assert (
        f"the dataset is {status}"
        in ask(api, dataset_id=dataset.dataset_id).body["data"]["assumptions"][0]
    )


@pytest.mark.parametrize(
    ("wishes", "field", "words"),
    [
        ({"gpu_config": {"type": "TPU", "count": 1}}, "gpu_config.type", "use one of A100-80GB"),
        (
            {"gpu_config": {"type": "H100", "count": 9}},
            "gpu_config.count",
            "9 is outside of 1 to 8",
        ),
        (
            {"gpu_config": {"type": "H100", "count": 0}},
            "gpu_config.count",
            "0 is outside of 1 to 8",
        ),
        ({"hyperparameters": {"batch_size": 65}}, "hyperparameters.batch_size", "65 is outside"),
        ({"hyperparameters": {"epochs": 21}}, "hyperparameters.epochs", "21 is outside of 1 to 20"),
        ({"hyperparameters": {"rank": 3}}, "hyperparameters.rank", "3 is outside of 4 to 128"),
        (
            {"hyperparameters": {"learning_rate": 0.5}},
            "hyperparameters.learning_rate",
            "0.5 is outside of 1e-05 to 0.001",
        ),
        ({"base_model": "gpt-2"}, "base_model", "use one of llama-3.2-3b-instruct"),
        ({"preset_id": "best"}, "preset_id", "use one of fast"),
        ({"profile": "v3"}, "profile", "v1"),
        ({"gpu": "H100"}, "gpu", "not permitted"),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_its_range(
    api: Api, wishes: dict[str, Any], field: str, words: str
) -> None:
    answered = ask(api, **NUMBERS, **wishes)
    assert answered.status == 400
    (fault,) = answered.body["details"]
    assert fault["field"] == field
    assert words in fault["message"]


def test_neither_a_dataset_nor_numbers_and_both_are_refused(api: Api) -> None:
    assert "name a dataset_id" in ask(api).body["error"]
    assert "not both" in ask(api, dataset_id="any", **NUMBERS).body["error"]


def test_a_v100_is_estimated_and_not_trainable(api: Api) -> None:
    data = ask(api, **NUMBERS, gpu_config={"type": "V100-32GB", "count": 1}).body["data"]
    assert data["estimated_cost"] > 0
    assert not data["trainable"]
    assert "no bfloat16" in data["not_trainable_because"][0]


def test_finished_jobs_correct_the_estimate_and_their_error_is_published(
    api: Api, seeds: Seeds
) -> None:
    first = ask(api, **NUMBERS).body["data"]
    a_history(seeds, 5)
    later = ask(api, **NUMBERS).body["data"]
    assert (first["calibration"]["train_jobs"], later["calibration"]["train_jobs"]) == (0, 5)
    train, faster = (_phase(one, "train") for one in (later, first))
    assert train > 1.2 * faster
    published = api(f"GET {ESTIMATE}/accuracy").body["data"]
    assert (published["accuracy"]["jobs"], published["passed_over"]) == (5, 0)
    assert 0 < published["accuracy"]["time_mape_v2"] < published["accuracy"]["time_mape_v1"]
    assert published["buckets"][0]["factor"]["jobs"] == 5
    assert published["buckets"][0]["factor"]["factor"] == pytest.approx(
        later["calibration"]["train_factor"], abs=1e-4
    )


def _phase(data: dict[str, Any], name: str) -> float:
    (seconds,) = [one["seconds"]["p50"] for one in data["phases"] if one["name"] == name]
    return float(seconds)


def test_without_jobs_there_is_no_error_to_publish(api: Api) -> None:
    assert api(f"GET {ESTIMATE}/accuracy").body["data"] == {
        "accuracy": {
            "jobs": 0,
            "time_mape_v2": None,
            "time_mape_v1": None,
            "cost_mape_v2": None,
            "cost_mape_v1": None,
            "time_p90_coverage": None,
            "cost_p90_coverage": None,
        },
        "passed_over": 0,
        "buckets": [],
    }


def test_everything_that_can_be_chosen_is_listed(api: Api) -> None:
    data = api("GET /api/base-models").body["data"]
    assert [one["key"] for one in data["base_models"] if one["default"]] == ["qwen2.5-7b-instruct"]
    assert [one["key"] for one in data["base_models"] if one["local_only"]] == ["brightrun-tiny"]
    assert {one["key"]: one["trainable"] for one in data["gpu_types"]} == {
        "A100-80GB": True,
        "A100-40GB": True,
        "H100": True,
        "A10G": True,
        "L4": True,
        "L40S": True,
        "V100-32GB": False,
        "local-cpu": True,
    }
    assert [one["id"] for one in data["presets"]] == ["fast", "balanced", "quality", "custom"]
    assert [one["id"] for one in data["presets"] if one["default"]] == ["balanced"]
    assert data["ranges"]["rank"] == {"lowest": 4, "highest": 128}
    assert data["price_region"] == "us-east-1"
