"""estimate: offline from numbers, by the API for a dataset."""

import json
from typing import Any

import pytest

from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.estimates.calibration import Calibration
from brightrun.estimates.model import EstimateRequest, answer
from tests.cli.conftest import BrightRun
from tests.cli.fake_system import FakeSystem

NUMBERS = ("--pairs", "1567", "--tokens", "2193800", "--pairs-per-conversation", "3.67")


def estimate(brightrun: BrightRun, *arguments: str) -> dict[str, Any]:
    result = brightrun("estimate", *arguments, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    assert document["success"]
    data: dict[str, Any] = document["data"]
    return data


@pytest.mark.parametrize(
    ("arguments", "steps", "total"),
    [
        (("--preset", "balanced", "--gpu", "A100-80GB", "--count", "2"), 69, 4.03),
        (("--preset", "fast", "--gpu", "A100-80GB", "--count", "1"), 12, 1.68),
        (("--preset", "quality", "--gpu", "H100", "--count", "1"), 225, 3.35),
    ],
)
def test_the_originals_values_come_out_without_a_login(
    brightrun: BrightRun, arguments: tuple[str, ...], steps: int, total: float
) -> None:
    found = estimate(brightrun, "--profile", "v1", "--pairs", "89", "--tokens", "17800", *arguments)
    assert (found["training_details"]["total_steps"], found["estimated_cost"]) == (steps, total)


def test_the_better_estimate_is_the_default_and_the_services_own(brightrun: BrightRun) -> None:
    request = EstimateRequest(
        GpuConfig("H100", 1), pairs=1567, tokens=2_193_800, pairs_per_conversation=3.67
    )
    assert estimate(brightrun, *NUMBERS) == answer(request, None, Calibration())


def test_a_person_sees_time_cost_bill_phases_warnings_and_alternatives(
    brightrun: BrightRun,
) -> None:
    output = brightrun("estimate", *NUMBERS, "--gpu", "A100-80GB", "--count", "2").stdout
    for part in (
        "9 of 10 within",
        "1 x ml.p4de.24xlarge with 8 GPUs, $31.56 an hour",
        "download_model",
        "Mind: A100-80GB comes as 8 on one ml.p4de.24xlarge: asking for 2 bills 8, and trains",
        "1 x H100",
        "cheaper, faster",
    ):
        assert part in output


def test_a_person_sees_the_originals_figures_and_what_they_lack(brightrun: BrightRun) -> None:
    output = brightrun("estimate", "--profile", "v1", "--pairs", "89", "--tokens", "17800").stdout
    assert "(23 an epoch)" in output
    assert "it knows no model and no instance" in output


def test_a_person_sees_no_price_for_what_does_not_fit_but_what_would(brightrun: BrightRun) -> None:
    arguments = ("--model", "llama-3.3-70b-instruct", "--gpu", "H100")
    result = brightrun("estimate", *NUMBERS, *arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("none, because it does not fit") == 2
    assert "too little: llama-3.3-70b-instruct does not fit H100 (80 GiB) with lora" in (
        " ".join(result.stdout.split())
    )
    assert "the base model in 4 bits" in result.stdout
    assert "download_model" not in result.stdout


def test_guesses_are_named(brightrun: BrightRun) -> None:
    output = brightrun("estimate", "--pairs", "100").stdout
    assert "Assumed: 200 tokens a pair, as none were given" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--pairs and --tokens, or --dataset"),
        (("--pairs", "9", "--gpu", "TPU"), "gpu_config.type: 'TPU' is not known; use one of"),
        (("--pairs", "9", "--model", "gpt-2"), "base_model: 'gpt-2' is not known; use one of"),
        (("--pairs", "9", "--count", "9"), "--count"),
        (("--pairs", "9", "--rank", "3"), "--rank"),
        (("--pairs", "9", "--preset", "custom"), "learning_rate: is required"),
        (("--dataset", "any", "--pairs", "9"), "leave --pairs and --tokens out"),
    ],
)
def test_what_cannot_be_estimated_is_wrong_usage_and_says_why(
    brightrun: BrightRun, arguments: tuple[str, ...], words: str
) -> None:
    result = brightrun("estimate", *arguments, "--json")
    assert result.exit_code == 2
    assert words in json.loads(result.stderr)["error"]


def test_a_dataset_is_estimated_by_the_system(
    brightrun: BrightRun, system: FakeSystem, signed_in: None
) -> None:
    known = EstimateRequest(GpuConfig("H100", 1), pairs=10, tokens=2000)
    data = answer(known, None, Calibration())
    body = {"success": True, "data": data}
    system.route("POST", "/api/jobs/estimate", lambda *_: body)
    found = estimate(
        brightrun, "--dataset", "dataset-1", "--gpu", "H100", "--model", "qwen2.5-7b-instruct"
    )
    assert found == data
    (asked,) = system.sent("POST", "/api/jobs/estimate")
    assert asked.body == {
        "dataset_id": "dataset-1",
        "profile": "v2",
        "preset_id": "balanced",
        "base_model": "qwen2.5-7b-instruct",
        "gpu_config": {"type": "H100", "count": 1},
    }
