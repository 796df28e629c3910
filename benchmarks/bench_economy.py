"""Measures what a batch costs beside Claude in the economy lane, and whether it fits its function.

Everything runs on the local engine, as in `bench_batch`: the deployed templates, the real handlers,
and the simulator's Message Batches, which end at the first poll. So the wall time is what the lane
adds to Claude's: sending, the wait of half a minute before the first poll, and storing. Requests
and transitions are counted; the worker's Lambda time is its measured processor time, at the share
of a processor that Lambda gives to its memory. Exit code 1 when a target is missed; the last line
is JSON.

    python -m benchmarks.bench_economy [--items 1000 10000] [--template-dir DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.batch_counts import Usage
from benchmarks.batch_prices import Deployment, Workflow, economy_bill, total
from benchmarks.batch_report import Findings, Target, number, print_table
from benchmarks.batch_system import BenchmarkSystem, Run, engine
from brightrun.batches.workflow import HISTORY_LIMIT

MOST_DOLLARS_PER_1000 = 0.006
_PROC = Path("/proc")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_WORKER = "process_next"
"""As the local engine names the processes of the function."""


@dataclass(frozen=True, slots=True)
class WorkerUse:
    """Of all processes of the worker function: processor seconds, and the largest one's peak."""

    cpu_s: float
    peak_mb: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One batch in the economy lane."""

    items: int
    run: Run
    usage: Usage
    worker: WorkerUse

    def workflow(self) -> Workflow:
        """What its executions had."""
        run = self.run
        return Workflow(run.transitions, sum(run.events.values()), run.invocations)


def worker_use() -> WorkerUse:
    """Read what the worker's processes on this machine have used until now."""
    cpu_s, peak_mb = 0.0, 0
    for process in _workers():
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            status = (process / "status").read_text()
        except OSError:
            continue  # it has just ended
        cpu_s += (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND
        peak_kb = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        peak_mb = max(peak_mb, int(peak_kb.split()[1]) // 1024)
    return WorkerUse(cpu_s, peak_mb)


def _workers() -> Iterator[Path]:
    for process in _PROC.glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() == _WORKER:
                yield process
        except OSError:
            continue


def measure(system: BenchmarkSystem, items: int) -> Measured:
    """Write one batch and count what it asks for."""
    counted, used = system.counts(), worker_use()
    run = system.run(items, lane="economy")
    counts, use = system.counts(), worker_use()
    counts.subtract(counted)
    worker = WorkerUse(use.cpu_s - used.cpu_s, use.peak_mb)
    if not worker.peak_mb:
        raise RuntimeError("No worker was seen: there is nothing to measure.")
    return Measured(items, run, Usage.of(counts), worker)


def show(measured: Measured, deployment: Deployment, findings: Findings) -> None:
    """Print a batch's bill, and set its targets."""
    lines = economy_bill(
        measured.usage, measured.workflow(), deployment, cpu_s=measured.worker.cpu_s
    )
    print_table(
        f"{measured.items:,} conversations in the economy lane, {deployment.memory_mb} MB arm64",
        ("", "quantity", "price in $", "$"),
        [
            (line.name, number(line.quantity), f"{line.price:.10f}", f"{line.dollars:.5f}")
            for line in lines
        ],
    )
    name, events = f"{measured.items:,} items", measured.workflow().events
    cost = total(lines) / measured.items * 1000
    findings.targets |= {
        f"cost_{measured.items}": Target(
            f"{name}, 1,000 of them", cost, MOST_DOLLARS_PER_1000, "$"
        ),
        f"memory_{measured.items}": Target(
            f"{name}, largest worker", measured.worker.peak_mb, deployment.memory_mb, "MB"
        ),
        f"events_{measured.items}": Target(f"{name}, history events", events, HISTORY_LIMIT),
    }
    findings.notes[str(measured.items)] = {
        "seconds": round(measured.run.finished_s),
        "worker_cpu_s": round(measured.worker.cpu_s, 1),
        "dollars_per_1000": round(cost, 5),
    }


def main() -> int:
    """Measure every size; returns 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template-dir", type=Path, default=Path("cdk.out"))
    parser.add_argument("--items", type=int, nargs="*", default=[1_000, 10_000])
    options = parser.parse_args()
    findings = Findings(notes={"load_average_at_start": os.getloadavg()[0]})
    deployment = Deployment.of(options.template_dir)
    for items in options.items:
        with engine(options.template_dir, call_seconds=0, metered=True) as system:
            show(measure(system, items), deployment, findings)
    print_table(
        "Targets",
        ("", "measured", "limit", "of the limit", ""),
        [target.row() for target in findings.targets.values()],
    )
    document = {**findings.document(), "benchmark": "economy"}
    print()
    print(json.dumps(document))
    return 0 if document["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
