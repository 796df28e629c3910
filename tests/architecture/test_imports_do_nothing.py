"""Importing a module does nothing: no client is made, no environment is read, nothing is sent."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import LAYER, ROOT, within

PROBE = Path(__file__).with_name("import_probe.py")


def probe(names: list[str], then: str = "") -> subprocess.CompletedProcess[str]:
    """Import modules in a process of their own, and run a line of code as if it were ours."""
    return subprocess.run(
        [sys.executable, str(PROBE), f"{LAYER}:{ROOT}", then, *names],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("package", ["brightrun", "functions"])
def test_every_module_can_be_imported_without_an_effect(package: str) -> None:
    result = probe([module.name for module in within(package)])
    assert result.returncode == 0, result.stderr


def test_a_module_that_read_the_environment_would_be_found() -> None:
    assert "brightrun.probe reads HOME" in probe([], "import os; os.environ.get('HOME')").stderr


def test_a_module_that_made_a_client_would_be_found() -> None:
    made = probe([], "import boto3; boto3.client('s3')")
    assert "an import opened a connection or made a client" in made.stderr
