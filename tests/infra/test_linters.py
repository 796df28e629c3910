"""cfn-lint and checkov over the synthesized templates: nothing open, every waiver needed."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.lint_waivers import WAIVERS
from tests.infra.templates import STACKS

pytestmark = pytest.mark.slow

BIN = Path(__file__).resolve().parents[2] / ".venv-lint" / "bin"
HASH = re.compile(r"[0-9A-F]{8}$")  # the CDK ends a resource's logical id with it
# The CDK writes every dependency out, those that a reference implies, too.
NOT_OURS = "W3005"
CARELESS = {
    "Resources": {
        "Open": {"Type": "AWS::S3::Bucket", "Properties": {"BucketNam": "typing-error"}},
    }
}


def run(*command: str) -> Any:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.stdout.lstrip()[:1] in {"[", "{"}, done.stderr
    return json.loads(done.stdout)


Finding = tuple[str, str]
"""The id of a check, and the resource as a waiver names it."""


def lint(files: list[Path]) -> set[Finding]:
    """What cfn-lint finds."""
    options = ["--ignore-checks", NOT_OURS, "--format", "json", "--"]
    found = run(str(BIN / "cfn-lint"), *options, *map(str, files))
    return {
        (one["Rule"]["Id"], _resource(one["Filename"], one["Location"]["Path"][1])) for one in found
    }


def scan(files: list[Path]) -> set[Finding]:
    """What checkov finds."""
    options = ["--framework", "cloudformation", "--skip-download", "--compact", "--output", "json"]
    named = [part for file in files for part in ("--file", str(file))]
    report = run(str(BIN / "checkov"), *options, *named)
    return {
        (one["check_id"], _resource(one["file_path"], one["resource"].rpartition(".")[2]))
        for one in report["results"]["failed_checks"]
    }


def _resource(file: str, logical_id: str) -> str:
    return f"{Path(file).name.partition('.')[0]}/{HASH.sub('', logical_id)}"


@pytest.fixture(scope="module")
def templates_to_lint(assembly: Path) -> list[Path]:
    return [assembly / f"{stack}.template.json" for stack in STACKS]


def test_the_linters_find_what_is_waived_and_nothing_else(templates_to_lint: list[Path]) -> None:
    waived = {(one.check, resource) for one in WAIVERS for resource in one.resources}
    found = lint(templates_to_lint) | scan(templates_to_lint)
    assert sorted(found - waived) == []
    assert sorted(waived - found) == []


def test_every_waiver_names_its_resources_once_and_gives_a_reason_of_substance(
    record_property: Callable[[str, object], None],
) -> None:
    record_property("waived_resources", len({name for one in WAIVERS for name in one.resources}))
    pairs = Counter((one.check, resource) for one in WAIVERS for resource in one.resources)
    assert set(pairs.values()) == {1}
    assert all(len(one.reason) >= 40 for one in WAIVERS)
    assert all("*" not in resource for one in WAIVERS for resource in one.resources)


def test_both_linters_see_a_careless_template(tmp_path: Path) -> None:
    file = tmp_path / "Careless.template.json"
    file.write_text(json.dumps(CARELESS))
    assert ("E3002", "Careless/Open") in lint([file])
    assert {("CKV_AWS_53", "Careless/Open"), ("CKV_AWS_18", "Careless/Open")} <= scan([file])
