"""The whole answer of profile v2: a prediction, what it warns of, and what would be better."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from brightrun.domain.estimate_alternatives import Alternative, alternatives
from brightrun.domain.estimate_calibration import Calibration
from brightrun.domain.estimate_v1 import RATES, EstimateV1, estimate_v1
from brightrun.domain.estimate_v2 import Plan, Prediction, longest_sequence, predict
from brightrun.domain.gpu_instances import price_region
from brightrun.domain.training_size import TrainingSize

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
