"""What every test starts from: no real AWS in sight, and tables of the deployed shape in moto."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.aws import Aws, empty_buckets, empty_tables, moto_aws

# A busy machine is slow, not wrong: no example is judged by the clock.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

_LONGEST_FIRST = ("stateful", "e2e", "console", "workflows", "local", "benchmarks", "infra")
"""The folders whose files take longest. Processes take whole files (`--dist loadfile`) in this
order (`--no-loadscope-reorder`), so that no long file is begun when the others are done."""

_OURS = ("AWS_", "ANTHROPIC_", "CLAUDE_", "BRIGHTRUN_", "POWERTOOLS_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first; refuse tests of one name, of which xdist would run the first alone."""
    twice = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    if twice:
        raise pytest.UsageError(f"Several tests have one name: {', '.join(sorted(twice))}")
    rank = {folder: number for number, folder in enumerate(_LONGEST_FIRST)}
    root = Path(__file__).parent
    items.sort(key=lambda item: rank.get(item.path.relative_to(root).parts[0], len(rank)))


def pytest_collection_finish() -> None:
    """Keep the garbage collector away from the objects that the imports made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the developer's own reaches a test."""
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tests")


@pytest.fixture(scope="module")
def account() -> Iterator[Aws]:
    """Every table and bucket of the data stack, in moto: making them takes longer than a test."""
    with moto_aws() as made:
        yield made


@pytest.fixture
def aws(scrubbed_environment: None, account: Aws) -> Aws:
    """The account of the module, its tables and buckets empty."""
    empty_tables()
    empty_buckets()
    return account
