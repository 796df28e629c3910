"""The app, synthesized once a test run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.infra.templates import STACKS, Templates


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a synthesis that passed its policy pack."""
    from infra.app import build_app

    folder = tmp_path_factory.mktemp("cdk.out")
    build_app(str(folder)).synth()
    return folder


@pytest.fixture(scope="session")
def templates(assembly: Path) -> Templates:
    """The three synthesized templates by stack name."""
    texts: dict[str, Any] = {
        stack: json.loads((assembly / f"{stack}.template.json").read_text()) for stack in STACKS
    }
    return Templates(texts)
