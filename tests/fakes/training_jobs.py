"""Training jobs, costs and models in memory, and jobs to test with."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from brightrun.catalog.gpu_instances import Billing, GpuConfig
from brightrun.catalog.presets import Hyperparameters
from brightrun.core.errors import (
    DatasetNotReadyError,
    DuplicateKeyError,
    NotFoundError,
    StorageError,
)
from brightrun.core.ids import time_ordered_id
from brightrun.core.pages import Page
from brightrun.core.timestamps import iso
from brightrun.datasets.model import Dataset
from brightrun.notifications.model import Notification
from brightrun.sft.verdict import HeldOut
from brightrun.training.adapters.model import ArtifactFile, ModelArtifact, metrics_of, model_id_of
from brightrun.training.costs.model import CostRecord
from brightrun.training.model import (
    MetricsPoint,
    TrainingEvent,
    TrainingJob,
    job_key,
    version_conflict,
)
from brightrun.training.repository import closed
from tests.builders import OWNER, START
from tests.fakes import datasets
from tests.fakes.budgets import InMemoryBudgets

T = TypeVar("T")

Key = tuple[str, str]


class InMemoryTraining:
    """TrainingJobRepository, ModelRepository and CostRecords in memory, under one lock.

    `datasets` holds the datasets on which jobs are counted.
    """

    def __init__(self, *datasets: Dataset, budgets: InMemoryBudgets | None = None) -> None:
        self._lock = threading.RLock()
        self.budgets = budgets or InMemoryBudgets()
        self._jobs: dict[Key, TrainingJob] = {}
        self._models: dict[Key, ModelArtifact] = {}
        self._costs: dict[Key, CostRecord] = {}
        self.datasets = {(one.owner_id, one.dataset_id): one for one in datasets}
        self.notifications: list[Notification] = []

    def create(self, job: TrainingJob, notification: Notification) -> None:
        with self._lock:
            if (job.owner_id, job.job_id) in self._jobs:
                raise DuplicateKeyError("taken", details={"job_id": job.job_id})
            dataset = self.datasets.get((job.owner_id, job.dataset_id))
            if dataset is None or dataset.status != "ready":
                raise DatasetNotReadyError("not ready", details={"dataset_id": job.dataset_id})
            self.budgets.reserve(job.reservation)
            self._count(job, 1)
            self._jobs[job.owner_id, job.job_id] = job
            self.notifications.append(notification)

    def job(self, owner_id: str, job_id: str) -> TrainingJob:
        with self._lock:
            if (owner_id, job_id) not in self._jobs:
                raise NotFoundError("training job", job_id)
            return self._jobs[owner_id, job_id]

    def jobs(
        self, owner_id: str, *, status: str | None, limit: int, cursor: str | None
    ) -> Page[TrainingJob]:
        rows = [row for (owner, _), row in sorted(self._jobs.items()) if owner == owner_id]
        wanted = [row for row in reversed(rows) if status in (None, row.status)]
        return _page(wanted, limit, cursor)

    def replace(
        self, job: TrainingJob, seen_version: int, notification: Notification | None = None
    ) -> None:
        with self._lock:
            self._require_seen(job, seen_version)
            stored = dataclasses.replace(job, version=seen_version + 1)
            self._jobs[job.owner_id, job.job_id] = stored
            self.notifications.extend([notification] if notification else [])

    def close_billing(
        self,
        job: TrainingJob,
        seen_version: int,
        *,
        cost: CostRecord,
        notifications: Sequence[Notification],
        model: ModelArtifact | None,
    ) -> None:
        with self._lock:
            self._require_seen(job, seen_version)
            self._count(job, -1)
            self.budgets.settle(job.reservation, cost.micro_usd)
            self._jobs[job.owner_id, job.job_id] = closed(job, seen_version, cost, model)
            self._costs[cost.owner_id, cost.record_id] = cost
            self.notifications.extend(notifications)
            if model is not None:
                self._models[model.owner_id, model.model_id] = model

    def open_jobs(self) -> Iterator[TrainingJob]:
        return (job for job in list(self._jobs.values()) if not job.settled)

    def model(self, owner_id: str, model_id: str) -> ModelArtifact:
        try:
            return self._models[owner_id, model_id]
        except KeyError:
            raise NotFoundError("model", model_id) from None

    def models(self, owner_id: str, *, limit: int, cursor: str | None) -> Page[ModelArtifact]:
        rows = [row for (owner, _), row in sorted(self._models.items()) if owner == owner_id]
        return _page(rows[::-1], limit, cursor)

    def between(self, owner_id: str, first_day: str, last_day: str) -> Iterator[CostRecord]:
        for (owner, _), record in sorted(self._costs.items()):
            if owner == owner_id and first_day <= record.recorded_at[:10] <= last_day:
                yield record

    def of_job(self, job: TrainingJob) -> list[CostRecord]:
        return [record for record in self._costs.values() if record.job_id == job.job_id]

    def active_jobs(self, dataset_id: str, owner_id: str = OWNER) -> int:
        return self.datasets[owner_id, dataset_id].active_jobs

    def _require_seen(self, job: TrainingJob, seen_version: int) -> None:
        current = self.job(job.owner_id, job.job_id)
        if current.settled or current.version != seen_version:
            raise version_conflict(current)

    def _count(self, job: TrainingJob, change: int) -> None:
        key = (job.owner_id, job.dataset_id)
        row = self.datasets[key]
        self.datasets[key] = dataclasses.replace(row, active_jobs=row.active_jobs + change)


class InMemoryTrainingRecords:
    """TrainingRecords in memory."""

    def __init__(self) -> None:
        self._points: dict[str, dict[int, MetricsPoint]] = {}
        self._events: dict[str, dict[str, TrainingEvent]] = {}

    def add_points(self, job: TrainingJob, points: Sequence[MetricsPoint]) -> None:
        kept = self._points.setdefault(job_key(job.owner_id, job.job_id), {})
        kept.update({point.sequence: point for point in points})

    def points(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[MetricsPoint]:
        return _page(self.latest_points(owner_id, job_id, 10**9), limit, cursor)

    def latest_points(self, owner_id: str, job_id: str, limit: int) -> list[MetricsPoint]:
        kept = self._points.get(job_key(owner_id, job_id), {})
        return [point for _, point in sorted(kept.items())][-limit:]

    def add_event(self, job: TrainingJob, event: TrainingEvent) -> None:
        kept = self._events.setdefault(job_key(job.owner_id, job.job_id), {})
        kept[event.event_id] = event

    def events(
        self, owner_id: str, job_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingEvent]:
        kept = self._events.get(job_key(owner_id, job_id), {})
        return _page([event for _, event in sorted(kept.items())], limit, cursor)


class StoppedTraining:
    """RunStopper that records the names of the stopped training jobs."""

    def __init__(self) -> None:
        self.stopped: list[str] = []
        self.fails_once = False

    def stop(self, name: str) -> None:
        if self.fails_once:
            self.fails_once = False
            raise StorageError("StopTrainingJob", "ServiceUnavailable")
        self.stopped.append(name)


class RecordedTraining:
    """TrainingWorkflow that records the ids of the started jobs."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def ensure_training(self, job: TrainingJob, run: int = 1) -> None:
        if job.job_id not in self.started:
            self.started.append(job.job_id)

    def restart(self, job: TrainingJob) -> int | None:
        raise AssertionError(job.job_id)


def _page(rows: Sequence[T], limit: int, cursor: str | None) -> Page[T]:
    start = int(cursor or 0)
    following = str(start + limit) if start + limit < len(rows) else None
    return Page(tuple(rows[start : start + limit]), following)


def a_dataset(dataset_id: str = "dataset-1", *, owner: str = OWNER, **changes: Any) -> Dataset:
    """A dataset of the product's own 44 trainable pairs, which is ready for training."""
    fields: dict[str, Any] = {
        "name": "Forty conversations",
        "file_size": 400_981,
        "total_training_pairs": 89,
        "trainable_pairs": 44,
        "total_validation_pairs": 4,
        "total_tokens": 57_369,
    }
    return datasets.a_dataset(dataset_id, owner_id=owner, **{**fields, **changes})


def a_training_job(
    job_id: str | None = None, *, dataset_id: str = "dataset-1", owner: str = OWNER, **changes: Any
) -> TrainingJob:
    """A job that was just made."""
    job_id = job_id or time_ordered_id(START)
    job = TrainingJob(
        owner_id=owner,
        job_id=job_id,
        dataset_id=dataset_id,
        dataset_name="Forty conversations",
        name="First adapter",
        base_model="llama-3.1-8b-instruct",
        preset_id="balanced",
        hyperparameters=Hyperparameters(
            learning_rate=5e-5, batch_size=4, epochs=3, rank=16, alpha=32, dropout=0.1
        ),
        gpu_config=GpuConfig("H100-80GB", 1),
        billing=Billing("ml.p5.4xlarge", 1, 1, 6.0, "2026-11-01"),
        estimate={"cost_usd": {"p50": 1.5, "p90": 2.5}},
        external_job_id=f"brightrun-{job_id}",
        queued_at=iso(START),
        updated_at=iso(START),
        total_epochs=3,
        total_steps=33,
        estimated_total_cost=1.5,
    )
    return dataclasses.replace(job, **changes)


def a_model(job: TrainingJob, **changes: Any) -> ModelArtifact:
    """What a job delivered."""
    model_id = model_id_of(job.job_id)
    model = ModelArtifact(
        owner_id=job.owner_id,
        model_id=model_id,
        job_id=job.job_id,
        dataset_id=job.dataset_id,
        name=f"{job.dataset_name} - 2026-11-21",
        base_model=job.base_model,
        created_at=iso(START),
        files=[
            ArtifactFile(name, f"{job.owner_id}/{model_id}/{name}", size, f"{size:064x}")
            for name, size in (
                ("adapter_config.json", 700),
                ("adapter_model.safetensors", 84_000_000),
                ("README.md", 3000),
            )
        ],
        quality_metrics=metrics_of(HeldOut(12, 12, 900, 1.5, 1.25, -0.3, -0.2)),
        training_summary={"epochs_completed": 3, "final_loss": 1.25},
        configuration={"preset_id": job.preset_id},
    )
    return dataclasses.replace(model, **changes)


def a_point(sequence: int, **changes: Any) -> MetricsPoint:
    """A point of a job's curves."""
    point = MetricsPoint(
        sequence=sequence,
        timestamp=iso(START),
        stage="training",
        epoch=sequence / 11,
        step=sequence,
        total_steps=33,
        training_loss=2.0 - sequence / 100,
        learning_rate=5e-5,
        throughput=1800.0,
    )
    return dataclasses.replace(point, **changes)
