"""A training job as SageMaker tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from brightrun.domain.sagemaker_status import RunState, run_state


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A SageMaker training job as SageMaker describes it; times in seconds, None where unknown."""

    name: str
    status: str
    secondary_status: str
    failure_reason: str | None
    status_message: str | None
    created_at: datetime
    training_started_at: datetime | None
    training_ended_at: datetime | None
    training_seconds: int | None
    billable_seconds: int | None
    artifact_uri: str | None
    environment: Mapping[str, str]
    stage_since: datetime | None = None

    @property
    def state(self) -> RunState:
        """Whether SageMaker still works on it."""
        return run_state(self.status)

    @property
    def trained(self) -> bool:
        """Whether it ever got instances; SageMaker bills from then on."""
        return self.training_started_at is not None

    def billed_seconds(self, now: datetime) -> int:
        """Seconds that are billed: SageMaker's own figure, else those since the instances began.

        Spot capacity is billed less than it runs, and only SageMaker knows how much less.
        """
        if self.billable_seconds is not None:
            return self.billable_seconds
        if self.training_started_at is None:
            return 0
        until = self.training_ended_at or now
        return max(0, round((until - self.training_started_at).total_seconds()))
