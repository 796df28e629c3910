"""How long batches take on one machine, and what they use of it: the engine, its workers, Claude's
simulator, all processes together.

A first run of a new engine is cold: the workers are not there yet. Goals are those for a laptop of
two cores; other work on the machine adds to the seconds, and less to the processor seconds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.batch_processes import ProcessUsage, watched
from benchmarks.batch_report import Findings, Target, print_table
from benchmarks.batch_system import BenchmarkSystem, engine

MOST_CPU_MS = 20
MOST_MEMORY_MB = 400


@dataclass(frozen=True, slots=True)
class Case:
    """So many items at so many calls in flight, each of the simulator's calls taking so long."""

    items: int
    workers: int
    calls: int
    call_s: float
    warm_goal_s: float
    cold_goal_s: float | None = None
    warm_runs: int = 2

    @property
    def ideal_s(self) -> float:
        """The seconds of the calls alone."""
        return self.items / (self.workers * self.calls) * self.call_s

    @property
    def title(self) -> str:
        """What is measured, in words."""
        in_flight = self.workers * self.calls
        return (
            f"{self.items:,} calls of {self.call_s:g} s, {in_flight} in flight, {self.workers} "
            f"worker{'s' if self.workers > 1 else ''} (ideal {self.ideal_s:g} s)"
        )


CASES = {
    "200": Case(200, workers=1, calls=20, call_s=1.0, warm_goal_s=11.5, cold_goal_s=13.0),
    "1000": Case(1000, workers=2, calls=25, call_s=0.5, warm_goal_s=17.0),
}


@dataclass(frozen=True, slots=True)
class Timed:
    """One run: from sending the POST to the execution's end, when log.txt is written."""

    seconds: float
    usage: ProcessUsage
    items: int

    @property
    def cpu_ms(self) -> float:
        """Processor milliseconds an item, of all processes."""
        return self.usage.cpu_s / self.items * 1000

    def row(self, name: str) -> tuple[str, ...]:
        """Its row in the table."""
        used = self.usage
        return (
            name,
            f"{self.seconds:.2f}",
            f"{used.cpu_s:.1f}",
            f"{self.cpu_ms:.1f}",
            str(used.pss_mb),
            str(used.rss_mb),
            str(used.processes),
        )

    def document(self) -> dict[str, Any]:
        """What the JSON line says of it."""
        return {
            "seconds": round(self.seconds, 2),
            "cpu_ms_per_item": round(self.cpu_ms, 1),
            "pss_mb": self.usage.pss_mb,
            "rss_mb": self.usage.rss_mb,
            "processes": self.usage.processes,
        }


def measure_speed(template_dir: Path, name: str, findings: Findings) -> None:
    """Run a case on an engine of its own, cold and then warm."""
    case = CASES[name]
    load = os.getloadavg()[0]
    with engine(template_dir, call_seconds=case.call_s) as system:
        runs = [_timed(system, case) for _ in range(1 + case.warm_runs)]
    cold, warm = runs[0], min(runs[1:], key=lambda run: run.seconds)
    print_table(
        f"{case.title}; load average before {load:.1f}",
        ("run", "seconds", "CPU s", "CPU ms an item", "PSS MB", "RSS MB", "processes"),
        [cold.row("cold"), *(run.row("warm") for run in runs[1:])],
    )
    findings.notes[f"speed_{name}"] = {"load": load, "runs": [run.document() for run in runs]}
    for label, target in _targets(case, cold, warm, min(run.cpu_ms for run in runs[1:])):
        findings.targets[f"{name}_{label}"] = target


def _targets(case: Case, cold: Timed, warm: Timed, cpu_ms: float) -> Iterator[tuple[str, Target]]:
    yield (
        "warm",
        Target(f"{case.items:,} items, best warm run", warm.seconds, case.warm_goal_s, "s"),
    )
    if case.cold_goal_s is not None:
        yield "cold", Target(f"{case.items:,} items, cold", cold.seconds, case.cold_goal_s, "s")
    yield "cpu", Target(f"{case.items:,} items, CPU an item, warm", cpu_ms, MOST_CPU_MS, "ms")
    yield (
        "memory",
        Target(f"{case.items:,} items, memory (PSS)", warm.usage.pss_mb, MOST_MEMORY_MB, "MB"),
    )


def _timed(system: BenchmarkSystem, case: Case) -> Timed:
    with watched(system.process) as usage:
        run = system.run(case.items, workers=case.workers, calls=case.calls)
    return Timed(run.finished_s, usage, case.items)
