"""The gates are written once, in the Makefile; a commit, CI and a reader meet the same ones."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def commands(target: str) -> list[str]:
    """What a target of the Makefile runs, its prerequisites aside, as make prints it."""
    text = (ROOT / "Makefile").read_text("utf-8")
    (recipe,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    lines = [line.removeprefix("\t@") for line in recipe.splitlines()]
    return [line.replace("$(BIN)", ".venv/bin").replace("$(VENV)", ".venv") for line in lines]


def document(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def steps() -> list[dict[str, Any]]:
    (job,) = document(".github/workflows/ci.yml")["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def test_the_hooks_before_a_commit_are_the_commands_of_make_check() -> None:
    (local,) = document(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    assert [hook["entry"] for hook in local["hooks"]] == commands("check")


def test_pre_commit_takes_its_configuration() -> None:
    command = [".venv/bin/pre-commit", "validate-config", ".pre-commit-config.yaml"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_the_workflow_runs_the_script_that_ci_runs_everywhere() -> None:
    assert [step["run"] for step in steps() if "run" in step] == ["bash .ci/run"]
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("make")] == ["make test"]
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert recipe is not None
    assert re.search(r"\$\(MAKE\) .*\bcheck\b", recipe[1])


def test_the_workflow_may_only_read_and_pins_what_it_uses() -> None:
    workflow = document(".github/workflows/ci.yml")
    assert workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action) for action in used)


def test_the_smoke_test_is_started_by_hand_and_stores_no_key_of_aws() -> None:
    workflow = document(".github/workflows/smoke.yml")
    assert list(workflow[True]) == ["workflow_dispatch"]  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    (job,) = workflow["jobs"].values()
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"(aws-)?actions/[\w-]+@[0-9a-f]{40}", action) for action in used)
    assert "AWS_SECRET" not in (ROOT / ".github/workflows/smoke.yml").read_text("utf-8")


@pytest.mark.parametrize(
    ("action", "key"), [("python", "python-version"), ("node", "node-version")]
)
def test_the_workflow_runs_the_oldest_versions_that_are_promised(action: str, key: str) -> None:
    (given,) = [
        step["with"][key]
        for step in steps()
        if step.get("uses", "").startswith(f"actions/setup-{action}")
    ]
    promised = {
        "python": re.findall(r'requires-python = ">=(.+)"', (ROOT / "pyproject.toml").read_text()),
        "node": [json.loads((ROOT / "package.json").read_text())["engines"]["node"].strip(">=")],
    }
    assert [given] == promised[action]
