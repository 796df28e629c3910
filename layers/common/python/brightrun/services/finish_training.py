"""Closes a training job: its adapter or its failure, its bill, and what its owner is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from brightrun.domain.model_artifact import ModelArtifact
from brightrun.domain.moments import from_iso, iso
from brightrun.domain.training_costs import cost_of, cost_record
from brightrun.domain.training_failures import Failure
from brightrun.domain.training_job import JobStatus, TrainingJob
from brightrun.domain.training_notices import artifact_ready, job_completed, job_failed
from brightrun.domain.training_records import EventLevel, training_event
from brightrun.domain.training_results import TrainingResults
from brightrun.domain.training_run import TrainingRun
from brightrun.domain.training_transitions import changed, ended
from brightrun.domain.training_turns import TrainingTurn, TrainingTurnResult, next_turn
from brightrun.domain.training_verdict import (
    disagreement,
    early_end,
    verdict,
    without_adapter,
)
from brightrun.errors import VersionConflictError
from brightrun.errors.training import UnusableAdapterError
from brightrun.ports import Clock
from brightrun.ports.datasets import DatasetRepository
from brightrun.ports.training import TrainingJobRepository, TrainingRecords, TrainingService
from brightrun.services.deliver_adapter import AdapterDelivery

_AT_ONCE_S = 1


@dataclass(frozen=True, slots=True)
class _End:
    status: JobStatus
    model: ModelArtifact | None = None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingFinisher:
    """What the function finish_training does; doing it again at any point is safe."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    datasets: DatasetRepository
    training: TrainingService
    delivery: AdapterDelivery
    clock: Clock
    watch_s: int

    def finish(self, turn: TrainingTurn) -> TrainingTurnResult:
        """Close the job if SageMaker has ended; else it must be watched on.

        Raises NotFoundError, StorageError.
        """
        job = self.jobs.job(turn.owner_id, turn.job_id)
        if job.settled:
            self._tell(job)
            return next_turn(turn, "settled")
        run = self.training.describe(job.external_job_id)
        if not job.ended if run is None else run.state == "active":
            return next_turn(turn, "watch", self.watch_s)
        try:
            self._settle(job, run)
        except VersionConflictError:
            # Cancelled while its adapter was being checked: the next turn closes it as that.
            return next_turn(turn, "watch", _AT_ONCE_S)
        return next_turn(turn, "settled")

    def _settle(self, job: TrainingJob, run: TrainingRun | None) -> None:
        billed = _seconds_seen(job) if run is None else run.billed_seconds(self.clock())
        cost = cost_of(job.billing, billed)
        if job.ended or run is None:
            end = _End(job.status)
        else:
            verifying = changed(job, self.clock(), stage="verifying")
            self.jobs.replace(verifying, job.version)
            job = verifying
            end = self._judged(job, run, cost)
        now = self.clock()
        closed = ended(
            job,
            now,
            end.status,
            final_cost=cost,
            billed_seconds=billed,
            **({} if run is None else _times(run)),
            **end.fields,
        )
        self.jobs.settle(
            closed,
            job.version,
            cost=cost_record(closed, now),
            notifications=_notifications(closed, end.model, now),
            model=end.model,
        )
        self._tell(closed)

    def _judged(self, job: TrainingJob, run: TrainingRun, cost: float) -> _End:
        failure, stopped = verdict(job, run)
        if failure is not None:
            return _failed(failure)
        dataset = self.datasets.dataset(job.owner_id, job.dataset_id)
        try:
            adapter = self.delivery.checked(job, dataset)
            if contradiction := disagreement(run, adapter.results):
                return _failed(contradiction)
            model = self.delivery.deliver(job, adapter, cost, self.clock())
        except UnusableAdapterError as error:
            if stopped is not None:
                return _failed(without_adapter(stopped, error.message))
            return _failed(Failure(error.code, error.message, "Start the job again."))
        results = adapter.results
        fields = {
            "results": _kept(results, run),
            "stopped_reason": stopped or early_end(results),
            "model_id": model.model_id,
            "current_step": results.steps,
            "current_epoch": results.epochs_completed,
            "total_steps": results.total_steps,
        }
        return _End("completed", model, fields)

    def _tell(self, job: TrainingJob) -> None:
        """Write the last event, which a killed attempt may have written or not: it is the same."""
        if job.completed_at is None:
            return
        at = from_iso(job.completed_at)
        level: EventLevel = "error" if job.status == "failed" else "info"
        message = f"The job is {job.status}; it cost ${job.final_cost or 0:.2f}."
        told = {"final_cost": job.final_cost, "billed_seconds": job.billed_seconds}
        self.records.add_event(job, training_event(at, level, "closed", message, **told))


def _seconds_seen(job: TrainingJob) -> int:
    """What a job has billed whose training job is not to be found: from its start to its end."""
    if job.started_at is None:
        return 0
    return round((from_iso(job.updated_at) - from_iso(job.started_at)).total_seconds())


def _failed(failure: Failure) -> _End:
    return _End(
        "failed",
        fields={
            "error_code": failure.code,
            "error_message": failure.message,
            "error_hint": failure.hint or None,
        },
    )


def _times(run: TrainingRun) -> dict[str, Any]:
    started = run.training_started_at
    return {
        "training_seconds": run.training_seconds,
        **({} if started is None else {"started_at": iso(started)}),
    }


def _kept(results: TrainingResults, run: TrainingRun) -> dict[str, Any]:
    """What was measured, for the job's page and for the estimate to learn from."""
    figures = results.model_dump(exclude={"evaluations", "dataset", "checks"})
    counts = {
        name: value
        for name, value in results.dataset.items()
        if isinstance(value, bool | int | float)
    }
    started = run.training_started_at
    waited = None if started is None else (started - run.created_at).total_seconds()
    return {**figures, "dataset": counts, "seconds_to_instances": waited}


def _notifications(job: TrainingJob, model: ModelArtifact | None, now: datetime) -> list[Any]:
    """What its owner is told; a cancellation was told when it was asked for."""
    if model is not None:
        return [job_completed(job, now), artifact_ready(job, model, now)]
    return [job_failed(job, now)] if job.status == "failed" else []
