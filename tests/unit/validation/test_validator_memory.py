"""The validator adds at most 64 MB to what was there, whatever the file's size and however bad."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.effort import effort

PROGRAM = """
import sys
from brightrun.validation import validate
from tests.unit.validation.endless import STREAMS, Stream, peak_mb

validate(Stream(STREAMS[sys.argv[1]], 1 << 20))
before = peak_mb()
result = validate(Stream(STREAMS[sys.argv[1]], int(sys.argv[2])))
print(result.bytes, len(result.errors) + len(result.warnings), peak_mb() - before)
"""
ROOT = Path(__file__).parents[3]
MIB = 1 << 20


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stream", "size"),
    [
        ("no newline at all", 256 * MIB),
        ("sound lines", 48 * MIB),
        ("one bad line after another", effort(12, 24) * MIB),
        ("empty arrays", effort(8, 24) * MIB),
        ("two-megabyte emoji", 48 * MIB),
        ("deep nesting", 48 * MIB),
        ("tiny records", 24 * MIB),
        ("an array of nothing", 24 * MIB),
        ("an array of deep items", effort(4, 8) * MIB),
        ("nothing on two lines", effort(12, 24) * MIB),
        ("a table of short rows", effort(4, 8) * MIB),
    ],
)
def test_memory_stays_within_64_mb(stream: str, size: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, stream, str(size)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/common/python'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    read, listed, added = done.stdout.split()
    assert int(read) >= size
    assert int(listed) <= 2100
    assert float(added) <= 64.0
