"""The trainer's own records: lines of JSON that grow while it trains, read piece by piece."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from brightrun.domain.moments import iso
from brightrun.domain.storable import storable
from brightrun.domain.training_records import MetricsPoint

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
        return storable(float(value))
    except OverflowError:
        return None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 <= number < 1e9 else None


def _moment(value: Any) -> str:
    seconds = _number(value) or 0.0
    return iso(datetime.fromtimestamp(min(max(seconds, 0.0), _LATEST_YEAR), UTC))
