"""Watches a training job in SageMaker: its progress, metrics, budget and capacity."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from brightrun.core.errors import StorageError, VersionConflictError
from brightrun.core.logging import logger
from brightrun.core.metrics import measure
from brightrun.core.rows import to_dynamodb_number
from brightrun.core.timestamps import Clock, iso
from brightrun.training.adapters.repository import ArtifactFiles
from brightrun.training.costs.model import cost_of
from brightrun.training.gateway import TrainingWorkflow
from brightrun.training.model import MetricsPoint, TrainingJob, training_event
from brightrun.training.notices import job_started
from brightrun.training.repository import TrainingJobRepository, TrainingRecords
from brightrun.training.sagemaker.gateway import TrainingService
from brightrun.training.sagemaker.model import TrainingRun, run_stage
from brightrun.training.sagemaker.request import metrics_key
from brightrun.training.transitions import progressed, waiting_for_capacity
from brightrun.training.workflow.finish import DELETED, lacked_capacity
from brightrun.training.workflow.model import (
    MAX_TURNS,
    TrainingStep,
    TrainingStepResult,
    gives_up_at,
    next_name,
    next_step,
    pause_s,
)
from brightrun.training.workflow.start import failing, no_capacity

Record = dict[str, Any]
_LATEST_YEAR = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class MetricsChunk:
    """The records of the complete lines in a chunk of the metrics file, and those lines' bytes."""

    records: tuple[Record, ...]
    length: int


def read_chunk(data: bytes) -> MetricsChunk:
    """Read complete lines; what follows the last line break is left for the next chunk.

    Lines that are not a JSON object (partly written, or truncated by a restart) are skipped.
    """
    end = data.rfind(b"\n") + 1
    records = (_record(line) for line in data[:end].split(b"\n"))
    return MetricsChunk(tuple(record for record in records if record is not None), end)


def points_of(records: Sequence[Record]) -> list[MetricsPoint]:
    """The points of steps and evaluations, in the order of the run.

    A point's `sequence` is twice its step and one more for an evaluation, so that what a restarted
    attempt writes again replaces the earlier point; of two with the same number, the later counts.
    Numbers that are not finite become None.
    """
    points: dict[int, MetricsPoint] = {}
    for record in records:
        step = _whole(record.get("step"))
        if record.get("kind") not in {"step", "evaluation"} or step is None:
            continue
        evaluation = record["kind"] == "evaluation"
        sequence = 2 * step + evaluation
        points[sequence] = MetricsPoint(
            sequence=sequence,
            timestamp=_timestamp(record.get("time")),
            stage="evaluation" if evaluation else "training",
            epoch=_number(record.get("epoch")) or 0.0,
            step=step,
            total_steps=_whole(record.get("total_steps")) or 0,
            training_loss=_number(record.get("train_loss")),
            validation_loss=_number(record.get("validation_loss")),
            learning_rate=_number(record.get("learning_rate")),
            gradient_norm=_number(record.get("grad_norm")),
            throughput=_number(record.get("tokens_per_second")),
            gpu_utilization=_number(record.get("gpu_utilization")),
        )
    return [points[sequence] for sequence in sorted(points)]


def with_context(points: Sequence[MetricsPoint], earlier: dict[str, Any]) -> list[MetricsPoint]:
    """Add the epoch and total steps of the preceding step to evaluations, which have neither."""
    epoch = float(earlier.get("epoch") or 0.0)
    total = int(earlier.get("total_steps") or 0)
    completed = []
    for point in points:
        if point.total_steps:
            epoch, total = point.epoch, point.total_steps
            completed.append(point)
        else:
            completed.append(replace(point, epoch=epoch, total_steps=total))
    return completed


def latest(points: Sequence[MetricsPoint], earlier: dict[str, Any]) -> dict[str, Any]:
    """The newest value of each metric, for the job's `current_metrics`."""
    metrics = dict(earlier)
    for point in points:
        values = {
            "epoch": point.epoch,
            "step": point.step,
            "total_steps": point.total_steps,
            "timestamp": point.timestamp,
            "training_loss": point.training_loss,
            "validation_loss": point.validation_loss,
            "learning_rate": point.learning_rate,
            "gradient_norm": point.gradient_norm,
            "throughput": point.throughput,
            "gpu_utilization": point.gpu_utilization,
        }
        metrics.update({name: value for name, value in values.items() if value is not None})
    return metrics


def _record(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return to_dynamodb_number(float(value))
    except OverflowError:
        return None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 <= number < 1e9 else None


def _timestamp(value: Any) -> str:
    seconds = _number(value) or 0.0
    return iso(datetime.fromtimestamp(min(max(seconds, 0.0), _LATEST_YEAR), UTC))


CHUNK_BYTES = 1024 * 1024
"""Some 4,000 steps; a running job writes a few lines between two reads."""
MOST_CHUNKS = 8
"""Chunks of one read; the next read continues after them."""
_MOST_PER_CENT = 99.0
"""Until the adapter is delivered."""


@dataclass(frozen=True, slots=True)
class ProgressReader:
    """Reads what the trainer has added to its metrics file, and stores the new points."""

    files: ArtifactFiles
    records: TrainingRecords

    def changes(self, job: TrainingJob) -> dict[str, Any]:
        """Store new points and return the job's changed fields; empty if there are none.

        A file that cannot be read is read the next time; it never fails the job. Raises
        StorageError when the points cannot be stored.
        """
        read, current = job.metrics_read, dict(job.current_metrics)
        for _ in range(MOST_CHUNKS):
            try:
                begin, data = self._unread(metrics_key(job.job_id), read)
            except StorageError as error:
                logger().warning("The trainer's metrics cannot be read", reason=error.message)
                break
            chunk = read_chunk(data)
            points = with_context(points_of(chunk.records), current)
            self.records.add_points(job, points)
            current = latest(points, current)
            read = begin + chunk.length
            # No line of the trainer is as long as a chunk: without a line break, stop.
            if len(data) < CHUNK_BYTES or not chunk.length:
                break
        if read == job.metrics_read:
            return {}
        return {"metrics_read": read, "current_metrics": current, **_position(current)}

    def _unread(self, key: str, read: int) -> tuple[int, bytes]:
        """The bytes after the first `read`, and their offset.

        A trainer that continues from a checkpoint rewrites the file, shorter: if no line ends at
        `read` any more, the file is read from its start.
        """
        if read:
            data = self.files.read(key, read - 1, CHUNK_BYTES + 1)
            if data.startswith(b"\n"):
                return read, data[1:]
        return 0, self.files.read(key, 0, CHUNK_BYTES)


def _position(current: dict[str, Any]) -> dict[str, Any]:
    step, total = int(current.get("step") or 0), int(current.get("total_steps") or 0)
    fields: dict[str, Any] = {
        "current_step": step,
        "current_epoch": float(current.get("epoch") or 0.0),
    }
    if total:
        share = round(100 * min(step, total) / total, 2)
        fields |= {"total_steps": total, "progress": min(share, _MOST_PER_CENT)}
    return fields


_AT_ONCE_S = 1
BUDGET_MARGIN_S = 600
"""Beyond what max_cost_usd pays for: the trainer stops before that, then SageMaker does, and saving
and uploading take time. Only when both have failed is the job stopped by the watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWatcher:
    """The watch_training function's service; it can be repeated at any point."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    training: TrainingService
    workflow: TrainingWorkflow
    progress: ProgressReader
    clock: Clock
    watch_s: int
    capacity_retry_s: int

    def watch(self, step: TrainingStep) -> TrainingStepResult:
        """Update the job once; the result is whether to watch on, start again, or finish the job.

        Raises NotFoundError, StorageError.
        """
        job = self.jobs.job(step.owner_id, step.job_id)
        if job.settled:
            return next_step(step, "settled")
        if step.turn >= MAX_TURNS:
            self.workflow.ensure_training(job, step.run + 1)
            return next_step(step, "hand_over")
        run = self.training.describe(job.external_job_id)
        try:
            return self._missing(step, job) if run is None else self._update(step, job, run)
        except VersionConflictError:
            return next_step(step, "watch", _AT_ONCE_S)

    def _missing(self, step: TrainingStep, job: TrainingJob) -> TrainingStepResult:
        """SageMaker has no such job: it was never created, or it was deleted."""
        if job.started_at is None and not job.ended:
            return next_step(step, "start", _AT_ONCE_S)
        if not job.ended:
            self.jobs.replace(failing(job, self.clock(), DELETED), job.version)
        return next_step(step, "finish")

    def _update(self, step: TrainingStep, job: TrainingJob, run: TrainingRun) -> TrainingStepResult:
        if job.ended:
            if run.state == "ended":
                return next_step(step, "finish")
            self.training.stop(run.name)
            return next_step(step, "watch", self.watch_s)
        if run.state == "ended" and lacked_capacity(run):
            return self._start_again(step, job, run)
        job = self._store_progress(job, run)
        if run.state == "ended":
            return next_step(step, "finish")
        self._stop_over_budget(job, run)
        return next_step(step, "watch", self.watch_s)

    def _store_progress(self, job: TrainingJob, run: TrainingRun) -> TrainingJob:
        now, at = self.clock(), run_stage(run.secondary_status, job.stage)
        fields: dict[str, Any] = {
            **self.progress.changes(job),
            "stage_reason": at.message if at.stage == "waiting_for_capacity" else None,
        }
        starts = job.started_at is None and run.training_started_at is not None
        if run.training_started_at is not None:
            fields["started_at"] = iso(run.training_started_at)
        updated = progressed(job, now, at.status or job.status, at.stage, **fields)
        if at.stage != job.stage:
            since = run.stage_since or now
            event = training_event(
                since, "info", at.stage, at.message, secondary_status=run.secondary_status
            )
            self.records.add_event(job, event)
        self.jobs.replace(updated, job.version, job_started(updated, now) if starts else None)
        if (use := updated.current_metrics.get("gpu_utilization")) is not None:
            measure("GpuUtilization", float(use))
        return updated

    def _start_again(
        self, step: TrainingStep, job: TrainingJob, run: TrainingRun
    ) -> TrainingStepResult:
        """Store a new name for the next attempt, because SageMaker accepts a name only once."""
        now, reason = self.clock(), run.failure_reason or "There was no capacity."
        if now >= gives_up_at(job):
            self.jobs.replace(failing(job, now, no_capacity(reason)), job.version)
            return next_step(step, "finish")
        pause = pause_s(job.start_attempts, self.capacity_retry_s)
        event = training_event(now, "warning", "waiting_for_capacity", reason, attempt=run.name)
        self.records.add_event(job, event)
        waiting = waiting_for_capacity(job, now, reason, now + timedelta(seconds=pause))
        renamed = dataclasses.replace(waiting, external_job_id=next_name(run.name))
        self.jobs.replace(renamed, job.version)
        return next_step(step, "start", pause)

    def _stop_over_budget(self, job: TrainingJob, run: TrainingRun) -> None:
        """Stop a job whose cost is well above its limit; its last checkpoint is delivered.

        Spot jobs are not stopped: what they bill is known only at their end.
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
    """Whether a job costs more than its limit and a margin for saving."""
    most = (job.max_cost_usd or 0.0) + cost_of(job.billing, BUDGET_MARGIN_S)
    return cost_of(job.billing, run.billed_seconds(now)) > most
