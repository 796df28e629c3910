"""Files made to be slow cost a bounded amount of work for each of their bytes."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Any

import pytest

from benchmarks.worst_files import KINDS, NORMAL, file_of
from brightrun.validation.validator import validate

_SIZE = 60_000
_MOST_CALLS = 12.0
"""For each byte: some 0.1 microseconds each, where the Lambda's 900 seconds for 500 MiB are 1.7."""


def _calls_per_byte(data: bytes) -> float:
    """How many functions are called to validate a file: the same on every machine."""
    calls = 0

    def count(_frame: Any, event: str, _found: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        validate(BytesIO(data))
    finally:
        sys.setprofile(None)
    return calls / len(data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_of_the_worst_files_costs_a_few_calls(kind: str) -> None:
    data = file_of(kind, _SIZE)
    validate(BytesIO(data[: _SIZE // 10]))  # what is built once is not counted
    assert _calls_per_byte(data) < _MOST_CALLS


def test_normal_rows_cost_next_to_none() -> None:
    data = file_of(NORMAL, 10 * _SIZE)
    validate(BytesIO(data[: _SIZE // 10]))
    assert _calls_per_byte(data) < _MOST_CALLS / 30
