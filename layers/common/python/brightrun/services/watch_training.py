"""Looks at a training job that SageMaker works on, and brings its row up to date."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from brightrun.domain.moments import iso
from brightrun.domain.sagemaker_status import run_stage
from brightrun.domain.training_attempts import MAX_TURNS, gives_up_at, next_name, pause_s
from brightrun.domain.training_costs import cost_of
from brightrun.domain.training_failures import DELETED, lacked_capacity
from brightrun.domain.training_job import TrainingJob
from brightrun.domain.training_notices import job_started
from brightrun.domain.training_records import training_event
from brightrun.domain.training_run import TrainingRun
from brightrun.domain.training_transitions import progressed, waiting_for_capacity
from brightrun.domain.training_turns import TrainingTurn, TrainingTurnResult, next_turn
from brightrun.errors import VersionConflictError
from brightrun.ports import Clock
from brightrun.ports.training import (
    TrainingExecutions,
    TrainingJobRepository,
    TrainingRecords,
    TrainingService,
)
from brightrun.services.read_training_progress import ProgressReader
from brightrun.services.start_training import failing, no_capacity

_AT_ONCE_S = 1

BUDGET_MARGIN_S = 600
"""Beyond what max_cost_usd pays for: the trainer ends itself before that, SageMaker then, and
saving and uploading take their time. Only when both have failed is the job stopped from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWatcher:
    """What the function watch_training does; doing it again at any point is safe."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    training: TrainingService
    executions: TrainingExecutions
    progress: ProgressReader
    clock: Clock
    watch_s: int
    capacity_retry_s: int

    def watch(self, turn: TrainingTurn) -> TrainingTurnResult:
        """Take one look; says whether to look again, start anew, or close the job.

        Raises NotFoundError, StorageError.
        """
        job = self.jobs.job(turn.owner_id, turn.job_id)
        if job.settled:
            return next_turn(turn, "settled")
        if turn.turn >= MAX_TURNS:
            self.executions.go_on(job, turn.run + 1)
            return next_turn(turn, "hand_over")
        run = self.training.describe(job.external_job_id)
        try:
            return self._unknown(turn, job) if run is None else self._look(turn, job, run)
        except VersionConflictError:
            return next_turn(turn, "watch", _AT_ONCE_S)

    def _unknown(self, turn: TrainingTurn, job: TrainingJob) -> TrainingTurnResult:
        """SageMaker knows no such job: it was never asked for, or somebody has deleted it."""
        if job.started_at is None and not job.ended:
            return next_turn(turn, "start", _AT_ONCE_S)
        if not job.ended:
            self.jobs.replace(failing(job, self.clock(), DELETED), job.version)
        return next_turn(turn, "finish")

    def _look(self, turn: TrainingTurn, job: TrainingJob, run: TrainingRun) -> TrainingTurnResult:
        if job.ended:
            if run.state == "ended":
                return next_turn(turn, "finish")
            self.training.stop(run.name)
            return next_turn(turn, "watch", self.watch_s)
        if run.state == "ended" and lacked_capacity(run):
            return self._again(turn, job, run)
        job = self._brought_up_to_date(job, run)
        if run.state == "ended":
            return next_turn(turn, "finish")
        self._keep_to_budget(job, run)
        return next_turn(turn, "watch", self.watch_s)

    def _brought_up_to_date(self, job: TrainingJob, run: TrainingRun) -> TrainingJob:
        now, at = self.clock(), run_stage(run.secondary_status, job.stage)
        fields: dict[str, Any] = {
            **self.progress.news(job),
            "stage_reason": at.message if at.stage == "waiting_for_capacity" else None,
        }
        starts = job.started_at is None and run.training_started_at is not None
        if run.training_started_at is not None:
            fields["started_at"] = iso(run.training_started_at)
        moved = progressed(job, now, at.status or job.status, at.stage, **fields)
        if at.stage != job.stage:
            since = run.stage_since or now
            event = training_event(
                since, "info", at.stage, at.message, secondary_status=run.secondary_status
            )
            self.records.add_event(job, event)
        self.jobs.replace(moved, job.version, job_started(moved, now) if starts else None)
        return moved

    def _again(self, turn: TrainingTurn, job: TrainingJob, run: TrainingRun) -> TrainingTurnResult:
        """Take a new name, which SageMaker wants for a new attempt, before anything is asked."""
        now, reason = self.clock(), run.failure_reason or "There was no capacity."
        if now >= gives_up_at(job):
            self.jobs.replace(failing(job, now, no_capacity(reason)), job.version)
            return next_turn(turn, "finish")
        pause = pause_s(job.start_attempts, self.capacity_retry_s)
        event = training_event(now, "warning", "waiting_for_capacity", reason, attempt=run.name)
        self.records.add_event(job, event)
        waiting = waiting_for_capacity(job, now, reason, now + timedelta(seconds=pause))
        renamed = dataclasses.replace(waiting, external_job_id=next_name(run.name))
        self.jobs.replace(renamed, job.version)
        return next_turn(turn, "start", pause)

    def _keep_to_budget(self, job: TrainingJob, run: TrainingRun) -> None:
        """Stop a job that has gone well past what it may cost; what it has learned is kept.

        Spot jobs are left alone: what they bill is known only at their end.
        """
        if job.max_cost_usd is None or job.use_spot or run.status != "InProgress":
            return
        if not is_over_budget(job, run, self.clock()):
            return
        now = self.clock()
        if job.stopped_reason != "budget":
            marked = progressed(job, now, job.status, "stopping", stopped_reason="budget")
            self.jobs.replace(marked, job.version)
            message = f"The job was stopped: it costs more than ${job.max_cost_usd:.2f}."
            self.records.add_event(job, training_event(now, "warning", "over_budget", message))
        self.training.stop(run.name)


def is_over_budget(job: TrainingJob, run: TrainingRun, now: datetime) -> bool:
    """Whether a job costs more than it may, and a margin for saving."""
    most = (job.max_cost_usd or 0.0) + cost_of(job.billing, BUDGET_MARGIN_S)
    return cost_of(job.billing, run.billed_seconds(now)) > most
