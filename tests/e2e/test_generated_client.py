"""The client that openapi-python-client makes of docs/openapi.json, against a running system."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from local.openapi import DOCUMENT, operations
from tests.e2e.conftest import ROOT, Installation

pytestmark = pytest.mark.slow

ENVIRONMENT = ROOT / ".venv-client" / "bin"
SESSION = Path(__file__).with_name("generated_client_session.py")
NOWHERE = "http://127.0.0.1:9"
"""A proxy that nothing listens at: the generator needs no network."""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the package is in; fails if the generator has anything to remark."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.yml").write_text("post_hooks: []\n")
    command: list[str | Path] = [
        ENVIRONMENT / "openapi-python-client",
        *("generate", "--fail-on-warning", "--meta", "none"),
        *("--path", DOCUMENT, "--config", folder / "config.yml"),
        *("--output-path", folder / "brightrun_client"),
    ]
    assert ENVIRONMENT.exists(), "run `make .venv-client/.installed`"
    environ = {**os.environ, "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "warning" not in said.lower()
    return folder


def test_every_operation_becomes_a_function_under_its_tag(generated: Path) -> None:
    document = json.loads(DOCUMENT.read_text())
    described = {
        (operation["tags"][0].lower().replace(" ", "_"), operation["operationId"])
        for _, _, operation in operations(document)
    }
    modules = (generated / "brightrun_client" / "api").glob("*/*.py")
    made = {(one.parent.name, one.stem) for one in modules if one.stem != "__init__"}
    assert made == described
    assert len(made) == sum(len(methods) for methods in document["paths"].values())


def test_a_batch_is_ordered_followed_listed_and_paid_for(
    system: Installation, generated: Path
) -> None:
    done = subprocess.run(
        [ENVIRONMENT / "python", SESSION, system.client.api_url],
        input=system.token(),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(generated), "PATH": os.environ["PATH"]},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["status"] == "completed"
    assert told["unchanged"] == [304, ""]
    assert len(told["conversations"]) == len(system.items(told["job_id"])) == 2
    assert told["cost_usd"] == told["simulated_cost"] > 0
    assert told["cost_records"] == [[told["job_id"], "writing", told["cost_usd"], True]]
    assert told["missing"] == [404, "not_found"]
