"""Watches a training job that SageMaker works on, and keeps its row up to date."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from brightrun.core.errors import StorageError, VersionConflictError
from brightrun.core.logging import logger
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
class Piece:
    """The records of the whole lines in a piece of the file, and the bytes that those take."""

    records: tuple[Record, ...]
    length: int


def read_piece(data: bytes) -> Piece:
    """Read whole lines; what follows the last line break is left for the next time.

    Lines that are no JSON object (half written, or cut by a restart) are passed over. Numbers that
    are not finite become None.
    """
    end = data.rfind(b"\n") + 1
    found = (_record(line) for line in data[:end].split(b"\n"))
    return Piece(tuple(record for record in found if record is not None), end)


def points_of(records: Sequence[Record]) -> list[MetricsPoint]:
    """The points of steps and evaluations, in their order.

    A point is numbered by its place in the run, twice its step and one more for an evaluation, so
    that what a restarted attempt writes again takes the place of what it wrote before; of two at
    one place the later one counts.
    """
    points: dict[int, MetricsPoint] = {}
    for record in records:
        step = _whole(record.get("step"))
        if record.get("kind") not in {"step", "evaluation"} or step is None:
            continue
        evaluation = record["kind"] == "evaluation"
        place = 2 * step + evaluation
        points[place] = MetricsPoint(
            sequence=place,
            timestamp=_moment(record.get("time")),
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
    return [points[place] for place in sorted(points)]


def with_context(points: Sequence[MetricsPoint], earlier: dict[str, Any]) -> list[MetricsPoint]:
    """Give evaluations, which know neither, the epoch and the total of the step before them."""
    epoch = float(earlier.get("epoch") or 0.0)
    total = int(earlier.get("total_steps") or 0)
    known = []
    for point in points:
        if point.total_steps:
            epoch, total = point.epoch, point.total_steps
            known.append(point)
        else:
            known.append(replace(point, epoch=epoch, total_steps=total))
    return known


def latest(points: Sequence[MetricsPoint], earlier: dict[str, Any]) -> dict[str, Any]:
    """The newest value of each metric, as the job's row shows them."""
    shown = dict(earlier)
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
        shown.update({name: value for name, value in values.items() if value is not None})
    return shown


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


def _moment(value: Any) -> str:
    seconds = _number(value) or 0.0
    return iso(datetime.fromtimestamp(min(max(seconds, 0.0), _LATEST_YEAR), UTC))


PIECE_BYTES = 1024 * 1024
"""Some 4,000 steps; a running job writes a few lines between two looks."""
MOST_PIECES = 8
"""At one look; the next one goes on where this one ended."""
_MOST_PER_CENT = 99.0
"""Until the adapter is delivered."""


@dataclass(frozen=True, slots=True)
class ProgressReader:
    """Keeps new points of a job's curves and says what of its row they change."""

    files: ArtifactFiles
    records: TrainingRecords

    def news(self, job: TrainingJob) -> dict[str, Any]:
        """The fields of the row that change; none when there is nothing new.

        A file that cannot be read now is read at the next look: it never fails the job. Raises
        StorageError where the points cannot be kept.
        """
        read, current = job.metrics_read, dict(job.current_metrics)
        for _ in range(MOST_PIECES):
            try:
                begin, data = self._unread(metrics_key(job.job_id), read)
            except StorageError as error:
                logger().warning("The trainer's metrics cannot be read", reason=error.message)
                break
            piece = read_piece(data)
            points = with_context(points_of(piece.records), current)
            self.records.add_points(job, points)
            current = latest(points, current)
            read = begin + piece.length
            # A whole piece without a line break is no line of the trainer's: it ends here.
            if len(data) < PIECE_BYTES or not piece.length:
                break
        if read == job.metrics_read:
            return {}
        return {"metrics_read": read, "current_metrics": current, **_position(current)}

    def _unread(self, key: str, read: int) -> tuple[int, bytes]:
        """What follows byte `read`, and where it begins.

        A trainer that goes on from a checkpoint writes the file anew, shorter: where the last line
        that was read does not end any more, all of it is read again.
        """
        if read:
            data = self.files.read(key, read - 1, PIECE_BYTES + 1)
            if data.startswith(b"\n"):
                return read, data[1:]
        return 0, self.files.read(key, 0, PIECE_BYTES)


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
"""Beyond what max_cost_usd pays for: the trainer ends itself before that, SageMaker then, and
saving and uploading take their time. Only when both have failed is the job stopped from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWatcher:
    """What the function watch_training does; doing it again at any point is safe."""

    jobs: TrainingJobRepository
    records: TrainingRecords
    training: TrainingService
    workflow: TrainingWorkflow
    progress: ProgressReader
    clock: Clock
    watch_s: int
    capacity_retry_s: int

    def watch(self, turn: TrainingStep) -> TrainingStepResult:
        """Take one look; says whether to look again, start anew, or close the job.

        Raises NotFoundError, StorageError.
        """
        job = self.jobs.job(turn.owner_id, turn.job_id)
        if job.settled:
            return next_step(turn, "settled")
        if turn.turn >= MAX_TURNS:
            self.workflow.ensure_training(job, turn.run + 1)
            return next_step(turn, "hand_over")
        run = self.training.describe(job.external_job_id)
        try:
            return self._unknown(turn, job) if run is None else self._look(turn, job, run)
        except VersionConflictError:
            return next_step(turn, "watch", _AT_ONCE_S)

    def _unknown(self, turn: TrainingStep, job: TrainingJob) -> TrainingStepResult:
        """SageMaker knows no such job: it was never asked for, or somebody has deleted it."""
        if job.started_at is None and not job.ended:
            return next_step(turn, "start", _AT_ONCE_S)
        if not job.ended:
            self.jobs.replace(failing(job, self.clock(), DELETED), job.version)
        return next_step(turn, "finish")

    def _look(self, turn: TrainingStep, job: TrainingJob, run: TrainingRun) -> TrainingStepResult:
        if job.ended:
            if run.state == "ended":
                return next_step(turn, "finish")
            self.training.stop(run.name)
            return next_step(turn, "watch", self.watch_s)
        if run.state == "ended" and lacked_capacity(run):
            return self._again(turn, job, run)
        job = self._brought_up_to_date(job, run)
        if run.state == "ended":
            return next_step(turn, "finish")
        self._keep_to_budget(job, run)
        return next_step(turn, "watch", self.watch_s)

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

    def _again(self, turn: TrainingStep, job: TrainingJob, run: TrainingRun) -> TrainingStepResult:
        """Take a new name, which SageMaker wants for a new attempt, before anything is asked."""
        now, reason = self.clock(), run.failure_reason or "There was no capacity."
        if now >= gives_up_at(job):
            self.jobs.replace(failing(job, now, no_capacity(reason)), job.version)
            return next_step(turn, "finish")
        pause = pause_s(job.start_attempts, self.capacity_retry_s)
        event = training_event(now, "warning", "waiting_for_capacity", reason, attempt=run.name)
        self.records.add_event(job, event)
        waiting = waiting_for_capacity(job, now, reason, now + timedelta(seconds=pause))
        renamed = dataclasses.replace(waiting, external_job_id=next_name(run.name))
        self.jobs.replace(renamed, job.version)
        return next_step(turn, "start", pause)

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
