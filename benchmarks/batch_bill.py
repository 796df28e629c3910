"""The bill for 1,000 conversations, as the batch benchmark prints it."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.batch_counts import Counted, enrichment
from benchmarks.batch_prices import Deployment, Load, Workflow, bill, total
from benchmarks.batch_report import Findings, Target, number, print_table

MEMORIES = (256, 512, 1024)
MOST_DOLLARS = 0.04


def work_out_costs(counted: list[Counted], deployment: Deployment, findings: Findings) -> None:
    """Price 1,000 conversations from the counts of that batch, their enrichment apart."""
    thousand = counted[-1]
    run = thousand.run
    workflow = Workflow(run.transitions, sum(run.events.values()), run.invocations)
    writing = thousand.usage.without(enrichment(thousand.counts))
    load = Load(items=thousand.items)
    lines = bill(load, writing, workflow, deployment)
    print_table(
        f"{load.items:,} conversations written on AWS: {load.workers} workers of {load.calls} calls"
        f" of {load.call_s:.0f} s, {deployment.memory_mb} MB arm64",
        ("", "quantity", "price in $", "$"),
        [
            (line.name, number(line.quantity), f"{line.price:.10f}", f"{line.dollars:.5f}")
            for line in lines
        ],
    )
    written = total(lines)
    enriched = total(bill(load, thousand.usage, workflow, deployment)) - written
    print_table(
        "The same by calls in flight a worker and by its memory, $",
        ("calls", *(f"{memory} MB" for memory in MEMORIES)),
        [
            (
                str(calls),
                *(
                    f"{total(bill(replace(load, calls=calls), writing, workflow, other)):.4f}"
                    for other in (replace(deployment, memory_mb=memory) for memory in MEMORIES)
                ),
            )
            for calls in (5, 10, 25)
        ],
    )
    findings.targets["cost"] = Target("1,000 conversations written", written, MOST_DOLLARS, "$")
    findings.notes["dollars"] = {
        "writing": round(written, 5),
        "enriching": round(enriched, 5),
        "billed_seconds": round(load.billed_s(deployment)),
        "memory_mb": deployment.memory_mb,
    }
