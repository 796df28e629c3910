"""Takes on training jobs: checks, estimates, stores, starts; safe to repeat under one key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from brightrun.domain.base_models import base_model, default_base_model
from brightrun.domain.gpu_instances import trainable_gpu_type
from brightrun.domain.ids import time_ordered_id
from brightrun.domain.presets import complete
from brightrun.domain.training_job import GpuConfig, TrainingJob
from brightrun.domain.training_notices import job_queued
from brightrun.domain.training_order import (
    TrainingOrder,
    new_job,
    require_machine,
    require_room_and_budget,
    require_trainable,
)
from brightrun.domain.training_records import training_event
from brightrun.errors import DuplicateKeyError, NotFoundError
from brightrun.ports import Clock, RequestKeys
from brightrun.ports.datasets import DatasetRepository
from brightrun.ports.training import TrainingJobRepository, TrainingRecords, TrainingWorkflow
from brightrun.services.estimate_training import TrainingEstimator


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
        self, owner_id: str, order: TrainingOrder, idempotency_key: str | None
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
        self, owner_id: str, job_id: str, order: TrainingOrder, now: datetime
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
        self, owner_id: str, job_id: str, order: TrainingOrder, now: datetime
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
