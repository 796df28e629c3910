"""Deployments in any region and stage: none names another, so that all fit into one account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.infra.templates import STACKS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
STAGES = ("dev", "prod")
ANY_REGION = re.compile(
    r"\b(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:gov-)?(?:north|south|east|west|central)+-\d\b"
)
# Named within an API or a role.
INSIDE_ANOTHER = {
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Stage",
    "AWS::IAM::Policy",
}
GLOBAL = "AWS::CloudFront::"


class Deployment(NamedTuple):
    """One synthesis: its context, and the texts of its files by name."""

    region: str
    stage: str
    files: dict[str, str]

    @property
    def templates(self) -> dict[str, dict[str, Any]]:
        return {stack: json.loads(self.files[f"{stack}.template.json"]) for stack in STACKS}

    @property
    def stack_names(self) -> set[str]:
        artifacts = json.loads(self.files["manifest.json"])["artifacts"]
        return {artifacts[stack]["properties"].get("stackName", stack) for stack in STACKS}


@pytest.fixture(scope="module")
def deployments(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Deployment]:
    """Every region in every stage, each through its policy pack; the default one is made anyway."""
    from infra.app import build_app

    made = []
    for region in REGIONS:
        for stage in STAGES:
            folder = assembly
            if (region, stage) != ("us-east-1", "dev"):
                folder = tmp_path_factory.mktemp(f"{stage}-{region}")
                build_app(str(folder), region=region, stage=stage).synth()
            files = {path.name: path.read_text() for path in folder.glob("*.json")}
            made.append(Deployment(region, stage, files))
    return made


def test_no_deployment_names_another_region(deployments: list[Deployment]) -> None:
    assert len(deployments) == 6
    for one in deployments:
        assert one.files
        for name, text in one.files.items():
            assert set(ANY_REGION.findall(text)) <= {one.region}, name


def test_no_two_deployments_share_a_name(deployments: list[Deployment]) -> None:
    for first, second in combinations(deployments, 2):
        shared = set(_names(first)) & set(_names(second))
        assert shared == set(), f"{first[:2]} {second[:2]}"


def _names(one: Deployment) -> Iterator[tuple[str, str, str]]:
    """Whatever must be unique in an account: by kind, place and name."""
    for name in one.stack_names:
        yield "stack", one.region, name
    for template in one.templates.values():
        for output in template.get("Outputs", {}).values():
            if "Export" in output:
                yield "export", one.region, output["Export"]["Name"]
        for resource in template["Resources"].values():
            kind = resource["Type"]
            place = "" if kind.startswith(GLOBAL) else one.region
            if kind not in INSIDE_ANOTHER:
                for name in _physical_names(kind, resource["Properties"]):
                    yield kind, place, name


def _physical_names(kind: str, properties: dict[str, Any]) -> Iterator[str]:
    last = kind.rpartition("::")[2]
    for key, value in properties.items():
        if key in {"Name", "Domain", f"{last}Name"}:
            yield json.dumps(value)
        elif key.endswith("Config") and isinstance(value, dict):
            yield from _physical_names(kind, value)


def test_names_are_found_where_the_templates_have_them(deployments: list[Deployment]) -> None:
    kinds = {kind for kind, _, _ in _names(deployments[0])}
    assert {
        "stack",
        "export",
        "AWS::ApiGatewayV2::Api",
        "AWS::CloudFront::Function",
        "AWS::CloudFront::OriginAccessControl",
        "AWS::CloudFront::ResponseHeadersPolicy",
        "AWS::Cognito::UserPoolDomain",
        "AWS::StepFunctions::StateMachine",
    } <= kinds


def test_a_deployment_imports_only_what_its_own_stacks_export(
    deployments: list[Deployment],
) -> None:
    for one in deployments:
        imported = set(re.findall(r'"Fn::ImportValue":\s*"([^"]+)"', "".join(one.files.values())))
        exported = {name for kind, _, name in _names(one) if kind == "export"}
        assert imported
        assert imported <= exported
        assert {name.partition(":")[0] for name in exported} <= one.stack_names


def test_the_default_stage_keeps_the_names_from_before_there_were_stages(
    deployments: list[Deployment],
) -> None:
    for one in deployments:
        expected = set(STACKS) if one.stage == "dev" else {f"{stack}-prod" for stack in STACKS}
        assert one.stack_names == expected


def test_an_account_is_pinned_where_it_is_given(tmp_path: Path) -> None:
    from infra.app import build_app

    build_app(str(tmp_path), account="111122223333").synth()
    artifacts = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]
    environments = {artifacts[stack]["environment"] for stack in STACKS}
    assert environments == {"aws://111122223333/us-east-1"}
    assert "222233334444" not in (tmp_path / "BrightRunApi.template.json").read_text()
