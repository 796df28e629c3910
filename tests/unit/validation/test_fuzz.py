"""Damaged lines by the thousand: no crash, each bad one named, both ways through agree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightrun.validation import record_reader
from brightrun.validation.record_summary import FastCheck
from brightrun.validation.result import ValidationResult
from brightrun.validation.validator import Options, validate
from tests.effort import effort
from tests.unit.validation.damage import damaged_file

FILES, LINES = effort(60, 200), 500
EVERYTHING = Options(listed=100_000)


def _never(_form: str) -> FastCheck:
    return lambda lines: [None] * len(lines)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _is_strict_json_object(line: bytes) -> bool:
    """An independent oracle: the standard library's parser, made strict."""
    try:
        value = json.loads(line.decode(), parse_constant=_refuse, object_pairs_hook=_unique)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict)


@contextmanager
def _the_slower_way_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(record_reader, "fast_check", _never)
        yield


def _comparable(result: ValidationResult) -> dict[str, Any]:
    plain = result.as_dict()
    for field in ("seconds", "mb_per_s"):
        del plain[field]
    return plain


@pytest.mark.slow
@given(seed=st.integers(0, 2**32))
@settings(
    max_examples=FILES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_each_bad_line_is_named_and_the_fast_way_agrees_with_the_slow_one(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = damaged_file(Random(seed), LINES)  # noqa: S311
    data = b"\n".join(lines)
    result = validate(BytesIO(data), EVERYTHING)
    with_error = {problem.line for problem in result.errors}
    for number, line in enumerate(lines, 1):
        if line.strip() and not _is_strict_json_object(line):
            assert number in with_error, line
    with _the_slower_way_only(monkeypatch):
        assert _comparable(validate(BytesIO(data), EVERYTHING)) == _comparable(result)


def test_the_fuzz_covers_a_hundred_thousand_lines_with_full_effort() -> None:
    assert effort(30_000, 100_000) <= FILES * LINES
