"""Reads what the trainer has written since the last look, in bounded pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brightrun.domain.training_job import TrainingJob
from brightrun.domain.training_metrics import latest, points_of, read_piece, with_context
from brightrun.domain.training_request import metrics_key
from brightrun.errors import StorageError
from brightrun.observability import logger
from brightrun.ports.training import ArtifactFiles, TrainingRecords

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
