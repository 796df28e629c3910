"""A request for an estimate, and the whole answer: prediction, warnings and alternatives."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brightrun.catalog.base_models import base_model, default_base_model
from brightrun.catalog.gpu_instances import GpuConfig, billing, gpu_type, gpu_types, price_region
from brightrun.catalog.presets import Hyperparameters, complete
from brightrun.core.errors import InvalidInputError
from brightrun.datasets.model import Dataset
from brightrun.estimates.calibration import Calibration
from brightrun.estimates.size import TrainingSize, dataset_size, given_size
from brightrun.estimates.v1 import RATES, EstimateV1, estimate_v1
from brightrun.estimates.v2 import Plan, Prediction, longest_sequence, predict

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


UNMEASURED = (
    "No GPU run of ours has confirmed this yet: speeds are fitted on published figures, the other "
    "phases are assumed. Finished jobs of yours correct both."
)
NOTICEABLE_TRUNCATION = 0.01


@dataclass(frozen=True)
class Estimate:
    """What a job will take; `v1` is the original's answer to the same question, where it has one.

    Money is US dollars on demand, before tax; storage and traffic (cents) are not in it.
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
        """The middle of the cost, by cents."""
        return round(self.prediction.cost_usd.p50, 2)

    @property
    def estimated_seconds(self) -> int:
        """The middle of the whole duration, waiting for free capacity aside."""
        return round(self.prediction.seconds.p50)

    @property
    def warnings(self) -> list[str]:
        """What somebody should know before paying."""
        return _warnings(self.prediction)

    def as_dict(self) -> dict[str, Any]:
        """The answer, with the original's fields among its own; at most some five kilobytes.

        `raw` is what a finished job is compared with (services/measure_accuracy.py).
        """
        one = self.prediction
        return {
            "profile": "v2",
            **_original_fields(one),
            "seconds": one.seconds.as_dict(1),
            "billed_seconds": one.billed_seconds.as_dict(1),
            "cost_usd": one.cost_usd.as_dict(4),
            "phases": [
                {"name": p.name, "billed": p.billed, "seconds": p.seconds.as_dict(1)}
                for p in one.phases
            ],
            "base_model": one.plan.model.key,
            "gpu_config": dataclasses.asdict(one.plan.gpu),
            "hyperparameters": dataclasses.asdict(one.plan.hyper),
            "billing": {**dataclasses.asdict(one.billing), "region": price_region()},
            "data": _data(one),
            "memory": dataclasses.asdict(one.memory),
            "trainable": not _refusals(one),
            "not_trainable_because": _refusals(one),
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
            "raw": {
                "train_seconds": round(one.raw_train_s, 3),
                "overhead_seconds": round(one.raw_overhead_s, 3),
                "v1_seconds": round(self.v1.seconds, 1) if self.v1 else None,
                "v1_cost_usd": round(self.v1.total_usd, 4) if self.v1 else None,
            },
        }


def estimate(plan: Plan, calibration: Calibration) -> Estimate:
    """Estimate a plan by profile v2; raises InvalidInputError for an unknown GPU type or count."""
    prediction = predict(plan, calibration)
    original = (
        estimate_v1(*_stored(plan.size), plan.gpu, plan.hyper) if _known_to_v1(plan) else None
    )
    return Estimate(prediction, tuple(alternatives(prediction, calibration)), original)


def _known_to_v1(plan: Plan) -> bool:
    return plan.gpu.type in {*RATES, "H100-80GB"}


def _stored(size: TrainingSize) -> tuple[int, int]:
    pairs = size.pairs + size.validation_pairs
    return pairs, round(pairs * size.tokens_per_pair)


def _original_fields(one: Prediction) -> dict[str, Any]:
    cost = round(one.cost_usd.p50, 2)
    return {
        "estimated_cost": cost,
        "cost_breakdown": {"compute": cost, "storage": 0.0},
        "estimated_duration_hours": round(one.seconds.p50 / 3600, 2),
        "hourly_rate": round(one.billing.usd_per_hour, 2),
        "training_details": {
            "total_steps": one.total_steps,
            "steps_per_epoch": one.steps_per_epoch,
            "estimated_throughput_tokens_per_sec": round(one.step.tokens_per_second),
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


def _refusals(one: Prediction) -> list[str]:
    """Why no job can be made of it; nothing where one can."""
    model, found = one.plan.model, []
    if one.gpu.not_trainable is not None:
        found.append(one.gpu.not_trainable)
    if model.local_only and not one.gpu.is_cpu:
        found.append(f"{model.key} is built on the spot and trains on local-cpu only.")
    if one.gpu.is_cpu and not model.local_only:
        found.append(f"{model.key} is far too large to train on a CPU; choose a GPU type.")
    if one.gpu.is_cpu and one.plan.hyper.method == "qlora":
        found.append("The method qlora needs a GPU; choose lora or rslora.")
    if one.memory.advice is not None:
        found.append(one.memory.advice)
    return found


def _warnings(one: Prediction) -> list[str]:
    asked, rent, found = one.plan.gpu, one.billing, list(_refusals(one))
    if rent.billed_gpus > asked.count:
        found.append(
            f"{asked.type} comes as {rent.billed_gpus} on one {rent.instance_type}: asking for "
            f"{asked.count} bills {rent.billed_gpus}, and trains on them all."
        )
    if one.step.busy_gpus < rent.billed_gpus:
        found.append(
            f"A batch of {one.plan.hyper.batch_size} pairs gives work to {one.step.busy_gpus} of "
            f"{rent.billed_gpus} GPUs, for pairs of a conversation share a sequence; take a larger "
            "batch or fewer GPUs."
        )
    if one.memory.fits and one.memory.gradient_checkpointing:
        found.append("Activations are computed twice to save memory: half again the work.")
    if one.data.truncated_share > NOTICEABLE_TRUNCATION:
        found.append(
            f"About {one.data.truncated_share:.0%} of the tokens lie beyond "
            f"{longest_sequence(one.plan)}; the oldest turns of long conversations are left out."
        )
    if not one.train_factor.jobs and not one.gpu.is_cpu:
        found.append(UNMEASURED)
    return found


Profile = Literal["v1", "v2"]
DEFAULT_PROFILE: Profile = "v2"


@dataclass(frozen=True, slots=True)
class EstimateRequest:
    """What somebody wants an estimate of: a dataset, or numbers; what is None has its default."""

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
    wish: EstimateRequest, dataset: Dataset | None, calibration: Calibration
) -> dict[str, Any]:
    """Answer a wish in its profile's shape; `dataset` is the one that it names.

    Raises InvalidInputError for values out of range and where neither a dataset nor numbers are
    named, and UnknownBaseModelError.
    """
    preset, hyper = complete(wish.preset_id, wish.hyperparameters)
    billing(wish.gpu.type, wish.gpu.count)
    known = GpuConfig(gpu_type(wish.gpu.type).key, wish.gpu.count)
    asked = dataclasses.replace(wish, gpu=known)
    if wish.profile == "v1":
        return _by_v1(asked, dataset, hyper)
    # the jobs function only reads such a request

    return {**estimate(_plan(asked, dataset, hyper), calibration).as_dict(), "preset_id": preset}


def _by_v1(
    wish: EstimateRequest, dataset: Dataset | None, hyper: Hyperparameters
) -> dict[str, Any]:
    if dataset is None:
        return estimate_v1(wish.pairs, wish.tokens, wish.gpu, hyper).as_dict()
    pairs, tokens = dataset.total_training_pairs, dataset.total_tokens
    return estimate_v1(pairs, tokens, wish.gpu, hyper, dataset.name).as_dict()


def _plan(wish: EstimateRequest, dataset: Dataset | None, hyper: Hyperparameters) -> Plan:
    from brightrun.estimates.v2 import Plan

    model = default_base_model() if wish.base_model is None else base_model(wish.base_model)
    if dataset is not None:
        return Plan(dataset_size(dataset), model, wish.gpu, hyper, name=dataset.name)
    if wish.pairs is None:
        message = "name a dataset_id, or total_training_pairs with total_tokens."
        raise InvalidInputError(message, details=[{"field": "dataset_id", "message": message}])
    size = given_size(wish.pairs, wish.tokens, wish.pairs_per_conversation)
    return Plan(size, model, wish.gpu, hyper)
