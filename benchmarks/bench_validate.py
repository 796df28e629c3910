"""Measures the dataset validator against the usual ways, on one file in one run.

    python -m benchmarks.bench_validate               # 500 MiB of messages, made once and kept
    python -m benchmarks.bench_validate --mib 20 --form v4-jsonl

Each way runs in a process of its own, one after the other; on a machine that others use as well, go
by the CPU time.  Memory is the peak above what the process held before it opened the file, with all
that an extra process has to itself.  The file is read once before, so that all find it cached.
`datasets` and `polars` run in .venv-bench (requirements/bench.in) and are left out without it; they
only read and count, they check nothing.  The last line is one JSON object.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TypedDict

from benchmarks.validate_ways import (
    IN_BENCH_VENV,
    MIB,
    SLOW_WAY_MIB,
    SLOW_WAYS,
    WAYS,
    ProcessesWatched,
    plain_sha256,
)

ROOT = Path(__file__).parents[1]
DATA = ROOT / "build" / "bench-validate"
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"


class Measured(TypedDict):
    """What one way reports."""

    seconds: float
    cpu_seconds: float
    added_mb: float
    found: dict[str, Any]


def peak_mb() -> float:
    """The most memory that this process has held, in MB (Linux: VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def measure_here(way: str, path: Path) -> Measured:
    """Run one way in this process; imports are not counted."""
    if way.startswith("ours"):
        import brightrun.validation.scan_process  # noqa: F401
    elif way in IN_BENCH_VENV:
        __import__(way)
    before, start, cpu = peak_mb(), time.perf_counter(), cpu_seconds()
    found = WAYS[way](path)
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": cpu_seconds() - cpu,
        "added_mb": peak_mb() - before + ProcessesWatched.peak_mb,
        "found": found,
    }


def measure_apart(way: str, path: Path) -> Measured | None:
    """Run one way in a process of its own; None when what it needs is not installed."""
    python = BENCH_PYTHON if way in IN_BENCH_VENV else Path(sys.executable)
    if not python.exists():
        return None
    done = subprocess.run(
        [python, "-m", "benchmarks.bench_validate", "--way", way, "--file", path],
        cwd=ROOT,
        env={
            "PYTHONPATH": str(ROOT / "layers/common/python"),
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_CACHE": str(DATA / "cache"),
            "HOME": str(DATA),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def make_data(form: str, mib: int) -> tuple[Path, Path]:
    """The file and the same file with an unknown role in every line; made when not there yet."""
    from benchmarks.datagen import write_file

    DATA.mkdir(parents=True, exist_ok=True)
    good, bad = DATA / f"{form}-{mib}.jsonl", DATA / f"{form}-{mib}.bad.jsonl"
    if not good.exists():
        write_file(good, form, mib * MIB)
    if not bad.exists():
        with good.open("rb") as source, bad.open("wb", buffering=MIB) as out:
            for line in source:
                changed = re.sub(rb'("role": ?)"user"', rb'\1"usr"', line)
                out.write(changed.replace(b'"target_response":"', b'"target_response":7,"was":"'))
    return good, bad


def report(form: str, mib: int) -> dict[str, Any]:
    """Run all ways on the file and ours on the bad one; print a table and return the figures."""
    path, bad = make_data(form, mib)
    head, _ = make_data(form, min(mib, SLOW_WAY_MIB))
    plain_sha256(path)
    files = {way: head if way in SLOW_WAYS else path for way in WAYS}
    rows = {way: (file, measure_apart(way, file)) for way, file in files.items()}
    rows["ours, every line bad"] = (bad, measure_apart("ours", bad))
    rows["one process, every line bad"] = (bad, measure_apart("ours, one process", bad))
    rates, per_cpu, added = {}, {}, {}
    for way, (file, row) in rows.items():
        if row is None:
            print(f"{way:28} not installed: see requirements/bench.in")
            continue
        megabytes = file.stat().st_size / 1e6
        rates[way] = round(megabytes / row["seconds"], 1)
        per_cpu[way] = round(megabytes / row["cpu_seconds"], 1)
        added[way] = round(row["added_mb"], 1)
        print(f"{way:28} {rates[way]:8.1f} MB/s {per_cpu[way]:8.1f} MB/CPU-s", end="")
        print(f" {added[way]:8.1f} MB added  ({megabytes:.0f} MB)  {row['found']}")
    return {
        "file": path.name,
        "mb_per_s": rates,
        "mb_per_cpu_s": per_cpu,
        "added_mb": added,
        "by_the_clock": _ratios(rates, "ours", "ours, every line bad"),
        "one_process_by_cpu_time": _ratios(
            per_cpu, "ours, one process", "one process, every line bad"
        ),
    }


def _ratios(rates: dict[str, float], ours: str, bad: str) -> dict[str, float]:
    mine = rates[ours]
    return {
        "x_straightforward": round(mine / rates["straightforward"], 2),
        "x_straightforward_with_text": round(mine / rates["straightforward + text"], 2),
        "x_sha256": round(mine / rates["sha256"], 3),
        "times_slower_when_all_bad": round(mine / rates[bad], 2),
    }


def main() -> None:
    """Measure one way (a child process) or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=500)
    parser.add_argument("--form", choices=["messages", "v4-jsonl"], default="messages")
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--file", type=Path)
    chosen = parser.parse_args()
    if chosen.way:
        print(json.dumps(measure_here(chosen.way, chosen.file)))
    else:
        print(json.dumps(report(chosen.form, chosen.mib)))


if __name__ == "__main__":
    main()
