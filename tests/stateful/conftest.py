"""How the sweeps of faults are divided into tests."""

from __future__ import annotations

import pytest

from tests.stateful.faults import KINDS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each kind and tenth of the calls, so that they spread over processes."""
    if "tenth" in metafunc.fixturenames:
        metafunc.parametrize("tenth", range(10))
        metafunc.parametrize("kind", KINDS)
