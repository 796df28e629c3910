"""What a cold start costs, as a multiple of importing boto3: processor time, not the clock.

`make bench-imports` prints the figures of all functions, with bytecode and without.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import bench_imports
from benchmarks.bench_imports import ImportCost
from infra.routes import ROUTES

pytestmark = pytest.mark.slow

IMPORT_LIMITS = {
    **dict.fromkeys(ROUTES, 1.7),  # the goal is 1.6: groups and budgets are asked at every door
    "generate": 1.9,  # plans, quotes, budgets, lanes and domains
    "conversations": 1.8,  # lists, reviews and imports: the most routes
    "jobs": 1.8,  # renders a dataset before an instance starts
    "training_files": 1.9,  # the formats that versions are written in, diversity and preferences
    "process_next": 1.5,
}
"""Importing a handler, as a multiple of `import boto3`."""

OPENED_LIMITS = {"conversations": 3.2, "process_next": 2.7}
"""The same with the first client, which nothing can put off: the largest API, and the worker."""

OTHER_WORK = 0.1
"""What other work on the machine adds to a multiple at most (docs/benchmarks.md)."""

FEWEST_ROUNDS, MOST_ROUNDS = 3, 11


def over_their_limits(costs: dict[str, ImportCost], limits: dict[str, float]) -> dict[str, float]:
    return {
        name: round(costs[name].ratio, 2)
        for name, limit in limits.items()
        if costs[name].ratio > limit + OTHER_WORK
    }


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
    measured = bench_imports.measured_rounds(sorted(limits), bytecode, opened=opened)
    for rounds, costs in enumerate(measured, 1):
        over = over_their_limits(costs, limits)
        if rounds >= FEWEST_ROUNDS and not over:
            return
        assert rounds < MOST_ROUNDS, over


def test_a_handler_that_imports_too_much_is_found() -> None:
    costs = {name: ImportCost(ratios=[limit]) for name, limit in IMPORT_LIMITS.items()}
    assert not over_their_limits(costs, IMPORT_LIMITS)
    costs["process_next"] = ImportCost(ratios=[1.4, 1.7, 1.8])
    assert over_their_limits(costs, IMPORT_LIMITS) == {"process_next": 1.7}


def test_the_worker_starts_without_anthropic(tmp_path: Path) -> None:
    bench_imports.import_seconds("process_next", tmp_path, write=True)
    imported = {path.name for path in tmp_path.rglob("site-packages/*")}
    assert {"botocore", "pydantic"} <= imported
    assert "anthropic" not in imported
