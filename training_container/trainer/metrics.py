"""The trainer's progress: one line to stdout and one record to each file.

Needs no torch, so that the infrastructure can read METRIC_DEFINITIONS.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

FILE_NAME = "metrics.jsonl"

_NUMBER = r"([0-9.eE+-]+)"
METRIC_DEFINITIONS = [
    {"Name": "train:loss", "Regex": rf" train_loss={_NUMBER}"},
    {"Name": "train:learning_rate", "Regex": rf" learning_rate={_NUMBER}"},
    {"Name": "train:grad_norm", "Regex": rf" grad_norm={_NUMBER}"},
    {"Name": "train:tokens_per_second", "Regex": rf" tokens_per_second={_NUMBER}"},
    {"Name": "train:gpu_utilization", "Regex": rf" gpu_utilization={_NUMBER}"},
    {"Name": "train:step", "Regex": rf"kind=step step={_NUMBER} "},
    {"Name": "train:epoch", "Regex": rf" epoch={_NUMBER}"},
    {"Name": "validation:loss", "Regex": rf" validation_loss={_NUMBER}"},
]
"""What SageMaker's AlgorithmSpecification.MetricDefinitions takes (at most 40, one group each)."""

Record = dict[str, Any]

UNMEASURED: Record = {
    "train_loss": None,
    "validation_loss": None,
    "learning_rate": None,
    "grad_norm": None,
    "tokens_per_second": None,
    "gpu_utilization": None,
    "gpu_peak_gib": None,
}
"""The figures of every record, null where this one did not measure them (README.md: Metrics)."""

START: Record = {"stage": "loading", "step": 0, "total_steps": 0, "epoch": 0.0}
"""The position before the first record; each record inherits the position of the one before."""


class Sink(Protocol):
    """A destination of progress records. It may raise; the job continues without it."""

    def write(self, record: Record) -> None:
        """Write one record."""


class StdoutSink:
    """One `key=value` line per record, for METRIC_DEFINITIONS and for people."""

    def write(self, record: Record) -> None:
        """Write and flush the line, so that it survives if the process is killed."""
        measured = {k: v for k, v in record.items() if v is not None and k != "time"}
        line = " ".join(f"{key}={_format_value(value)}" for key, value in measured.items())
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class JsonLinesSink:
    """One JSON object per line in a file; a reader must expect an unfinished last line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, record: Record) -> None:
        """Append the record."""
        with self.path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(record) + "\n")

    def drop_after(self, step: int) -> None:
        """Delete the records after `step`, which a resumed run will write again."""
        if not self.path.is_file():
            return
        lines = self.path.read_text("utf-8").splitlines()
        kept = [line for line in lines if _step_of(line) <= step]
        self.path.write_text("".join(f"{line}\n" for line in kept), "utf-8")


class Metrics:
    """Sends every record to every sink. A sink that fails is reported on stderr and removed."""

    def __init__(self, sinks: Sequence[Sink], clock: Callable[[], float] = time.time) -> None:
        self._sinks = list(sinks)
        self._clock = clock
        self._position = dict(START)

    def record(self, kind: str, **values: Any) -> None:
        """Send one record: kind, values, position in the run, and Unix time in seconds."""
        self._position |= {key: values[key] for key in START if key in values}
        defaults = {**self._position, **UNMEASURED}
        record = {
            "kind": kind,
            **values,
            **{key: value for key, value in defaults.items() if key not in values},
            "time": round(self._clock(), 3),
        }
        for sink in tuple(self._sinks):
            try:
                sink.write(record)
            except Exception as error:  # noqa: BLE001 - a failing sink must not end the job
                self._sinks.remove(sink)
                sys.stderr.write(f"sink {type(sink).__name__} failed and is left out: {error}\n")

    def resume(self, step: int) -> None:
        """Delete an earlier attempt's records after `step`, then record the resumption."""
        for sink in self._sinks:
            if isinstance(sink, JsonLinesSink):
                sink.drop_after(step)
        self.record("resumed", step=step)

    def stage(self, stage: str, **values: Any) -> None:
        """Record the start of a stage: loading, training, validating, saving or done."""
        self.record("stage", stage=stage, **values)


def open_metrics(checkpoints: Path, output_data: Path, *, is_main: bool) -> Metrics:
    """Metrics to stdout and to a file in each folder; without any sink unless `is_main`.

    `checkpoints` survives a restart of the job (SageMaker copies it to S3 while the job runs), so
    the records of an earlier attempt are copied from there to `output_data`.
    """
    if not is_main:
        return Metrics([])
    if (checkpoints / FILE_NAME).is_file():
        shutil.copyfile(checkpoints / FILE_NAME, output_data / FILE_NAME)
    files = [JsonLinesSink(folder / FILE_NAME) for folder in (checkpoints, output_data)]
    return Metrics([StdoutSink(), *files])


def _format_value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value).replace(" ", "_")


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line).get("step", 0))
    except ValueError:
        return sys.maxsize
