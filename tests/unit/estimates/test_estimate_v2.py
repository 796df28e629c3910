"""Profile v2: what a job takes, whether it fits, and the warnings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brightrun.core.errors import InvalidInputError
from brightrun.estimates.calibration import Calibration, Sample, calibrate
from brightrun.estimates.v2 import predict
from tests.unit.estimates.estimating import THE_44_PAIRS, a_plan, estimated


@pytest.mark.parametrize(
    ("batch_size", "epochs", "rank", "train_s", "whole_s"),
    [(4, 3, 16, 7.8, 13.1), (8, 1, 8, 2.8, 8.2), (2, 5, 32, 19.0, 24.6)],
    ids=["balanced", "fast", "quality"],
)
def test_the_tiny_model_takes_on_a_processor_what_it_took(
    batch_size: int, epochs: int, rank: int, train_s: float, whole_s: float
) -> None:
    """Measured on two cores with the product's 44 pairs; the constants were fitted on it."""
    plan = a_plan(
        "local-cpu",
        model="brightrun-tiny",
        size=THE_44_PAIRS,
        batch_size=batch_size,
        epochs=epochs,
        rank=rank,
    )
    found = predict(plan, Calibration())
    assert found.raw_train_s == pytest.approx(train_s, rel=0.15)
    assert found.seconds.p50 == pytest.approx(whole_s, rel=0.25)
    assert found.seconds.p10 < whole_s < found.seconds.p90


def test_time_is_the_sum_of_the_phases_and_cost_that_of_the_billed_ones() -> None:
    found = estimated().as_dict()
    middles = {one["name"]: one["seconds"]["p50"] for one in found["phases"]}
    assert list(middles) == [
        "provision",
        "image",
        "download_model",
        "load_model",
        "tokenise",
        "train",
        "evaluate",
        "save",
    ]
    assert [one["name"] for one in found["phases"] if not one["billed"]] == ["provision"]
    assert found["seconds"]["p50"] == pytest.approx(sum(middles.values()), abs=0.5)
    billed = sum(middles.values()) - middles["provision"]
    assert found["billed_seconds"]["p50"] == pytest.approx(billed, abs=0.5)
    assert found["cost_usd"]["p50"] == pytest.approx(billed * 7.912 / 3600, abs=0.001)


def test_every_figure_has_its_quantiles() -> None:
    found = estimated().as_dict()
    for name in ("seconds", "billed_seconds", "cost_usd"):
        assert found[name]["p10"] < found[name]["p50"] < found[name]["p90"]


def test_the_response_has_v1s_fields() -> None:
    found = estimated().as_dict()
    assert found["training_details"] == {
        "total_steps": 1059,
        "steps_per_epoch": 353,
        "estimated_throughput_tokens_per_sec": pytest.approx(9000, rel=0.3),
        "dataset_name": "Mine",
    }
    assert found["estimated_cost"] == found["cost_breakdown"]["compute"]
    assert found["hourly_rate"] == 7.91


def test_what_a_job_stores_of_it_is_small_and_plain_json() -> None:
    found = estimated("A100-80GB", 2).as_dict()
    assert len(json.dumps(found, allow_nan=False)) < 6000


def test_two_a100_bill_eight_with_a_warning() -> None:
    two, eight = estimated("A100-80GB", 2), estimated("A100-80GB", 8)
    assert two.as_dict()["billing"]["billed_gpus"] == 8
    assert two.prediction.billing == eight.prediction.billing
    assert two.estimated_seconds == eight.estimated_seconds
    expected = (
        "A100-80GB comes as 8 on one ml.p4de.24xlarge: asking for 2 bills 8, and trains on them "
        "all."
    )
    assert expected in two.warnings
    assert expected not in eight.warnings


def test_idle_gpus_have_a_warning() -> None:
    assert any("keeps 1 of 8 GPUs busy" in one for one in estimated("A100-80GB", 2).warnings)
    assert not any("gives work" in one for one in estimated("H100", 2, batch_size=16).warnings)


def test_more_pairs_more_epochs_and_a_larger_model_take_longer() -> None:
    base = estimated().estimated_seconds
    assert estimated(epochs=6).estimated_seconds > base
    assert estimated(model="qwen2.5-14b-instruct").estimated_seconds > base
    assert estimated(model="qwen2.5-1.5b-instruct").estimated_seconds < base


def test_every_evaluation_takes_its_time() -> None:
    seconds = [
        next(
            one["seconds"]["p50"] for one in found.as_dict()["phases"] if one["name"] == "evaluate"
        )
        for found in (estimated(), estimated(evaluations_per_epoch=5))
    ]
    # Two an epoch by themselves; three epochs, and once before the first step.
    assert seconds[1] / seconds[0] == pytest.approx(16 / 7, rel=0.01)


def test_a_v100_is_estimated_and_refused_with_the_reason() -> None:
    found = estimated("V100-32GB").as_dict()
    assert found["estimated_cost"] > 0
    assert not found["trainable"]
    assert "no bfloat16" in found["not_trainable_because"][0]


NO_FIGURES = (
    "estimated_cost", "cost_breakdown", "estimated_duration_hours", "seconds", "billed_seconds",
    "cost_usd", "raw",
)  # fmt: skip


@pytest.mark.parametrize(
    ("plan", "remedy", "settings"),
    [
        (
            {"model": "llama-3.3-70b-instruct"},
            "use the method qlora",
            {"hyperparameters": {"method": "qlora"}},
        ),
        (
            {"model": "qwen2.5-32b-instruct", "max_seq_length": 32_768},
            "set max_seq_length to",
            {"hyperparameters": {"max_seq_length": 8967}},
        ),
        (
            {"gpu": "A100-40GB", "count": 8, "model": "qwen2.5-32b-instruct"},
            "use the method qlora",
            {"gpu_config": {"type": "H100", "count": 1}},
        ),
    ],
    ids=["by the model", "by the length", "by the GPU"],
)
def test_a_plan_that_does_not_fit_has_no_price_but_what_would_fit(
    plan: dict[str, Any], remedy: str, settings: dict[str, Any]
) -> None:
    found = estimated(**plan).as_dict()
    assert (found["trainable"], found["memory"]["fits"]) == (False, False)
    assert {name: found[name] for name in NO_FIGURES} == dict.fromkeys(NO_FIGURES)
    assert found["phases"] == []
    assert found["training_details"]["estimated_throughput_tokens_per_sec"] is None
    assert remedy in found["memory"]["advice"]
    assert found["memory"]["advice"] in found["not_trainable_because"]
    assert settings in [one["settings"] for one in found["alternatives"]]
    for one in found["alternatives"]:
        assert one["cost_usd"] > 0
        assert not one["cheaper"]
        assert not one["faster"]


def test_a_model_larger_than_a_processors_memory_has_no_price() -> None:
    found = estimated("local-cpu", model="llama-3.3-70b-instruct").as_dict()
    assert found["memory"]["fits"] is False
    assert found["cost_usd"] is None


@pytest.mark.parametrize(
    ("gpu", "model", "reason"),
    [
        ("H100", "brightrun-tiny", "trains on local-cpu only"),
        ("local-cpu", "qwen2.5-7b-instruct", "far too large to train on a CPU"),
    ],
)
def test_a_model_on_the_wrong_machine_is_not_trainable(gpu: str, model: str, reason: str) -> None:
    assert reason in " ".join(estimated(gpu, model=model).as_dict()["not_trainable_because"])


def test_four_bits_on_a_processor_are_not_trainable() -> None:
    found = estimated("local-cpu", model="brightrun-tiny", method="qlora").as_dict()
    assert found["not_trainable_because"] == [
        "The method qlora needs a GPU; choose lora or rslora."
    ]


def test_a_first_estimate_warns_that_no_gpu_run_has_confirmed_it() -> None:
    assert any("not confirmed by a GPU run" in one for one in estimated().warnings)


def test_truncated_conversations_have_a_warning() -> None:
    assert any("oldest turns" in one for one in estimated(max_seq_length=1024).warnings)


def test_calibration_changes_the_figures_and_not_the_raw_ones() -> None:
    plan = a_plan()
    before = predict(plan, Calibration())
    slow = [
        Sample("train", before.bucket, 100, 200),
        Sample("overhead", "H100", 100, 50),
    ] * 30
    after = predict(plan, calibrate(slow))
    assert after.raw_train_s == before.raw_train_s
    phases = {one.name: one.seconds.p50 for one in after.phases}
    assert phases["train"] == pytest.approx(2 * before.raw_train_s, rel=0.1)
    others = sum(s for name, s in phases.items() if name not in {"train", "provision"})
    assert others == pytest.approx(before.raw_overhead_s / 2, rel=0.1)
    assert after.seconds.p90 / after.seconds.p50 < before.seconds.p90 / before.seconds.p50


def test_a_count_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="gpu_config.count: 9"):
        estimated("H100", 9)
