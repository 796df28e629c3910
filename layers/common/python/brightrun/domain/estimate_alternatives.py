"""What to change to be cheaper or faster: every suggestion is predicted the same way."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from brightrun.domain.estimate_calibration import Calibration
from brightrun.domain.estimate_v2 import Plan, Prediction, predict
from brightrun.domain.gpu_instances import billing, gpu_types
from brightrun.domain.training_job import GpuConfig

WORTHWHILE = 0.95
"""A suggestion saves at least one part in twenty of the cost or of the time."""
COUNTS = (1, 2, 4, 8)
MOST = 4
LARGEST_BATCH = 64

SPOT_SHARE = 0.5
SPOT_LONGER = 1.1
"""Assumed: half the price, a tenth longer. AWS names savings of up to 90 % and no price in advance;
capacity may be taken back, and the job then goes on from its last checkpoint."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A change, and what the job would then take: seconds and US dollars, both in the middle."""

    change: str
    seconds: float
    cost_usd: float
    cheaper: bool
    faster: bool
    settings: dict[str, Any]
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The change as it is shown."""
        rounded = {"seconds": round(self.seconds), "cost_usd": round(self.cost_usd, 2)}
        return {**dataclasses.asdict(self), **rounded}


def alternatives(current: Prediction, calibration: Calibration) -> list[Alternative]:
    """The best few changes, cheapest first; where the plan does not fit, those that do."""
    found = []
    for change, settings, plan in _changes(current):
        other = predict(plan, calibration)
        if other.memory.fits:
            found.append(_compared(current, other, change, settings))
    if current.memory.fits and not current.gpu.is_cpu:
        found.append(_on_spot(current))
    gains = [one for one in found if one.cheaper or one.faster or not current.memory.fits]
    useful = [one for one in gains if not any(_beats(other, one) for other in gains)]
    chosen = {id(one): one for order in ("cost_usd", "seconds") for one in _best(useful, order)}
    return sorted(chosen.values(), key=lambda one: one.cost_usd)[:MOST]


def _beats(other: Alternative, one: Alternative) -> bool:
    """Cheaper and faster both; spot capacity beats nothing, for its price is assumed."""
    spot = "use_spot" in other.settings
    return not spot and other.cost_usd < one.cost_usd and other.seconds < one.seconds


def _best(found: list[Alternative], order: str) -> list[Alternative]:
    return sorted(found, key=lambda one: (getattr(one, order), one.cost_usd))[: MOST // 2]


def _changes(current: Prediction) -> Iterator[tuple[str, dict[str, Any], Plan]]:
    plan = current.plan
    if current.gpu.is_cpu:
        return
    for gpu in (one for one in gpu_types() if one.trainable and not one.is_cpu):
        smallest = min(instance.gpus for instance in gpu.instances)
        for count in (one for one in COUNTS if one >= smallest):
            config = GpuConfig(gpu.key, count)
            if billing(gpu.key, count) != current.billing:
                settings = {"gpu_config": dataclasses.asdict(config)}
                yield f"{count} x {gpu.key}", settings, dataclasses.replace(plan, gpu=config)
    hyper = plan.hyper
    ways: dict[str, dict[str, Any]] = {
        "no dropout, which keeps activations instead of computing them twice": {"dropout": 0.0},
        "a larger batch, which gives every GPU work": {
            "batch_size": min(LARGEST_BATCH, 8 * current.billing.billed_gpus)
        },
        "the base model in 4 bits": {"method": "qlora"},
    }
    for change, values in ways.items():
        changed = dataclasses.replace(hyper, **values)
        larger = changed.batch_size > hyper.batch_size or "batch_size" not in values
        needed = "method" not in values or not current.memory.fits
        if changed != hyper and larger and needed:
            yield change, {"hyperparameters": values}, dataclasses.replace(plan, hyper=changed)


def _compared(
    current: Prediction, other: Prediction, change: str, settings: dict[str, Any]
) -> Alternative:
    seconds, cost = other.seconds.p50, other.cost_usd.p50
    return Alternative(
        change=change,
        seconds=seconds,
        cost_usd=cost,
        cheaper=cost < WORTHWHILE * current.cost_usd.p50,
        faster=seconds < WORTHWHILE * current.seconds.p50,
        settings=settings,
        note=_note(settings),
    )


def _note(settings: dict[str, Any]) -> str | None:
    if "batch_size" in settings.get("hyperparameters", {}):
        return "fewer, larger steps: the learning rate may have to be higher"
    return None


def _on_spot(current: Prediction) -> Alternative:
    return Alternative(
        change="spot capacity",
        seconds=current.seconds.p50 * SPOT_LONGER,
        cost_usd=current.cost_usd.p50 * SPOT_SHARE * SPOT_LONGER,
        cheaper=True,
        faster=False,
        settings={"use_spot": True},
        note="assumed at half the price; no price is promised, and capacity may be taken back",
    )
