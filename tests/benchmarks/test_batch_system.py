"""The metered engine that the benchmark measures: it starts, writes a batch and has counted it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.batch_system import engine

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_metered_engine_writes_a_batch_and_counts_what_it_asked_for() -> None:
    with engine(ROOT / "cdk.out", call_seconds=0, metered=True) as system:
        before = system.counts()
        run = system.run(3)
        counted = system.counts() - before
    assert sum(run.events.values()) > 0
    assert sum(count for name, count in counted.items() if name.startswith("write units ")) >= 3
