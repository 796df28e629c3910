"""What a cold start costs, as a multiple of importing boto3: calls of Python, not its seconds.

A shared machine makes the same import 1.4 or 2.5 times as long as boto3's from one minute to the
next; its calls are always the same. `make bench-imports` prints the time of all functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import bench_imports
from infra.routes import ROUTES

pytestmark = pytest.mark.slow

IMPORT_LIMITS = {
    **dict.fromkeys(ROUTES, 1.5),
    "generate": 1.75,  # plans, quotes, budgets, lanes and domains
    "conversations": 1.75,  # lists, reviews and imports: the most routes
    "jobs": 1.6,  # renders a dataset before an instance starts
    "scaffolding": 1.75,  # the parts of every domain
    "training_files": 1.8,  # the formats that versions are written in, diversity and preferences
    "process_next": 1.4,
}
"""Importing a handler, as a multiple of `import boto3`."""

OPENED_LIMITS = {"conversations": 2.7, "process_next": 2.4}
"""The same with the first client, which nothing can put off: the largest API, and the worker."""


@pytest.fixture(scope="module")
def bytecode() -> Iterator[Path]:
    with bench_imports.warm_bytecode(sorted(IMPORT_LIMITS)) as folder:
        yield folder


@pytest.mark.parametrize(
    ("limits", "opened"), [(IMPORT_LIMITS, False), (OPENED_LIMITS, True)], ids=["import", "opened"]
)
def test_a_cold_start_stays_within_its_multiple_of_boto3(
    bytecode: Path, limits: dict[str, float], opened: bool
) -> None:
    of_boto3 = bench_imports.import_calls(bench_imports.BOTO3, bytecode)
    multiples = {
        name: bench_imports.import_calls(name, bytecode, opened=opened) / of_boto3
        for name in limits
    }
    over = {name: round(value, 2) for name, value in multiples.items() if value > limits[name]}
    assert not over


def test_the_same_import_always_makes_the_same_calls_and_more_modules_make_more(
    bytecode: Path,
) -> None:
    calls = [bench_imports.import_calls("process_next", bytecode) for _ in range(2)]
    assert calls[0] == calls[1]
    assert bench_imports.import_calls("process_next", bytecode, opened=True) > calls[0]


def test_the_worker_starts_without_anthropic(tmp_path: Path) -> None:
    bench_imports.import_seconds("process_next", tmp_path, write=True)
    imported = {path.name for path in tmp_path.rglob("site-packages/*")}
    assert {"botocore", "pydantic"} <= imported
    assert "anthropic" not in imported
