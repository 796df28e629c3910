"""Profile v1 gives v1's estimate, to the cent."""

from __future__ import annotations

import pytest

from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.catalog.presets import PRESETS, PresetId
from brightrun.core.errors import InvalidInputError
from brightrun.estimates.v1 import estimate_v1, two_decimals

GOLDEN: list[tuple[int | None, int | None, PresetId, str, int, dict[str, float]]] = [
    (
        89, 17_800, "balanced", "A100-80GB", 2,
        {"per_epoch": 23, "steps": 69, "hours": 0.50, "compute": 3.53, "total": 4.03, "rate": 7.0},
    ),
    (89, 17_800, "fast", "A100-80GB", 1,
     {"steps": 12, "hours": 0.34, "compute": 1.18, "total": 1.68}),
    (89, 17_800, "quality", "H100", 1,
     {"steps": 225, "hours": 0.68, "compute": 2.85, "total": 3.35}),
    (1567, 313_400, "balanced", "A100-80GB", 2, {"steps": 1176, "hours": 0.57, "total": 4.51}),
    (None, None, "balanced", "A100-80GB", 2, {"steps": 750, "total": 4.32}),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "tokens", "preset", "gpu", "count", "golden"), GOLDEN)
def test_v1s_golden_values_come_out(
    pairs: int | None,
    tokens: int | None,
    preset: PresetId,
    gpu: str,
    count: int,
    golden: dict[str, float],
) -> None:
    found = estimate_v1(pairs, tokens, GpuConfig(gpu, count), PRESETS[preset]).as_dict()
    details, costs = found["training_details"], found["cost_breakdown"]
    named = {
        "per_epoch": details["steps_per_epoch"],
        "steps": details["total_steps"],
        "hours": found["estimated_duration_hours"],
        "compute": costs["compute"],
        "total": found["estimated_cost"],
        "rate": found["hourly_rate"],
    }
    assert {name: named[name] for name in golden} == golden


def test_the_response_has_v1s_fields_and_its_profile() -> None:
    found = estimate_v1(89, 17_800, GpuConfig("A100-80GB", 2), PRESETS["balanced"], "Mine")
    assert found.as_dict() == {
        "profile": "v1",
        "estimated_cost": 4.03,
        "cost_breakdown": {"compute": 3.53, "storage": 0.5},
        "estimated_duration_hours": 0.5,
        "hourly_rate": 7.0,
        "training_details": {
            "total_steps": 69,
            "steps_per_epoch": 23,
            "estimated_throughput_tokens_per_sec": 3600,
            "dataset_name": "Mine",
        },
    }


def test_a_gpu_unknown_to_v1_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match="'local-cpu' is unknown to profile v1"):
        estimate_v1(1, 1, GpuConfig("local-cpu", 1), PRESETS["fast"])


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        pytest.param(2.675, 2.67, id="the double is a little below the half"),
        pytest.param(1.005, 1.0, id="as it is here"),
        pytest.param(0.125, 0.13, id="an exact half goes up"),
        pytest.param(2.5 / 1000, 0.0, id="less than half a cent is nothing"),
    ],
)
def test_rounding_is_that_of_to_fixed(value: float, rounded: float) -> None:
    assert two_decimals(value) == rounded
