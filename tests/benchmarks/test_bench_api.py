"""Lists of conversations at the engine's door: as many reads of many conversations as of 50."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.batch_system import engine
from benchmarks.bench_api import LIST, Conversations, measure
from tests.effort import effort

ROOT = Path(__file__).parents[2]
FEW, MANY = 50, effort(1_000, 2_500)  # a read ends at 1 MB: after some 400
MOST_BYTES = 2048


@pytest.mark.slow
def test_no_list_reads_more_because_more_is_stored() -> None:
    few, _ = reads_and_sizes(FEW)
    many, sizes = reads_and_sizes(MANY)
    # Beyond the last of 50 there is no row to read.
    assert {name for name in few if few[name] != many[name]} <= {"page 25", "all at once"}
    assert max(many.values()) == 2
    assert len(sizes) == 100
    assert max(sizes) <= MOST_BYTES


def reads_and_sizes(count: int) -> tuple[dict[str, float], list[int]]:
    """Reads of each request after the first list of a process, and the bytes of listed rows."""
    with engine(ROOT / "cdk.out", call_seconds=0, metered=True) as system:
        conversations = Conversations(system)
        conversations.grow(count)
        listed = system.request("GET", f"{LIST}?limit=100")
        assert listed["total"] == count
        found = [measure(system, name, path, 2) for name, path in conversations.requests()]
    sizes = [len(json.dumps(row).encode()) for row in listed["conversations"]]
    return {one.name: one.reads for one in found}, sizes
