"""GPUs are rented and billed as whole instances."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from brightrun.catalog.gpu_instances import (
    billing,
    billings,
    gpu_type,
    gpu_types,
    price_date,
    trainable_gpu_type,
)
from brightrun.core.errors import InvalidInputError, UntrainableGpuError

RECIPES = Path(__file__).resolve().parents[3] / "training_container" / "recipes"


@pytest.mark.parametrize(
    ("name", "count", "instance", "instances", "billed", "usd"),
    [
        ("A100-80GB", 2, "ml.p4de.24xlarge", 1, 8, 31.564),
        ("A100-40GB", 8, "ml.p4d.24xlarge", 1, 8, 25.251),
        ("H100", 1, "ml.p5.4xlarge", 1, 1, 7.912),
        ("H100-80GB", 3, "ml.p5.4xlarge", 3, 3, 23.736),
        ("H100", 8, "ml.p5.48xlarge", 1, 8, 63.296),
        ("A10G", 1, "ml.g5.2xlarge", 1, 1, 1.515),
        ("L4", 2, "ml.g6.2xlarge", 2, 2, 2.444),
        ("L40S", 1, "ml.g6e.2xlarge", 1, 1, 2.8026),
        ("V100-32GB", 1, "ml.p3dn.24xlarge", 1, 8, 35.89),
        ("cpu", 1, "ml.m5.2xlarge", 1, 1, 0.461),
    ],
)
def test_the_cheapest_instances_that_have_the_gpus_are_billed_whole(
    name: str, count: int, instance: str, instances: int, billed: int, usd: float
) -> None:
    found = billing(name, count)
    assert (found.instance_type, found.instances, found.billed_gpus) == (
        instance,
        instances,
        billed,
    )
    assert found.usd_per_hour == pytest.approx(usd)
    assert found.price_date == price_date()


def test_every_way_to_rent_is_listed_cheapest_first() -> None:
    prices = [way.usd_per_hour for way in billings("H100", 2)]
    assert prices == sorted(prices)
    assert len(prices) == 2


def test_prices_have_a_day() -> None:
    assert date.fromisoformat(price_date()).year >= 2026


@pytest.mark.parametrize("count", [0, 9])
def test_a_count_out_of_range_is_refused_with_its_field_its_value_and_the_range(count: int) -> None:
    with pytest.raises(InvalidInputError, match=f"gpu_config.count: {count} is outside of 1 to 8"):
        billing("H100", count)


def test_there_is_one_processor_only() -> None:
    with pytest.raises(InvalidInputError, match="2 is outside of 1 to 1 for local-cpu"):
        billing("local-cpu", 2)


def test_an_unknown_type_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInputError, match="'B200' is not known; use one of A100-80GB, .*cpu"):
        gpu_type("B200")


def test_a_v100_is_known_and_not_trained_on() -> None:
    assert [one.key for one in gpu_types() if not one.trainable] == ["V100-32GB"]
    with pytest.raises(UntrainableGpuError, match="no bfloat16"):
        trainable_gpu_type("V100-32GB")
    assert trainable_gpu_type("H100-80GB").key == "H100"


def test_every_recipe_is_sized_for_an_instance_that_can_be_trained_on() -> None:
    trainable = {
        instance.type for gpu in gpu_types() if gpu.trainable for instance in gpu.instances
    }
    recipes = sorted(RECIPES.glob("*.yaml"))
    sized_for = {
        path.stem: re.search(r"^instance_type: (\S+)", path.read_text("utf-8"), re.MULTILINE)[1]  # type: ignore[index]
        for path in recipes
    }
    assert sized_for.pop("smoke_cpu") == "local_cpu"
    assert set(sized_for.values()) <= trainable
    assert {"ml.g5.2xlarge", "ml.g6.2xlarge", "ml.g6e.2xlarge"} <= set(sized_for.values())
