"""A training job, its metrics and its events."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from brightrun.catalog.gpu_instances import Billing, GpuConfig
from brightrun.catalog.presets import Hyperparameters, PresetId
from brightrun.core.budgets import Reservation
from brightrun.core.errors import VersionConflictError
from brightrun.core.rows import from_row
from brightrun.core.timestamps import iso
from brightrun.sft.settings import TEMPLATE_DATE

EventLevel = Literal["info", "warning", "error"]
_NAMESPACE = uuid.UUID("0d9a6f0e-6e0f-5f63-9d56-0a8f6f4b1c77")


@dataclass(frozen=True, slots=True)
class MetricsPoint:
    """The trainer's metrics at a step; None for what it did not measure.

    `sequence` orders the points of a run: twice the step, and one more for an evaluation.
    Throughput is in tokens per second, GPU use in per cent. Numbers are finite: NaN and infinity
    become None.
    """

    sequence: int
    timestamp: str
    stage: str
    epoch: float
    step: int
    total_steps: int
    training_loss: float | None = None
    validation_loss: float | None = None
    learning_rate: float | None = None
    gradient_norm: float | None = None
    throughput: float | None = None
    gpu_utilization: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingEvent:
    """An event of a job, with a message for its owner; `event_id` sorts by time."""

    event_id: str
    created_at: str
    level: EventLevel
    type: str
    message: str
    data: dict[str, Any] = field(default_factory=dict)


def training_event(
    at: datetime, level: EventLevel, type_: str, message: str, **data: Any
) -> TrainingEvent:
    """Create an event; the same type and message at the same time have the same id."""
    created_at = iso(at)
    return TrainingEvent(
        event_id=f"{created_at}~{uuid.uuid5(_NAMESPACE, f'{type_}:{message}')}",
        created_at=created_at,
        level=level,
        type=type_,
        message=message,
        data=data,
    )


JobStatus = Literal["queued", "initializing", "running", "completed", "failed", "cancelled"]
JobStage = Literal[
    "queued",
    "waiting_for_capacity",
    "starting",
    "downloading",
    "training",
    "uploading",
    "verifying",
    "stopping",
    "done",
]
TERMINAL: frozenset[JobStatus] = frozenset({"completed", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class DatasetReference:
    """The dataset that a job trains on, with the name that it had when the job was created."""

    id: str
    name: str


CheckedAt = Literal["creation", "start"]


@dataclass(frozen=True, slots=True)
class DatasetCheck:
    """What rendering a job's dataset with its base model has shown, before an instance started.

    `method` is exact, sampled where a part was counted, or None where nothing was; `message` says
    what was counted, or why nothing was.
    """

    method: Literal["exact", "sampled"] | None
    at: CheckedAt
    message: str


def job_key(owner_id: str, job_id: str) -> str:
    """The partition key of a job's metrics and events."""
    return f"{owner_id}#{job_id}"


NO_VARIABLES = "{}"
"""The template variables of a job that names none, as JSON."""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A training job; `version` counts its writes, and every write states the version it read.

    Costs are US dollars, durations seconds, timestamps ISO 8601. `external_job_id` names the
    SageMaker job, which may not exist yet: while the status is `queued` there is none, because
    `initializing` is stored before SageMaker is called. SageMaker bills from `started_at` on.
    `settled` is set when the bill is closed: a cancelled job is `cancelled` immediately, and
    settled when SageMaker has stopped; `cost_record_id` then names its cost record.
    `template_variables` are JSON, because DynamoDB would change its numbers. `dataset_check` is
    None in rows from before there was one. Until its bill is closed the job holds
    `budget_reserved_micro_usd` of the budgets of `budget_month`; None in rows from before there
    were budgets.
    """

    owner_id: str
    job_id: str
    dataset_id: str
    dataset_name: str
    name: str
    base_model: str
    preset_id: PresetId
    hyperparameters: Hyperparameters
    gpu_config: GpuConfig
    billing: Billing
    estimate: dict[str, Any]
    external_job_id: str
    queued_at: str
    updated_at: str
    total_epochs: int
    total_steps: int
    status: JobStatus = "queued"
    stage: JobStage = "queued"
    version: int = 1
    use_spot: bool = False
    max_cost_usd: float | None = None
    template_variables: str = NO_VARIABLES
    template_date: str = TEMPLATE_DATE
    stage_reason: str | None = None
    next_try_at: str | None = None
    start_attempts: int = 0
    progress: float = 0.0
    current_epoch: float = 0.0
    current_step: int = 0
    current_metrics: dict[str, Any] = field(default_factory=dict)
    metrics_read: int = 0
    started_at: str | None = None
    completed_at: str | None = None
    estimated_completion_at: str | None = None
    estimated_total_cost: float = 0.0
    current_cost: float = 0.0
    final_cost: float | None = None
    billed_seconds: int | None = None
    training_seconds: int | None = None
    results: dict[str, Any] = field(default_factory=dict)
    error_code: str | None = None
    error_message: str | None = None
    error_hint: str | None = None
    stopped_reason: str | None = None
    model_id: str | None = None
    settled: bool = False
    cost_record_id: str | None = None
    dataset_check: DatasetCheck | None = None
    budget_month: str | None = None
    budget_reserved_micro_usd: int = 0

    @property
    def reservation(self) -> Reservation | None:
        """What the job holds of its month's budgets; None for one from before there were any."""
        if self.budget_month is None:
            return None
        held = self.budget_reserved_micro_usd
        return Reservation(self.owner_id, self.budget_month, "training", held)

    @property
    def dataset(self) -> DatasetReference:
        """The dataset that it trains on."""
        return DatasetReference(self.dataset_id, self.dataset_name)

    @property
    def ended(self) -> bool:
        """True when its status will not change any more."""
        return self.status in TERMINAL

    def state(self) -> dict[str, Any]:
        """The details of a conflict with the job's state."""
        return {
            "status": self.status,
            "stage": self.stage,
            "version": self.version,
            "updated_at": self.updated_at,
        }


def read_training_job(row: Mapping[str, Any]) -> TrainingJob:
    """Read a job from its row in the repository."""
    check = row.get("dataset_check")
    return from_row(
        TrainingJob,
        {
            **row,
            "dataset_check": from_row(DatasetCheck, check) if check else None,
            "hyperparameters": from_row(Hyperparameters, row["hyperparameters"]),
            "gpu_config": GpuConfig(**row["gpu_config"]),
            "billing": from_row(Billing, row["billing"]),
        },
    )


def version_conflict(current: TrainingJob) -> VersionConflictError:
    """The error of a write that was made from an outdated version, with the stored state."""
    return VersionConflictError(
        "The training job changed in the meantime; read it again.", details=current.state()
    )
