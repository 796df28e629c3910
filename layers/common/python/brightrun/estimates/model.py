"""A request for an estimate, and the estimate: prediction, warnings and alternatives."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from brightrun.catalog.base_models import base_model, default_base_model
from brightrun.catalog.gpu_instances import (
    GpuConfig,
    billing,
    gpu_type,
    gpu_types,
    own_machine,
    price_region,
)
from brightrun.catalog.presets import RANGES, Hyperparameters, complete
from brightrun.core.errors import InvalidInputError
from brightrun.datasets.model import Dataset
from brightrun.estimates.calibration import Calibration
from brightrun.estimates.size import TrainingSize, dataset_size, given_size
from brightrun.estimates.v1 import RATES, EstimateV1, estimate_v1
from brightrun.estimates.v2 import Plan, Prediction, longest_sequence, predict

WORTHWHILE = 0.95
"""An alternative saves at least 5 % of the cost or of the time."""
COUNTS = (1, 2, 4, 8)
MOST = 4
LARGEST_BATCH = 64
SPOT_SHARE = 0.5
SPOT_LONGER = 1.1
"""Assumed: half the price, 10 % longer. AWS names savings of up to 90 % but no price in advance; a
job whose capacity is reclaimed continues from its last checkpoint."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A change of the plan, and the median seconds and US dollars of the changed job."""

    change: str
    seconds: float
    cost_usd: float
    cheaper: bool
    faster: bool
    settings: dict[str, Any]
    note: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The alternative as the API shows it."""
        rounded = {"seconds": round(self.seconds), "cost_usd": round(self.cost_usd, 2)}
        return {**dataclasses.asdict(self), **rounded}


def alternatives(current: Prediction, calibration: Calibration) -> list[Alternative]:
    """The best few changes, cheapest first; if the plan does not fit, changes that do."""
    found = []
    for change, settings, plan in _changes(current):
        other = predict(plan, calibration)
        if other.memory.fits:
            found.append(_alternative(current, other, change, settings))
    if current.memory.fits and not current.gpu.is_cpu:
        found.append(_on_spot(current))
    gains = [one for one in found if one.cheaper or one.faster or not current.memory.fits]
    useful = [one for one in gains if not any(_dominates(other, one) for other in gains)]
    chosen = {id(one): one for field in ("cost_usd", "seconds") for one in _best(useful, field)}
    return sorted(chosen.values(), key=lambda one: one.cost_usd)[:MOST]


def _dominates(other: Alternative, one: Alternative) -> bool:
    """Both cheaper and faster; not by a price that is assumed, nor by training on less text."""
    spot = "use_spot" in other.settings
    shorter = "max_seq_length" in other.settings.get("hyperparameters", {})
    return (
        not spot and not shorter and other.cost_usd < one.cost_usd and other.seconds < one.seconds
    )


def _best(found: list[Alternative], field: str) -> list[Alternative]:
    return sorted(found, key=lambda one: (getattr(one, field), one.cost_usd))[: MOST // 2]


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
    changes: dict[str, dict[str, Any]] = {
        "no dropout, which keeps activations instead of computing them twice": {"dropout": 0.0},
        "a larger batch, which gives every GPU work": {
            "batch_size": min(LARGEST_BATCH, 8 * current.billing.billed_gpus)
        },
        "the base model in 4 bits": {"method": "qlora"},
    }
    longest = current.memory.longest_trainable
    if RANGES["max_seq_length"][0] <= longest < hyper.max_seq_length:
        changes[f"sequences of at most {longest} tokens"] = {"max_seq_length": longest}
    for change, values in changes.items():
        changed = dataclasses.replace(hyper, **values)
        larger = changed.batch_size > hyper.batch_size or "batch_size" not in values
        needed = "method" not in values or not current.memory.fits
        if changed != hyper and larger and needed:
            yield change, {"hyperparameters": values}, dataclasses.replace(plan, hyper=changed)


def _alternative(
    current: Prediction, other: Prediction, change: str, settings: dict[str, Any]
) -> Alternative:
    seconds, cost = other.seconds.p50, other.cost_usd.p50
    return Alternative(
        change=change,
        seconds=seconds,
        cost_usd=cost,
        cheaper=current.memory.fits and cost < WORTHWHILE * current.cost_usd.p50,
        faster=current.memory.fits and seconds < WORTHWHILE * current.seconds.p50,
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


UNMEASURED = (
    "This estimate is not confirmed by a GPU run yet: speeds are fitted on published figures, the "
    "other phases are assumed. Your finished jobs will correct both."
)
NOTICEABLE_TRUNCATION = 0.01


@dataclass(frozen=True)
class Estimate:
    """The time and cost of a job; `v1` is v1's estimate of it, None if v1 does not know the GPU.

    Money is US dollars on demand, before tax, without storage and traffic (cents). A job that does
    not fit into the GPU's memory never runs: its answer has no time and no price.
    """

    prediction: Prediction
    alternatives: tuple[Alternative, ...]
    v1: EstimateV1 | None

    @property
    def total_steps(self) -> int:
        """Optimizer steps of all epochs."""
        return self.prediction.total_steps

    @property
    def estimated_total_cost(self) -> float:
        """The median cost, rounded to cents."""
        return round(self.prediction.cost_usd.p50, 2)

    @property
    def estimated_seconds(self) -> int:
        """The median duration, without waiting for capacity."""
        return round(self.prediction.seconds.p50)

    @property
    def warnings(self) -> list[str]:
        """Warnings for the user, before the job costs anything."""
        return _warnings(self.prediction)

    def on_own_machine(self) -> Estimate:
        """The same run on the developer's own machine, which bills nothing."""
        own = dataclasses.replace(self.prediction, billing=own_machine())
        return dataclasses.replace(self, prediction=own)

    def as_dict(self) -> dict[str, Any]:
        """The response's data, v1's fields included; at most some five kilobytes.

        `raw` is compared with the finished job (estimates/calibration.py).
        """
        one = self.prediction
        reasons = _not_trainable_because(one)
        return {
            "profile": "v2",
            **_v1_fields(one),
            **(_figures(one) if one.memory.fits else NO_FIGURES),
            "base_model": one.plan.model.key,
            "gpu_config": dataclasses.asdict(one.plan.gpu),
            "hyperparameters": dataclasses.asdict(one.plan.hyper),
            "billing": {**dataclasses.asdict(one.billing), "region": price_region()},
            "data": _data(one),
            "memory": dataclasses.asdict(one.memory),
            "trainable": not reasons,
            "not_trainable_because": reasons,
            "warnings": self.warnings,
            "assumptions": list(one.plan.size.assumptions),
            "alternatives": [each.as_dict() for each in self.alternatives],
            "calibration": {
                "bucket": one.bucket,
                "train_factor": one.train_factor.factor.as_dict(4),
                "train_jobs": one.train_factor.jobs,
                "overhead_factor": one.overhead_factor.factor.as_dict(4),
                "overhead_jobs": one.overhead_factor.jobs,
            },
            "raw": _raw(one, self.v1) if one.memory.fits else None,
        }


def estimate(plan: Plan, calibration: Calibration) -> Estimate:
    """Estimate a plan by profile v2; raises InvalidInputError for an unknown GPU type or count."""
    prediction = predict(plan, calibration)
    v1 = estimate_v1(*_stored(plan.size), plan.gpu, plan.hyper) if _known_to_v1(plan) else None
    return Estimate(prediction, tuple(alternatives(prediction, calibration)), v1)


def _known_to_v1(plan: Plan) -> bool:
    return plan.gpu.type in {*RATES, "H100-80GB"}


def _stored(size: TrainingSize) -> tuple[int, int]:
    pairs = size.pairs + size.validation_pairs
    return pairs, round(pairs * size.tokens_per_pair)


NO_FIGURES: Mapping[str, Any] = MappingProxyType(
    {
        "estimated_cost": None,
        "cost_breakdown": None,
        "estimated_duration_hours": None,
        "seconds": None,
        "billed_seconds": None,
        "cost_usd": None,
        "phases": [],
    }
)
"""The figures of a job that does not fit."""


def _figures(one: Prediction) -> dict[str, Any]:
    cost = round(one.cost_usd.p50, 2)
    return {
        "estimated_cost": cost,
        "cost_breakdown": {"compute": cost, "storage": 0.0},
        "estimated_duration_hours": round(one.seconds.p50 / 3600, 2),
        "seconds": one.seconds.as_dict(1),
        "billed_seconds": one.billed_seconds.as_dict(1),
        "cost_usd": one.cost_usd.as_dict(4),
        "phases": [
            {"name": p.name, "billed": p.billed, "seconds": p.seconds.as_dict(1)}
            for p in one.phases
        ],
    }


def _raw(one: Prediction, v1: EstimateV1 | None) -> dict[str, float | None]:
    return {
        "train_seconds": round(one.raw_train_s, 3),
        "overhead_seconds": round(one.raw_overhead_s, 3),
        "v1_seconds": round(v1.seconds, 1) if v1 else None,
        "v1_cost_usd": round(v1.total_usd, 4) if v1 else None,
    }


def _v1_fields(one: Prediction) -> dict[str, Any]:
    rate = round(one.step.tokens_per_second) if one.memory.fits else None
    return {
        "hourly_rate": round(one.billing.usd_per_hour, 2),
        "training_details": {
            "total_steps": one.total_steps,
            "steps_per_epoch": one.steps_per_epoch,
            "estimated_throughput_tokens_per_sec": rate,
            "dataset_name": one.plan.name,
        },
    }


def _data(one: Prediction) -> dict[str, Any]:
    size, data = one.plan.size, one.data
    return {
        "pairs": size.pairs,
        "validation_pairs": size.validation_pairs,
        "pairs_per_conversation": round(size.pairs_per_conversation, 2),
        "tokens_per_pair": round(size.tokens_per_pair * one.plan.model.token_factor, 1),
        "tokens_per_epoch": round(data.tokens),
        "sequences_per_epoch": round(data.count),
        "merge_factor": round(data.merge_factor, 2),
        "mean_sequence_tokens": round(data.mean_length, 1),
        "longest_sequence_tokens": round(data.longest),
        "truncated_share": round(data.truncated_share, 4),
        "busy_gpus": one.step.busy_gpus,
    }


def _not_trainable_because(one: Prediction) -> list[str]:
    """Why the plan cannot be trained; empty if it can."""
    model, found = one.plan.model, []
    if one.gpu.not_trainable is not None:
        found.append(one.gpu.not_trainable)
    if model.local_only and not one.gpu.is_cpu:
        found.append(f"{model.key} is generated locally and trains on local-cpu only.")
    if one.gpu.is_cpu and not model.local_only:
        found.append(f"{model.key} is far too large to train on a CPU; choose a GPU type.")
    if one.gpu.is_cpu and one.plan.hyper.method == "qlora":
        found.append("The method qlora needs a GPU; choose lora or rslora.")
    if one.memory.advice is not None:
        found.append(one.memory.advice)
    return found


COSTS_NOTHING = "It runs on your own machine and costs nothing, so max_cost_usd has no effect."


def _warnings(one: Prediction) -> list[str]:
    requested, rent, found = one.plan.gpu, one.billing, list(_not_trainable_because(one))
    if rent.usd_per_hour == 0:
        found.append(COSTS_NOTHING)
    if rent.billed_gpus > requested.count:
        found.append(
            f"{requested.type} comes as {rent.billed_gpus} on one {rent.instance_type}: asking for "
            f"{requested.count} bills {rent.billed_gpus}, and trains on them all."
        )
    if one.step.busy_gpus < rent.billed_gpus:
        found.append(
            f"A batch of {one.plan.hyper.batch_size} pairs keeps {one.step.busy_gpus} of "
            f"{rent.billed_gpus} GPUs busy, because pairs of a conversation share a sequence; use "
            "a larger batch or fewer GPUs."
        )
    if one.memory.fits and one.memory.gradient_checkpointing:
        found.append("Activations are computed twice to save memory: half again the work.")
    if one.data.truncated_share > NOTICEABLE_TRUNCATION:
        found.append(
            f"About {one.data.truncated_share:.0%} of the tokens lie beyond "
            f"{longest_sequence(one.plan)}; the oldest turns of long conversations are dropped."
        )
    if one.memory.fits and not one.train_factor.jobs and not one.gpu.is_cpu:
        found.append(UNMEASURED)
    return found


Profile = Literal["v1", "v2"]
DEFAULT_PROFILE: Profile = "v2"


@dataclass(frozen=True, slots=True)
class EstimateRequest:
    """A request for an estimate of a dataset or of given numbers; None means the default."""

    gpu: GpuConfig
    profile: Profile = DEFAULT_PROFILE
    dataset_id: str | None = None
    pairs: int | None = None
    tokens: int | None = None
    pairs_per_conversation: float = 1.0
    base_model: str | None = None
    preset_id: str | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)


def answer(
    request: EstimateRequest,
    dataset: Dataset | None,
    calibration: Calibration,
    *,
    own_cpu: bool = False,
) -> dict[str, Any]:
    """The estimate in the shape of the request's profile; `dataset` is the one that it names.

    With `own_cpu`, a CPU is the developer's own; GPUs keep the prices that they have on AWS.
    Raises InvalidInputError for values out of range and for a request with neither a dataset nor
    numbers, UnknownBaseModelError.
    """
    preset, hyper = complete(request.preset_id, request.hyperparameters)
    billing(request.gpu.type, request.gpu.count)
    gpu = GpuConfig(gpu_type(request.gpu.type).key, request.gpu.count)
    request = dataclasses.replace(request, gpu=gpu)
    if request.profile == "v1":
        return _by_v1(request, dataset, hyper)
    plan = _plan(request, dataset, hyper)
    found = estimate(plan, calibration)
    if own_cpu and found.prediction.gpu.is_cpu:
        found = found.on_own_machine()
    return {**found.as_dict(), "preset_id": preset}


def _by_v1(
    request: EstimateRequest, dataset: Dataset | None, hyper: Hyperparameters
) -> dict[str, Any]:
    if dataset is None:
        return estimate_v1(request.pairs, request.tokens, request.gpu, hyper).as_dict()
    pairs, tokens = dataset.total_training_pairs, dataset.total_tokens
    return estimate_v1(pairs, tokens, request.gpu, hyper, dataset.name).as_dict()


def _plan(request: EstimateRequest, dataset: Dataset | None, hyper: Hyperparameters) -> Plan:
    model = base_model(request.base_model) if request.base_model else default_base_model()
    model.require_servable(hyper.target_modules)
    if dataset is not None:
        return Plan(dataset_size(dataset), model, request.gpu, hyper, name=dataset.name)
    if request.pairs is None:
        message = "name a dataset_id, or total_training_pairs with total_tokens."
        raise InvalidInputError(message, details=[{"field": "dataset_id", "message": message}])
    size = given_size(request.pairs, request.tokens, request.pairs_per_conversation)
    return Plan(size, model, request.gpu, hyper)
