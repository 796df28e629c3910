"""Reads a cloud assembly: its stacks in dependency order, their templates, their assets.

Source of the format: cloud-assembly-schema of the AWS CDK (manifest.json, *.assets.json).
"""

import graphlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from local.errors import LocalError
from local.settings import ACCOUNT, REGION

_SKIPPED_LAYER = "Dependencies"
"""Logical id of the layer with third-party packages, built for the Lambda's own processor."""


class AssemblyError(LocalError):
    """The folder holds no cloud assembly, or one that cannot be deployed."""


@dataclass(frozen=True)
class Asset:
    """A file or folder to be uploaded before the stack that refers to it is deployed."""

    source: Path
    is_folder: bool
    bucket: str
    key: str


@dataclass(frozen=True)
class StackArtifact:
    """One stack: its name, the text of its template, its assets."""

    name: str
    template: str
    assets: tuple[Asset, ...]

    @cached_property
    def content(self) -> dict[str, Any]:
        """The parsed template."""
        parsed: dict[str, Any] = json.loads(self.template)
        return parsed

    def parameters_from(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return those of the values that the template declares as parameters."""
        declared = self.content.get("Parameters", {})
        return {name: value for name, value in values.items() if name in declared}

    def digest(self, parameters: Mapping[str, str]) -> str:
        """Return a hash that changes whenever a deployment would change something."""
        content = json.dumps([self.template, dict(parameters)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def skipped_asset_keys(self) -> set[str]:
        """Return the keys of layer archives that local runs replace by an empty one.

        Locally third-party packages come from the virtual environment.
        """
        return {
            resource["Properties"]["Content"]["S3Key"]
            for logical_id, resource in self.content["Resources"].items()
            if resource["Type"] == "AWS::Lambda::LayerVersion"
            and logical_id.startswith(_SKIPPED_LAYER)
        }


def read_assembly(folder: Path) -> list[StackArtifact]:
    """Return the stacks of a cloud assembly, each after the stacks it depends on.

    Raises AssemblyError when there is no assembly in the folder or it holds no stack.
    """
    manifest_file = folder / "manifest.json"
    if not manifest_file.exists():
        raise AssemblyError(f"No templates in {folder}: run `make synth` to write them.")
    artifacts = json.loads(manifest_file.read_text())["artifacts"]
    stacks = {
        name: artifact
        for name, artifact in artifacts.items()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    if not stacks:
        raise AssemblyError(f"{manifest_file} names no stack: run `make synth` again.")
    order = graphlib.TopologicalSorter(
        {name: set(stack.get("dependencies", ())) & stacks.keys() for name, stack in stacks.items()}
    )
    return [_read_stack(folder, name, stacks[name], artifacts) for name in order.static_order()]


def _read_stack(
    folder: Path, name: str, stack: dict[str, Any], artifacts: dict[str, Any]
) -> StackArtifact:
    properties = stack["properties"]
    template_file = properties["templateFile"]
    assets: list[Asset] = []
    for dependency in stack.get("dependencies", ()):
        artifact = artifacts[dependency]
        if artifact["type"] == "cdk:asset-manifest":
            assets += _read_assets(folder, artifact["properties"]["file"], template_file)
    return StackArtifact(
        name=properties.get("stackName", name),
        template=(folder / template_file).read_text(),
        assets=tuple(assets),
    )


def _read_assets(folder: Path, asset_file: str, template_file: str) -> list[Asset]:
    manifest = json.loads((folder / asset_file).read_text())
    return [
        Asset(
            source=folder / asset["source"]["path"],
            is_folder=asset["source"]["packaging"] == "zip",
            bucket=_resolve(destination["bucketName"]),
            key=_resolve(destination["objectKey"]),
        )
        for asset in manifest["files"].values()
        if asset["source"]["path"] != template_file
        for destination in asset["destinations"].values()
    ]


def _resolve(text: str) -> str:
    return (
        text.replace("${AWS::AccountId}", ACCOUNT)
        .replace("${AWS::Region}", REGION)
        .replace("${AWS::Partition}", "aws")
    )
