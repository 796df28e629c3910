"""Measures the dataset validator against the usual ways, on one file in one run.

    python -m benchmarks.bench_validate               # 500 MiB of messages, made once and kept
    python -m benchmarks.bench_validate --mib 20 --form v4-jsonl

Each way runs in a process of its own, one after the other; on a machine that others use as well, go
by the CPU time.  Memory is the peak above what the process held before it opened the file, with all
that a lane has to itself.  The file is read once before, so that all find it cached.  `datasets`
and `polars` run in .venv-bench (requirements/bench.in) and are left out without it; they only read
and count, they check nothing.  The last line is one JSON object.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypedDict

ROOT = Path(__file__).parents[1]
DATA = ROOT / "build" / "bench-validate"
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
MIB = 1 << 20
ROLES = {"system", "user", "assistant"}
SUSPICIOUS = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+|\d{3}-\d{2}-\d{4}|\d{3}[ .-]\d{3}[ .-]\d{4}|(?:\d[ -]?){13,16}"
    r"|AKIA[0-9A-Z]{16}|sk-\w{20}|ghp_\w{36}|<\|\w+\|>|\[/?INST\]|\\\\n"
)


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


class LanesWatched:
    """A file that looks now and then, while it is read, at what the lanes' processes hold."""

    peak_mb = 0.0

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._reads = 0

    def read(self, size: int, /) -> bytes:
        """Read on, and look at every hundredth time."""
        self._reads += 1
        if self._reads % 100 == 2:
            held = sum(_own_mb(lane.pid) for lane in multiprocessing.active_children())
            LanesWatched.peak_mb = max(self.peak_mb, held)
        return self._stream.read(size)


def _own_mb(process: int | None) -> float:
    """What a process shares with no other, in MB."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(row.split()[1]) for row in rollup if row.startswith("Private")) * 1024 / 1e6


def cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def ours(path: Path, lanes: int = 0) -> dict[str, Any]:
    """Our validator with all its checks."""
    from brightrun.validation import Options, validate

    with path.open("rb", buffering=0) as stream:
        result = validate(LanesWatched(stream), Options(lanes=lanes))
    return {
        "status": result.status,
        "trainable_pairs": result.trainable_pairs,
        "errors": result.error_count,
        "warnings": {row.code: row.count for row in result.summary},
        "forgotten": result.forgotten,
    }


def ours_with_a_lane(path: Path) -> dict[str, Any]:
    """The same in two processes, as `brightrun validate` does it where there are two processors."""
    return ours(path, lanes=1)


def _texts_of(record: dict[str, Any]) -> list[str]:
    """Check one record as one would by hand; raises ValueError at the first problem."""
    if "target_response" in record:
        turns = [*record["conversation_history"]]
        turns.append({"role": "user", "content": record["current_user_input"]})
        turns.append({"role": "assistant", "content": record["target_response"]})
    else:
        turns = record["messages"]
    if not isinstance(turns, list) or not turns:
        raise ValueError("no turns")
    previous = None
    for turn in turns:
        role, content = turn["role"], turn["content"]
        if role not in ROLES or role == previous:
            raise ValueError("role")
        if not isinstance(content, str) or not content.strip():
            raise ValueError("content")
        previous = role
    if previous != "assistant":
        raise ValueError("ends without an answer")
    return [turn["content"] for turn in turns]


def straightforward(path: Path) -> dict[str, Any]:
    """json, dictionary checks, sha256 of the file and of each record, a set of those seen."""
    digest, seen = hashlib.sha256(), set()
    counts = {"lines": 0, "bad": 0, "duplicates": 0, "tokens": 0}
    with path.open("rb") as stream:
        for line in stream:
            digest.update(line)
            counts["lines"] += 1
            try:
                texts = _texts_of(json.loads(line))
            except (ValueError, KeyError, TypeError):
                counts["bad"] += 1
                continue
            counts["tokens"] += sum(len(text) for text in texts) // 4
            key = hashlib.sha256(json.dumps(texts).encode()).digest()
            counts["duplicates"] += key in seen
            seen.add(key)
    return counts


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def straightforward_with_text_checks(path: Path) -> dict[str, Any]:
    """The same, with what our validator looks for as well: repeated keys, near duplicates, text."""
    digest, seen, answers = hashlib.sha256(), set(), set()
    counts = {"lines": 0, "bad": 0, "duplicates": 0, "near": 0, "suspicious": 0}
    with path.open("rb") as stream:
        for line in stream:
            digest.update(line)
            counts["lines"] += 1
            try:
                texts = _texts_of(json.loads(line, object_pairs_hook=_unique))
            except (ValueError, KeyError, TypeError):
                counts["bad"] += 1
                continue
            keys = [hashlib.sha256(text.encode()).digest() for text in texts]
            whole = b"".join(keys)
            counts["duplicates"] += whole in seen
            seen.add(whole)
            counts["near"] += 2 * sum(key in answers for key in keys[2::2]) >= len(keys[2::2])
            answers.update(keys[2::2])
            counts["suspicious"] += any(SUSPICIOUS.search(text) for text in texts)
    return counts


def plain_sha256(path: Path) -> dict[str, Any]:
    """The digest alone, a mebibyte at a time: what any check of a file's identity costs."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(MIB):
            digest.update(block)
    return {"sha256": digest.hexdigest()[:16]}


def hugging_face(path: Path) -> dict[str, Any]:
    """`datasets` streaming: iterate over the rows."""
    from datasets import load_dataset

    rows = load_dataset("json", data_files=str(path), split="train", streaming=True)
    return {"lines": sum(1 for _ in rows)}


def polars_scan(path: Path) -> dict[str, Any]:
    """`polars.scan_ndjson` with its streaming engine: parse and count the rows."""
    import polars

    frame = polars.scan_ndjson(path)
    first = polars.col(frame.collect_schema().names()[0])
    return {"lines": frame.select(first.count()).collect(engine="streaming").item()}


WAYS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "ours": ours_with_a_lane,
    "ours, one process": ours,
    "straightforward": straightforward,
    "straightforward + text": straightforward_with_text_checks,
    "datasets": hugging_face,
    "polars": polars_scan,
    "sha256": plain_sha256,
}
IN_BENCH_VENV = {"datasets", "polars"}
SLOW_WAYS = {"straightforward + text"}  # some 5 MB/s whatever the size: measured on 20 MiB
SLOW_WAY_MIB = 20


def measure_here(way: str, path: Path) -> Measured:
    """Run one way in this process; imports are not counted."""
    if way.startswith("ours"):
        import brightrun.validation.lane  # noqa: F401
    elif way in IN_BENCH_VENV:
        __import__(way)
    before, start, cpu = peak_mb(), time.perf_counter(), cpu_seconds()
    found = WAYS[way](path)
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": cpu_seconds() - cpu,
        "added_mb": peak_mb() - before + LanesWatched.peak_mb,
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
