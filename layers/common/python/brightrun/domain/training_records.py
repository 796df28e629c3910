"""What a training job leaves behind: points of its metrics, events, cost records."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from brightrun.domain.moments import iso

EventLevel = Literal["info", "warning", "error"]

_NAMESPACE = uuid.UUID("0d9a6f0e-6e0f-5f63-9d56-0a8f6f4b1c77")


@dataclass(frozen=True, slots=True)
class MetricsPoint:
    """One point of a job's curves, as the trainer wrote it; what it did not measure is None.

    `sequence` is its place in the run: twice the step, and one more for an evaluation. Throughput
    is tokens a second, GPU use a per cent. Numbers are finite: what the trainer wrote as NaN or
    infinite is None here.
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
    level: EventLevel
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


def training_event(
    at: datetime, level: EventLevel, type_: str, message: str, **data: Any
) -> TrainingEvent:
    """Write down what happened at a moment; the same words at the same moment are one event."""
    moment = iso(at)
    return TrainingEvent(
        event_id=f"{moment}~{uuid.uuid5(_NAMESPACE, f'{type_}:{message}')}",
        created_at=moment,
        level=level,
        type=type_,
        message=message,
        data=data,
    )
