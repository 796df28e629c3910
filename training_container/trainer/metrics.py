"""Progress that the trainer writes itself: one line to stdout, one record to each file.

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
"""Where a run stands before anything is known; each record carries on from the one before."""


class Sink(Protocol):
    """Somewhere progress goes; it may fail, the job goes on."""

    def write(self, record: Record) -> None:
        """Take one record."""


class StdoutSink:
    """One `key=value` line per record, which METRIC_DEFINITIONS and people read alike."""

    def write(self, record: Record) -> None:
        """Write the line at once, so that a killed process leaves it behind."""
        told = {k: v for k, v in record.items() if v is not None and k != "time"}
        line = " ".join(f"{key}={_shown(value)}" for key, value in told.items())
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

    def forget_after(self, step: int) -> None:
        """Drop the records past `step`, which a resumed run will write again."""
        if not self.path.is_file():
            return
        lines = self.path.read_text("utf-8").splitlines()
        kept = [line for line in lines if _step_of(line) <= step]
        self.path.write_text("".join(f"{line}\n" for line in kept), "utf-8")


class Metrics:
    """Sends every record to every sink; a sink that fails is left out from then on, with a line."""

    def __init__(self, sinks: Sequence[Sink], clock: Callable[[], float] = time.time) -> None:
        self._sinks = list(sinks)
        self._clock = clock
        self._place = dict(START)

    def record(self, kind: str, **values: Any) -> None:
        """Send one record: its kind and values, where the run stands, the seconds since 1970."""
        self._place |= {key: values[key] for key in START if key in values}
        unsaid = {**self._place, **UNMEASURED}
        record = {
            "kind": kind,
            **values,
            **{key: value for key, value in unsaid.items() if key not in values},
            "time": round(self._clock(), 3),
        }
        for sink in tuple(self._sinks):
            try:
                sink.write(record)
            except Exception as error:  # noqa: BLE001 - progress is never worth the job
                self._sinks.remove(sink)
                sys.stderr.write(f"sink {type(sink).__name__} failed and is left out: {error}\n")

    def resume(self, step: int) -> None:
        """Take back what an earlier attempt wrote after `step`, then say where it goes on."""
        for sink in self._sinks:
            if isinstance(sink, JsonLinesSink):
                sink.forget_after(step)
        self.record("resumed", step=step)

    def stage(self, stage: str, **values: Any) -> None:
        """Say which part of the job begins."""
        self.record("stage", stage=stage, **values)


def open_metrics(kept: Path, shown: Path, *, is_main: bool) -> Metrics:
    """The sinks of this process: stdout and a file in either folder; none but on the main one.

    `kept` outlives a restart of the job (SageMaker copies it to S3 while the job runs), so what
    an earlier attempt wrote there is shown again.
    """
    if not is_main:
        return Metrics([])
    if (kept / FILE_NAME).is_file():
        shutil.copyfile(kept / FILE_NAME, shown / FILE_NAME)
    files = [JsonLinesSink(folder / FILE_NAME) for folder in (kept, shown)]
    return Metrics([StdoutSink(), *files])


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value).replace(" ", "_")


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line).get("step", 0))
    except ValueError:
        return sys.maxsize
