"""What a training job leaves behind: points of its metrics, events, cost records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class MetricsPoint:
    """One point of a job's curves, as the trainer wrote it; what it did not measure is None.

    `sequence` counts the points of a job from 0; throughput is tokens a second, GPU use a per cent.
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
    """One thing that happened to a job, in words; `event_id` sorts by time."""

    event_id: str
    created_at: str
    level: Literal["info", "warning", "error"]
    type: str
    message: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CostRecord:
    """What one ended job cost. `record_id` is `{recorded_at}~{job_id}`: one job, one record.

    `amount` is US dollars; `billing_period` is the day, in UTC, on which it was recorded.
    """

    owner_id: str
    record_id: str
    job_id: str
    cost_type: Literal["training_compute"]
    amount: float
    billing_period: str
    recorded_at: str
    details: dict[str, Any] = field(default_factory=dict)
