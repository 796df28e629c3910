"""Creates training jobs: checks the request, estimates the job, stores and starts it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from brightrun.aws.request_keys import RequestKeys
from brightrun.aws.service_quotas import TrainingQuotas
from brightrun.catalog.base_models import BaseModelEntry, base_model, default_base_model
from brightrun.catalog.gpu_instances import (
    Billing,
    GpuConfig,
    GpuType,
    trainable_gpu_type,
    training_quota,
)
from brightrun.catalog.presets import PresetId, complete
from brightrun.core.budgets import Limits, month_of
from brightrun.core.errors import (
    DatasetNotReadyError,
    DuplicateKeyError,
    InvalidInputError,
    NotFoundError,
    QuotaTooLowError,
    RequestInProgressError,
)
from brightrun.core.ids import time_ordered_id
from brightrun.core.replays import note_replay
from brightrun.core.timestamps import Clock, iso
from brightrun.datasets.model import Dataset
from brightrun.datasets.repository import DatasetRepository
from brightrun.sft.settings import TEMPLATE_DATE
from brightrun.training.costs.model import DECIMALS
from brightrun.training.gateway import TrainingWorkflow
from brightrun.training.model import TrainingJob, training_event
from brightrun.training.notices import job_queued
from brightrun.training.repository import TrainingJobRepository, TrainingRecords

if TYPE_CHECKING:
    # Composed by the request that creates a job; the other routes import none of it.
    from brightrun.estimates.model import Estimate
    from brightrun.estimates.service import TrainingEstimator
    from brightrun.estimates.v2 import Prediction
    from brightrun.training.check_dataset import DatasetChecker


_STARTUP_PHASES = frozenset({"image", "download_model", "load_model", "tokenise"})
"""The billed phases before the first step."""


@dataclass(frozen=True, slots=True)
class TrainingJobRequest:
    """A request for a training job; `hyperparameters` holds only those that the caller named."""

    dataset_id: str
    gpu: GpuConfig
    name: str | None = None
    preset_id: str | None = None
    base_model: str | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    max_cost_usd: float | None = None
    use_spot: bool = False
    allow_simulated: bool = False
    template_variables: Mapping[str, Any] = field(default_factory=dict)
    template_date: str = TEMPLATE_DATE

    def fingerprint(self) -> str:
        """A hash that is equal for equal requests."""
        return hashlib.sha256(repr(asdict(self)).encode()).hexdigest()


def require_trainable(dataset: Dataset, *, allow_simulated: bool) -> None:
    """Raise DatasetNotReadyError or InvalidInputError for a dataset that cannot be trained on."""
    advice = _ADVICE.get(dataset.status)
    if advice is not None:
        raise _not_ready(dataset, advice)
    if not dataset.training_ready:
        raise _not_ready(
            dataset, "has no pair to train on; its report states the reason for each row."
        )
    if dataset.simulated and not allow_simulated:
        raise InvalidInputError.of_field(
            "allow_simulated",
            f"The dataset '{dataset.name}' holds simulated conversations, from which a model "
            "learns nothing. Set allow_simulated to train on them anyway.",
        )


_ADVICE: Mapping[str, str] = {
    "uploading": "is still being uploaded: upload its file and confirm it with POST "
    "/api/datasets/{id}/confirm.",
    "validating": "is being validated: wait until its status is ready.",
    "error": "is invalid: read its report, correct the file and upload it again. {reason}",
}


def require_machine(model: BaseModelEntry, gpu: GpuType, *, any_instance: bool) -> None:
    """Raise InvalidInputError if the model cannot be trained on this GPU type.

    Locally generated models train on a CPU, and no other model does; `any_instance` permits any
    type, because every instance is the developer's own machine.
    """
    if any_instance or model.local_only == gpu.is_cpu:
        return
    if gpu.is_cpu:
        raise InvalidInputError.of_field(
            "gpu_config.type",
            f"{gpu.key} trains only models that are generated locally, and {model.key} is not "
            "one. Choose a GPU type.",
        )
    raise InvalidInputError.of_field(
        "base_model",
        f"{model.key} is generated locally to train on a CPU; {gpu.key} would only add cost. "
        "Choose gpu_config.type local-cpu, or another base model.",
    )


def require_memory_and_budget(request: TrainingJobRequest, prediction: Prediction) -> None:
    """Raise InvalidInputError for a run that does not fit its GPU, or its budget.

    A budget below the estimated cost of the startup would be spent without an adapter.
    """
    if not prediction.memory.fits:
        raise InvalidInputError.of_field(
            "gpu_config", prediction.memory.advice or "The run does not fit into the GPU."
        )
    startup = startup_usd(prediction)
    if request.max_cost_usd is not None and request.max_cost_usd <= startup > 0:
        raise InvalidInputError.of_field(
            "max_cost_usd",
            f"{request.max_cost_usd:.4g} US dollars are not more than the {startup:.4g} that "
            f"starting up is estimated to cost, so that nothing would be trained; the whole run "
            f"is estimated at {prediction.cost_usd.p50:.4g}. Raise it or leave it out.",
        )


def require_cap(request: TrainingJobRequest, prediction: Prediction, most_usd: float) -> None:
    """Raise InvalidInputError for a run without a cap that may cost more than `most_usd`.

    Nothing but SageMaker's limit of five days would end such a run if its estimate were wrong.
    """
    likely = prediction.cost_usd
    if request.max_cost_usd is None and likely.p90 > most_usd:
        raise InvalidInputError.of_field(
            "max_cost_usd",
            f"The run is estimated at {likely.p50:,.2f} US dollars, and one of ten such runs costs "
            f"more than {likely.p90:,.2f}: above {most_usd:,.2f} this deployment trains only with "
            "a cap. Name the most that it may cost; training stops there, and still delivers.",
        )


CAP_OF_ESTIMATE = 2
"""A cap that nobody named, over the ninetieth percentile of the cost: it ends what went wrong."""


def with_reservation(
    job: TrainingJob, p90_usd: float, now: datetime, limits: Limits
) -> TrainingJob:
    """The job with what it reserves of this month's budgets: its cap, which it gets if one is set.

    Without a budget and a cap, it is the ninetieth percentile of the cost.
    """
    cap = job.max_cost_usd
    if cap is None and limits.are_set and p90_usd > 0:
        cap = math.ceil(CAP_OF_ESTIMATE * p90_usd * 100) / 100
    most = cap if cap is not None and job.billing.usd_per_hour > 0 else p90_usd
    return dataclasses.replace(
        job,
        max_cost_usd=cap,
        budget_month=month_of(now),
        budget_reserved_micro_usd=round(most * 1e6),
    )


def require_quota(billing: Billing, quotas: TrainingQuotas, *, spot: bool) -> None:
    """Raise QuotaTooLowError if the account may never run the job's instances at once.

    What is not known refuses nothing: SageMaker then decides when the job is started. Nor does a
    quota that other jobs use up now: the job waits for them.
    """
    quota = training_quota(billing.instance_type, spot=spot)
    allowed = None if quota is None else quotas.allowed(quota.name, quota.code)
    if quota is not None and allowed is not None and allowed < billing.instances:
        raise QuotaTooLowError(quota.name, allowed, billing.instances)


def startup_usd(prediction: Prediction) -> float:
    """The median cost of the phases before the first step, in US dollars."""
    seconds = sum(
        phase.seconds.p50
        for phase in prediction.phases
        if phase.billed and phase.name in _STARTUP_PHASES
    )
    return round(seconds * prediction.billing.usd_per_hour / 3600, DECIMALS)


def new_job(
    owner_id: str,
    job_id: str,
    request: TrainingJobRequest,
    *,
    dataset: Dataset,
    preset_id: PresetId,
    estimate: Estimate,
    now: datetime,
) -> TrainingJob:
    """The job of a request, with the current prices and estimate."""
    prediction = estimate.prediction
    model, hyperparameters = prediction.plan.model, prediction.plan.hyper
    return TrainingJob(
        owner_id=owner_id,
        job_id=job_id,
        dataset_id=dataset.dataset_id,
        dataset_name=dataset.name,
        name=request.name or f"{dataset.name} on {model.key}",
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
        use_spot=request.use_spot,
        max_cost_usd=request.max_cost_usd,
        template_variables=json.dumps(request.template_variables),
        template_date=request.template_date,
        estimated_total_cost=round(prediction.cost_usd.p50, DECIMALS),
    )


def _not_ready(dataset: Dataset, advice: str) -> DatasetNotReadyError:
    sentence = advice.replace("{id}", dataset.dataset_id)
    sentence = sentence.replace("{reason}", dataset.error_message or "").rstrip()
    return DatasetNotReadyError(
        f"The dataset '{dataset.name}' {sentence}",
        details={
            "dataset_id": dataset.dataset_id,
            "status": dataset.status,
            "trainable_pairs": dataset.trainable_pairs,
            "error_message": dataset.error_message,
        },
    )


@dataclass(frozen=True, slots=True)
class TrainingJobCreator:
    """The service of POST /api/jobs.

    `any_instance` is True if every instance is the developer's own machine. Above
    `most_usd_without_cap` a run needs a cap.
    """

    datasets: DatasetRepository
    jobs: TrainingJobRepository
    records: TrainingRecords
    estimator: TrainingEstimator
    checker: DatasetChecker
    keys: RequestKeys
    quotas: TrainingQuotas
    workflow: TrainingWorkflow
    clock: Clock
    any_instance: bool
    limits: Limits
    most_usd_without_cap: float

    def create(
        self, owner_id: str, request: TrainingJobRequest, idempotency_key: str | None
    ) -> TrainingJob:
        """Store the job and start its workflow.

        With a key, a repetition returns the first job and starts its workflow if that is missing.
        The key is bound once the request has passed the checks, so that it can be corrected.
        Raises NotFoundError for the dataset, DatasetNotReadyError, UnknownBaseModelError,
        UntrainableGpuError, InvalidInputError, QuotaTooLowError, ObjectChangedError,
        UntrainableError, BudgetExceededError, IdempotencyKeyReusedError, RequestInProgressError,
        StorageError.
        """
        now = self.clock()
        job_id = time_ordered_id(now)
        if idempotency_key is not None:
            fingerprint = request.fingerprint()
            job_id = self.keys.find(owner_id, idempotency_key, fingerprint, now) or job_id
        try:
            job = self.jobs.job(owner_id, job_id)
            note_replay()
        except NotFoundError:
            job = self._checked_job(owner_id, job_id, request, now)
            if idempotency_key is not None:
                self._bind(job, idempotency_key, request.fingerprint(), now)
            job = self._stored(job, now)
        if not job.settled:
            self.workflow.ensure_training(job)
        return job

    def _bind(self, job: TrainingJob, key: str, fingerprint: str, now: datetime) -> None:
        bound = self.keys.job_for(job.owner_id, key, fingerprint, job.job_id, now)
        if bound != job.job_id:
            raise RequestInProgressError

    def _stored(self, job: TrainingJob, now: datetime) -> TrainingJob:
        try:
            self.jobs.create(job, job_queued(job, now))
        except DuplicateKeyError:
            # A concurrent request with the same key has stored the job.
            return self.jobs.job(job.owner_id, job.job_id)
        message = f"Queued for {job.billing.instances} x {job.billing.instance_type}."
        self.records.add_event(job, training_event(now, "info", "queued", message))
        return job

    def _checked_job(
        self, owner_id: str, job_id: str, request: TrainingJobRequest, now: datetime
    ) -> TrainingJob:
        """Check what can be known before a GPU is paid for."""
        model = base_model(request.base_model) if request.base_model else default_base_model()
        preset_id, hyperparameters = complete(request.preset_id, request.hyperparameters)
        model.require_servable(hyperparameters.target_modules)
        gpu = trainable_gpu_type(request.gpu.type)
        require_machine(model, gpu, any_instance=self.any_instance)
        dataset = self.datasets.dataset(owner_id, request.dataset_id)
        require_trainable(dataset, allow_simulated=request.allow_simulated)
        config = GpuConfig(gpu.key, request.gpu.count)
        estimate = self.estimator.of_dataset(owner_id, dataset, model, config, hyperparameters)
        require_memory_and_budget(request, estimate.prediction)
        require_cap(request, estimate.prediction, self.most_usd_without_cap)
        if not self.any_instance:
            billing = estimate.prediction.billing
            require_quota(billing, self.quotas, spot=request.use_spot)
        job = new_job(
            owner_id,
            job_id,
            request,
            dataset=dataset,
            preset_id=preset_id,
            estimate=estimate,
            now=now,
        )
        job = with_reservation(job, estimate.prediction.cost_usd.p90, now, self.limits)
        check = self.checker.at_creation(job, dataset, model)
        return dataclasses.replace(job, dataset_check=check)
