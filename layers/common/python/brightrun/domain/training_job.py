"""A training job: what was asked for, how far it is, what it cost, and how it may go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brightrun.domain.rows import from_row
from brightrun.errors import VersionConflictError

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
PresetId = Literal["fast", "balanced", "quality", "custom"]
TERMINAL: frozenset[JobStatus] = frozenset({"completed", "failed", "cancelled"})


def job_key(owner_id: str, job_id: str) -> str:
    """The partition of a job's metrics and events."""
    return f"{owner_id}#{job_id}"


@dataclass(frozen=True, slots=True)
class GpuConfig:
    """Accelerators as a user asks for them: a type of the registry and how many, 1-8."""

    type: str
    count: int


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """The six that the original's presets name, and the longest sequence in tokens."""

    learning_rate: float
    batch_size: int
    epochs: int
    rank: int
    alpha: int
    dropout: float
    max_seq_length: int = 4096
    method: Literal["lora", "rslora", "qlora"] = "lora"


@dataclass(frozen=True, slots=True)
class Billing:
    """The price that was agreed when the job was made: a snapshot that later prices do not touch.

    `usd_per_hour` is for all instances together; `instances` of `instance_type` are billed, with
    all their GPUs.
    """

    instance_type: str
    instances: int
    billed_gpus: int
    usd_per_hour: float
    price_date: str


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A job's row; `version` counts its writes, and every write states the version it saw.

    Costs are US dollars, durations seconds, moments ISO-8601. `external_job_id` names the SageMaker
    job, whether or not it exists yet: while the status is `queued` there is none, because a start
    is written down as `initializing` before SageMaker is asked. `started_at` is the moment from
    which SageMaker bills. `settled` is set when the bill is closed: a cancelled job is `cancelled`
    at once, and settled when SageMaker has stopped; `cost_record_id` names its record then.
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

    @property
    def ended(self) -> bool:
        """True when its status will not change any more."""
        return self.status in TERMINAL

    def state(self) -> dict[str, Any]:
        """What somebody whose request came too late needs to know."""
        return {
            "status": self.status,
            "stage": self.stage,
            "version": self.version,
            "updated_at": self.updated_at,
        }


def read_training_job(row: Mapping[str, Any]) -> TrainingJob:
    """Read a row as the repository stored it."""
    return from_row(
        TrainingJob,
        {
            **row,
            "hyperparameters": from_row(Hyperparameters, row["hyperparameters"]),
            "gpu_config": GpuConfig(**row["gpu_config"]),
            "billing": from_row(Billing, row["billing"]),
        },
    )


def overtaken(current: TrainingJob) -> VersionConflictError:
    """Say that the job changed since it was read, with the state stored now."""
    return VersionConflictError(
        "The training job changed in the meantime; read it again.", details=current.state()
    )
