"""What a request for a training job must fulfil before anything is paid, and the job made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from brightrun.domain.base_models import BaseModelEntry
from brightrun.domain.dataset import Dataset
from brightrun.domain.estimate import Estimate
from brightrun.domain.estimate_v2 import Prediction
from brightrun.domain.gpu_instances import GpuType
from brightrun.domain.moments import iso
from brightrun.domain.training_costs import DECIMALS
from brightrun.domain.training_job import GpuConfig, PresetId, TrainingJob
from brightrun.errors import InvalidInputError
from brightrun.errors.training import DatasetNotReadyError

_STARTING_UP = frozenset({"image", "download_model", "load_model", "tokenise"})
"""The billed phases before the first step."""


@dataclass(frozen=True, slots=True)
class TrainingOrder:
    """What a caller asks for; `hyperparameters` are those that are named."""

    dataset_id: str
    gpu: GpuConfig
    name: str | None = None
    preset_id: str | None = None
    base_model: str | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    max_cost_usd: float | None = None
    use_spot: bool = False
    allow_simulated: bool = False

    def fingerprint(self) -> str:
        """A hash that is the same for the same order."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()


def require_trainable(dataset: Dataset, *, allow_simulated: bool) -> None:
    """Raise DatasetNotReadyError or InvalidInputError for a dataset that gives nothing to learn."""
    advice = _ADVICE.get(dataset.status)
    if advice is not None:
        raise _not_ready(dataset, advice)
    if not dataset.training_ready:
        raise _not_ready(
            dataset, "has no pair with anything to learn; its report says why of each row."
        )
    if dataset.simulated and not allow_simulated:
        raise _refused(
            "allow_simulated",
            f"The dataset '{dataset.name}' holds simulated conversations, which teach a model "
            "nothing. Set allow_simulated to train on them all the same.",
        )


_ADVICE: Mapping[str, str] = {
    "uploading": "is still being uploaded: upload its file and confirm it with POST "
    "/api/datasets/{id}/confirm.",
    "validating": "is being validated: wait until its status is ready.",
    "error": "was found faulty: look at its report, mend the file and upload it anew. {reason}",
}


def require_machine(model: BaseModelEntry, gpu: GpuType, *, any_instance: bool) -> None:
    """Raise InvalidInputError where a model cannot be trained on such a machine.

    A model that is made on the spot trains on a CPU, and nothing else does; `any_instance` lifts
    that where every instance is the developer's own machine.
    """
    if any_instance or model.local_only == gpu.is_cpu:
        return
    if gpu.is_cpu:
        raise _refused(
            "gpu_config.type",
            f"{gpu.key} trains only models that are made on the spot, and {model.key} is not "
            "one. Choose a GPU type.",
        )
    raise _refused(
        "base_model",
        f"{model.key} is made on the spot to train on a CPU; {gpu.key} would be paid for nothing. "
        "Choose gpu_config.type local-cpu, or another base model.",
    )


def require_room_and_budget(order: TrainingOrder, prediction: Prediction) -> None:
    """Raise InvalidInputError for a run that does not fit its GPU, or ends before its first step.

    A budget below the estimated cost of starting up would be spent without an adapter.
    """
    if not prediction.memory.fits:
        raise _refused(
            "gpu_config", prediction.memory.advice or "The run does not fit into the GPU."
        )
    starting_up = startup_usd(prediction)
    if order.max_cost_usd is not None and order.max_cost_usd <= starting_up:
        raise _refused(
            "max_cost_usd",
            f"{order.max_cost_usd:.4g} US dollars are not more than the {starting_up:.4g} that "
            f"starting up is estimated to cost, so that nothing would be trained; the whole run "
            f"is estimated at {prediction.cost_usd.p50:.4g}. Raise it or leave it out.",
        )


def startup_usd(prediction: Prediction) -> float:
    """What is probably billed before the first step, in US dollars."""
    seconds = sum(
        phase.seconds.p50
        for phase in prediction.phases
        if phase.billed and phase.name in _STARTING_UP
    )
    return round(seconds * prediction.billing.usd_per_hour / 3600, DECIMALS)


def new_job(
    owner_id: str,
    job_id: str,
    order: TrainingOrder,
    *,
    dataset: Dataset,
    preset_id: PresetId,
    estimate: Estimate,
    now: datetime,
) -> TrainingJob:
    """The job of an order, at the prices and with the estimate of this moment."""
    prediction = estimate.prediction
    model, hyperparameters = prediction.plan.model, prediction.plan.hyper
    return TrainingJob(
        owner_id=owner_id,
        job_id=job_id,
        dataset_id=dataset.dataset_id,
        dataset_name=dataset.name,
        name=order.name or f"{dataset.name} on {model.key}",
        base_model=model.key,
        preset_id=preset_id,
        hyperparameters=hyperparameters,
        gpu_config=prediction.plan.gpu,
        billing=prediction.billing,
        estimate=estimate.as_dict(),
        external_job_id=f"brightrun-{job_id}",
        queued_at=iso(now),
        updated_at=iso(now),
        total_epochs=hyperparameters.epochs,
        total_steps=prediction.total_steps,
        use_spot=order.use_spot,
        max_cost_usd=order.max_cost_usd,
        estimated_total_cost=round(prediction.cost_usd.p50, DECIMALS),
    )


def _not_ready(dataset: Dataset, advice: str) -> DatasetNotReadyError:
    told = advice.replace("{id}", dataset.dataset_id)
    told = told.replace("{reason}", dataset.error_message or "").rstrip()
    return DatasetNotReadyError(
        f"The dataset '{dataset.name}' {told}",
        details={
            "dataset_id": dataset.dataset_id,
            "status": dataset.status,
            "trainable_pairs": dataset.trainable_pairs,
            "error_message": dataset.error_message,
        },
    )


def _refused(field_name: str, message: str) -> InvalidInputError:
    return InvalidInputError(
        f"{field_name}: {message}", details=[{"field": field_name, "message": message}]
    )
