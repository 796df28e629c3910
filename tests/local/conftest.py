"""What tests of the local engine share: engines on free ports over throwaway folders."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.local.running_system import RunningSystem, start_fixture_system

StartSystem = Callable[[Path], RunningSystem]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """A running engine with the test assembly, shared by the tests of one module."""
    running = start_fixture_system(tmp_path_factory.mktemp("engine"))
    yield running
    running.stop()


@pytest.fixture
def start_system(tmp_path: Path) -> Iterator[StartSystem]:
    """Starts engines over folders of the test's choice; what still runs is stopped at its end."""
    started: list[RunningSystem] = []

    def start(data_dir: Path) -> RunningSystem:
        started.append(start_fixture_system(data_dir))
        return started[-1]

    yield start
    for running in started:
        running.stop()
