"""Profile v1: v1's formula with its constants, kept for compatibility.

It ignores the model, the lengths and that instances are rented whole, and its fixed minutes
dominate. Compared with 17 published figures its rates are wrong by 60 % on average; use v2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.catalog.presets import Hyperparameters
from brightrun.core.errors import InvalidInputError


class Rate(NamedTuple):
    """US dollars per hour and tokens per second of one GPU, as in v1."""

    usd_per_hour: float
    tokens_per_second: int


RATES: Mapping[str, Rate] = MappingProxyType(
    {
        "A100-80GB": Rate(3.50, 1800),
        "A100-40GB": Rate(2.80, 1500),
        "H100": Rate(4.20, 2200),
        "V100-32GB": Rate(2.10, 1200),
    }
)
DEFAULT_PAIRS = 1000
DEFAULT_TOKENS_A_PAIR = 200
SETUP_S = 600
VALIDATION_S_AN_EPOCH = 300
SAVING_S = 300
STORAGE_USD = 0.50


@dataclass(frozen=True, slots=True)
class EstimateV1:
    """v1's estimate; money in US dollars, unrounded."""

    compute_usd: float
    seconds: float
    hourly_rate: float
    total_steps: int
    steps_per_epoch: int
    tokens_per_second: int
    dataset_name: str | None

    @property
    def total_usd(self) -> float:
        """Compute and storage together."""
        return self.compute_usd + STORAGE_USD

    def as_dict(self) -> dict[str, Any]:
        """v1's response, with the profile's name added."""
        return {
            "profile": "v1",
            "estimated_cost": two_decimals(self.total_usd),
            "cost_breakdown": {
                "compute": two_decimals(self.compute_usd),
                "storage": two_decimals(STORAGE_USD),
            },
            "estimated_duration_hours": two_decimals(self.seconds / 3600),
            "hourly_rate": two_decimals(self.hourly_rate),
            "training_details": {
                "total_steps": self.total_steps,
                "steps_per_epoch": self.steps_per_epoch,
                "estimated_throughput_tokens_per_sec": self.tokens_per_second,
                "dataset_name": self.dataset_name,
            },
        }


def estimate_v1(
    pairs: int | None,
    tokens: int | None,
    gpu: GpuConfig,
    hyper: Hyperparameters,
    dataset_name: str | None = None,
) -> EstimateV1:
    """v1's formula; the default is 1,000 pairs, and 200 tokens per pair.

    Raises InvalidInputError for a GPU type unknown to v1.
    """
    rate = RATES.get("H100" if gpu.type == "H100-80GB" else gpu.type)
    if rate is None:
        message = f"'{gpu.type}' is unknown to profile v1; use one of {', '.join(RATES)}."
        raise InvalidInputError.of_field("gpu_config.type", message)
    counted_pairs = pairs or DEFAULT_PAIRS
    counted_tokens = tokens or counted_pairs * DEFAULT_TOKENS_A_PAIR
    steps_per_epoch = math.ceil(counted_pairs / hyper.batch_size)
    total_steps = steps_per_epoch * hyper.epochs
    speed = rate.tokens_per_second * gpu.count
    seconds_per_step = counted_tokens / counted_pairs * hyper.batch_size / speed
    fixed = SETUP_S + VALIDATION_S_AN_EPOCH * hyper.epochs + SAVING_S
    seconds = total_steps * seconds_per_step + fixed
    hourly_rate = rate.usd_per_hour * gpu.count
    return EstimateV1(
        compute_usd=hourly_rate * seconds / 3600,
        seconds=seconds,
        hourly_rate=hourly_rate,
        total_steps=total_steps,
        steps_per_epoch=steps_per_epoch,
        tokens_per_second=speed,
        dataset_name=dataset_name,
    )


def two_decimals(value: float) -> float:
    """Round as JavaScript's toFixed(2): the double's exact value, halves away from zero."""
    return float(Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP))
