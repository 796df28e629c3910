"""Measures what a batch costs beside Claude: time, database, workflow history, money.

Everything runs on the local engine: the deployed templates, the real handlers, the Claude simulator
for the calls. About four minutes; exit code 1 when a target is missed; the last line is JSON.

    python -m benchmarks.bench_batch [--only 200|1000|busy|bill] [--template-dir DIR] [--write-all]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from benchmarks.batch_bill import work_out_costs
from benchmarks.batch_busy import measure_busy
from benchmarks.batch_counts import Counted, count_batches, per_item
from benchmarks.batch_prices import Deployment
from benchmarks.batch_report import Findings, Target, number, print_table
from benchmarks.batch_speed import CASES, measure_speed
from benchmarks.batch_system import BenchmarkSystem, Refused, engine
from brightrun.batches.model import MAX_ITEMS
from brightrun.batches.workflow import HISTORY_LIMIT, max_events

API_TIMEOUT_S = 29.0
MOST_WRITE_UNITS = 15
"""An item in company, enrichment included."""
NAMES = {
    "writes": "database write requests",
    "reads": "database read requests",
    "write_units": "database write units",
    "read_units": "database read units",
    "puts": "S3 PUT requests",
    "gets": "S3 GET requests",
}


def measure_database(system: BenchmarkSystem, findings: Findings) -> list[Counted]:
    """Count what batches of three sizes ask for; one more item must always ask for as much."""
    counted = count_batches(system)
    steps = per_item(counted)
    large = counted[-1]
    print_table(
        "What a batch asks for",
        (
            "",
            *(f"{batch.items} items, each" for batch in counted),
            "20 to 200: one more item",
            "200 to 1,000: one more item",
        ),
        [
            (
                NAMES[name],
                *(number(getattr(batch.usage, name) / batch.items) for batch in counted),
                *(number(getattr(step, name)) for step in steps),
            )
            for name in NAMES
        ],
    )
    for name in ("write_units", "read_units", "writes", "reads"):
        first, second = (getattr(step, name) for step in steps)
        growth = max(first, second) / min(first, second)
        label = f"{NAMES[name]} of one more item, growth"
        findings.targets[name] = Target(label, growth, 1.1)
    findings.notes["per_item"] = {name: round(getattr(steps[1], name), 3) for name in NAMES}
    findings.notes["units_by_table_1000"] = {
        name: amount for name, amount in sorted(large.counts.items()) if "units" in name
    }
    events = [sum(batch.run.events.values()) for batch in counted]
    findings.notes["events"] = {
        str(batch.items): n for batch, n in zip(counted, events, strict=True)
    }
    findings.targets["events"] = Target(
        "history events, 1,000 items / 20", events[-1] / events[0], 1
    )
    findings.targets["bound"] = Target(
        "history events at the most, 10 workers", max_events(10), HISTORY_LIMIT
    )
    return counted


def measure_company(template_dir: Path, findings: Findings) -> None:
    """Count the write units of an item among others that are claimed and end with it."""
    case = CASES["1000"]
    with engine(template_dir, call_seconds=case.call_s, metered=True) as system:
        system.run(3)
        before = system.counts()
        system.run(case.items, workers=case.workers, calls=case.calls)
        counts = system.counts()
    counts.subtract(before)
    units = {
        name.removeprefix("write units "): amount / case.items
        for name, amount in sorted(counts.items())
        if name.startswith("write units ")
    }
    print_table(
        f"Write units of an item in company: {case.title}",
        ("", "units"),
        [(name, number(amount)) for name, amount in units.items()],
    )
    findings.notes["units_in_company"] = {name: round(n, 2) for name, n in units.items()}
    findings.targets["company"] = Target(
        "write units of an item in company", sum(units.values()), MOST_WRITE_UNITS
    )


def measure_acceptance(system: BenchmarkSystem, findings: Findings, *, write_all: bool) -> None:
    """Have the largest job accepted, and one item more refused."""
    if write_all:
        run = system.run(MAX_ITEMS)
        accepted_s = run.accepted_s
        findings.notes["all_written"] = {
            "seconds": round(run.finished_s),
            "events": sum(run.events.values()),
        }
    else:
        _, accepted_s = system.create(MAX_ITEMS)
    findings.targets["acceptance"] = Target(
        f"{MAX_ITEMS:,} items accepted", accepted_s, API_TIMEOUT_S, "s"
    )
    try:
        system.create(MAX_ITEMS + 1)
        refusal = None
    except Refused as refused:
        refusal = refused.problem["error"]
    findings.notes["refusal_of_10001"] = refusal
    findings.targets["refusal"] = Target(
        f"{MAX_ITEMS + 1:,} items accepted", 1 if refusal is None else 0, 0.5, "jobs"
    )


def main() -> int:
    """Measure everything; returns 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template-dir", type=Path, default=Path("cdk.out"))
    parser.add_argument("--write-all", action="store_true", help="write the 10,000 items too")
    parser.add_argument(
        "--only", choices=[*CASES, "busy", "bill"], help="measure one case, or the bill"
    )
    options = parser.parse_args()
    findings = Findings(notes={"load_average_at_start": os.getloadavg()[0]})
    began = time.monotonic()
    for case in CASES:
        if options.only in {None, case}:
            measure_speed(options.template_dir, case, findings)
    if options.only in {None, "busy"}:
        measure_busy(options.template_dir, findings)
    if options.only in {None, "bill"}:
        with engine(options.template_dir, call_seconds=0, metered=True) as system:
            counted = measure_database(system, findings)
            measure_acceptance(system, findings, write_all=options.write_all)
        work_out_costs(counted, Deployment.of(options.template_dir), findings)
        measure_company(options.template_dir, findings)
    print_table(
        "Targets",
        ("", "measured", "limit", "of the limit", ""),
        [target.row() for target in findings.targets.values()],
    )
    findings.notes["took_seconds"] = round(time.monotonic() - began)
    document = findings.document()
    print()
    print(json.dumps(document))
    return 0 if document["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
