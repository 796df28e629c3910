"""Measures how long others take for the same prompts and answers from the same simulated Claude.

Curator and Data Designer have an environment each (`make bench-peers` installs them). Seconds run
from the order to the last answer on disk, with everything imported; ours on a warm engine, whose
conversations are also checked, scored, enriched and logged. Processor and memory are those of all
processes, the simulator among them. About five minutes on an idle machine; exit code 1 where ours
takes longer than the slower of the others, or an answer is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.batch_processes import ProcessUsage, watched
from benchmarks.batch_report import print_table
from benchmarks.batch_system import engine
from brightrun.conversations.model import RAW_CONVERSATION_SCHEMA
from local.claude_simulator import ClaudeSimulator
from tests import builders

ROOT = Path(__file__).resolve().parents[1]
MODEL = "claude-sonnet-5-5"
PEERS = {"Curator": "curator", "Data Designer": "data-designer"}
BODY = {"output_config": {"format": {"type": "json_schema", "schema": RAW_CONVERSATION_SCHEMA}}}


@dataclass(frozen=True, slots=True)
class Case:
    """So many calls of `call_s` seconds, `workers` times `calls` in flight, and Claude's faults."""

    items: int
    workers: int
    calls: int
    call_s: float
    faults: list[dict[str, Any]] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What is measured, in words."""
        refused = f", 30 % refused with {self.faults[0]['status']}" if self.faults else ""
        in_flight = self.workers * self.calls
        return f"{self.items:,} calls of {self.call_s:g} s, {in_flight} in flight{refused}"


CASES = (
    Case(200, 1, 20, 1.0),
    Case(1000, 2, 25, 0.5),
    Case(60, 1, 20, 0.3, [{"status": 429, "retry_after": 2, "share": 0.3}]),
    Case(60, 1, 20, 0.3, [{"status": 529, "share": 0.3}]),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one system took for a case; `written` of its items have an answer."""

    name: str
    seconds: float
    written: int
    usage: ProcessUsage

    def row(self) -> tuple[str, ...]:
        """Its row in the table."""
        used = self.usage
        figures = (f"{self.seconds:.1f}", str(self.written), f"{used.cpu_s:.1f}", str(used.pss_mb))
        return (self.name, *figures)


def ours(case: Case, template_dir: Path) -> Measured:
    """Bright Run's local engine, warmed by as many items as are in flight."""
    with engine(template_dir, call_seconds=case.call_s) as system:
        system.run(case.workers * case.calls, workers=case.workers, calls=case.calls)
        system.script_claude(*case.faults)
        with watched(system.process) as usage:
            run = system.run(case.items, workers=case.workers, calls=case.calls)
    return Measured("Bright Run", run.finished_s, case.items, usage)


def peer(name: str, case: Case) -> Measured:
    """Another system, for the prompts that ours would send."""
    with TemporaryDirectory(prefix="peer-") as folder, simulated_claude(case) as url:
        order = Path(folder) / "order.json"
        order.write_text(json.dumps(_order(case, url, folder)), "utf-8")
        with subprocess.Popen(
            [_python(name), str(_client(name)), str(order)],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            _read(process, until="ready")
            with watched(os.getpid()) as usage:
                began = time.monotonic()
                said = _go(process)
                took_s = time.monotonic() - began
    result: dict[str, Any] = json.loads(said) if said else {"seconds": took_s, "answers": 0}
    return Measured(name, result["seconds"], result["answers"], usage)


@contextmanager
def simulated_claude(case: Case) -> Iterator[str]:
    """The simulator in this process, which is measured with the client; yields its address."""
    with ClaudeSimulator(latency_seconds=case.call_s) as simulator:
        simulator.script(*case.faults)
        yield simulator.url


def _order(case: Case, url: str, folder: str) -> dict[str, Any]:
    planned = builders.a_plan(case.items)
    prompts = [planned.plan.prompt(item) for item in planned.items]
    return {
        "url": url,
        "folder": folder,
        "model": MODEL,
        "calls": case.workers * case.calls,
        "max_tokens": prompts[0].max_output_tokens,
        # Numbered, so that nobody takes equal prompts together.
        "prompts": [f"{one.user}\n\nNumber {n}." for n, one in enumerate(prompts)],
        "body": {**BODY, "system": prompts[0].system},
    }


def _python(name: str) -> str:
    return str(ROOT / f".venv-{PEERS[name]}" / "bin" / "python")


def _client(name: str) -> Path:
    return ROOT / "benchmarks" / "peers" / f"{PEERS[name].replace('-', '_')}_client.py"


def _go(process: subprocess.Popen[str]) -> str:
    if process.stdin is None:
        raise RuntimeError("The client has no input.")
    process.stdin.write("go\n")
    process.stdin.flush()
    return _read(process, until="{")


def _read(process: subprocess.Popen[str], *, until: str) -> str:
    for line in process.stdout or ():
        if line.startswith(until):
            return line
    return ""  # it gave up


def main() -> int:
    """Run every case on every system."""
    options = argparse.ArgumentParser(prog="bench_peers", description=__doc__)
    options.add_argument("--template-dir", type=Path, default=ROOT / "cdk.out")
    template_dir = options.parse_args().template_dir
    met = True
    for case in CASES:
        load = os.getloadavg()[0]
        measured = [ours(case, template_dir), *(peer(name, case) for name in PEERS)]
        print_table(
            f"{case.title}; load average before {load:.1f}",
            ("", "seconds", "written", "CPU s", "PSS MB"),
            [one.row() for one in measured],
        )
        met &= measured[0].seconds <= max(one.seconds for one in measured[1:])
        met &= measured[0].written == case.items
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
