"""Creates training jobs: checks, estimates, stores and starts them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from brightrun.aws.request_keys import RequestKeys
from brightrun.catalog.base_models import BaseModelEntry, base_model, default_base_model
from brightrun.catalog.gpu_instances import GpuConfig, GpuType, trainable_gpu_type
from brightrun.catalog.presets import PresetId, complete
from brightrun.core.errors import (
    DatasetNotReadyError,
    DuplicateKeyError,
    InvalidInputError,
    NotFoundError,
)
from brightrun.core.ids import time_ordered_id
from brightrun.core.timestamps import Clock, iso
from brightrun.datasets.model import Dataset
from brightrun.datasets.repository import DatasetRepository
from brightrun.estimates.model import Estimate
from brightrun.estimates.service import TrainingEstimator
from brightrun.estimates.v2 import Prediction
from brightrun.training.costs.model import DECIMALS
from brightrun.training.gateway import TrainingWorkflow
from brightrun.training.model import TrainingJob, training_event
from brightrun.training.notices import job_queued
from brightrun.training.repository import TrainingJobRepository, TrainingRecords

_STARTING_UP = frozenset({"image", "download_model", "load_model", "tokenise"})
"""The billed phases before the first step."""


@dataclass(frozen=True, slots=True)
class TrainingJobRequest:
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


def require_room_and_budget(order: TrainingJobRequest, prediction: Prediction) -> None:
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
    order: TrainingJobRequest,
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


@dataclass(frozen=True, slots=True)
class TrainingJobCreator:
    """What POST /api/jobs does.

    `any_instance` is True where every instance is the developer's own machine.
    """

    datasets: DatasetRepository
    jobs: TrainingJobRepository
    records: TrainingRecords
    estimator: TrainingEstimator
    keys: RequestKeys
    workflow: TrainingWorkflow
    clock: Clock
    any_instance: bool

    def create(
        self, owner_id: str, order: TrainingJobRequest, idempotency_key: str | None
    ) -> TrainingJob:
        """Store the job and start its workflow.

        With a key, a repetition gives the first job and starts its workflow if that is missing.
        Raises NotFoundError for the dataset, DatasetNotReadyError, UnknownBaseModelError,
        UntrainableGpuError, InvalidInputError, IdempotencyKeyReusedError, StorageError.
        """
        now = self.clock()
        job_id = time_ordered_id(now)
        if idempotency_key is not None:
            job_id = self.keys.job_for(owner_id, idempotency_key, order.fingerprint(), job_id, now)
        try:
            job = self.jobs.job(owner_id, job_id)
        except NotFoundError:
            job = self._take_on(owner_id, job_id, order, now)
        if not job.settled:
            self.workflow.ensure_training(job)
        return job

    def _take_on(
        self, owner_id: str, job_id: str, order: TrainingJobRequest, now: datetime
    ) -> TrainingJob:
        job = self._planned(owner_id, job_id, order, now)
        try:
            self.jobs.create(job, job_queued(job, now))
        except DuplicateKeyError:
            # The same request came twice at once; the other one stored the job.
            return self.jobs.job(owner_id, job_id)
        message = f"Queued for {job.billing.instances} x {job.billing.instance_type}."
        self.records.add_event(job, training_event(now, "info", "queued", message))
        return job

    def _planned(
        self, owner_id: str, job_id: str, order: TrainingJobRequest, now: datetime
    ) -> TrainingJob:
        """Check everything that can be known before a GPU is paid for."""
        model = base_model(order.base_model) if order.base_model else default_base_model()
        preset_id, hyperparameters = complete(order.preset_id, order.hyperparameters)
        gpu = trainable_gpu_type(order.gpu.type)
        require_machine(model, gpu, any_instance=self.any_instance)
        dataset = self.datasets.dataset(owner_id, order.dataset_id)
        require_trainable(dataset, allow_simulated=order.allow_simulated)
        asked = GpuConfig(gpu.key, order.gpu.count)
        estimate = self.estimator.of_dataset(owner_id, dataset, model, asked, hyperparameters)
        require_room_and_budget(order, estimate.prediction)
        return new_job(
            owner_id,
            job_id,
            order,
            dataset=dataset,
            preset_id=preset_id,
            estimate=estimate,
            now=now,
        )
