"""How long a batch takes when Claude refuses every third call."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.batch_report import Findings, Target, print_table
from benchmarks.batch_system import engine

_ITEMS, _CALLS, _CALL_S, _SHARE = 60, 20, 0.3, 0.3


@dataclass(frozen=True, slots=True)
class Busy:
    """How Claude refuses, and the seconds within which all items must be written."""

    refusal: dict[str, Any]
    goal_s: float


_CASES = {
    "429": Busy({"status": 429, "retry_after": 2}, 10.0),
    "529": Busy({"status": 529}, 8.0),
}


def measure_busy(template_dir: Path, findings: Findings) -> None:
    """Run each case on a warm engine of its own."""
    rows = []
    for name, case in _CASES.items():
        load = os.getloadavg()[0]
        with engine(template_dir, call_seconds=_CALL_S) as system:
            system.run(3)
            system.script_claude({**case.refusal, "share": _SHARE})
            took_s = system.run(_ITEMS, workers=1, calls=_CALLS).finished_s
        rows.append((name, f"{took_s:.2f}", f"{load:.1f}"))
        findings.targets[f"busy_{name}"] = Target(
            f"{_ITEMS} items, {_SHARE:.0%} of {name}", took_s, case.goal_s, "s"
        )
    title = f"{_ITEMS} calls of {_CALL_S:g} s, {_CALLS} in flight, {_SHARE:.0%} of them refused"
    print_table(title, ("refused with", "seconds", "load before"), rows)
