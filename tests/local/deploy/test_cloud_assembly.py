"""Cloud assemblies are read in the order of their dependencies, with their assets."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from local.deploy.assets import pack
from local.deploy.cloud_assembly import AssemblyError, read_assembly
from local.deploy.deployment import is_current
from tests.local.running_system import ASSEMBLY


def test_stacks_come_after_those_they_depend_on() -> None:
    stacks = read_assembly(ASSEMBLY)
    assert [stack.name for stack in stacks] == ["FixtureData", "FixtureWorkflows", "FixtureApi"]


def test_assets_are_those_of_the_stack_without_its_template() -> None:
    workflows = read_assembly(ASSEMBLY)[1]
    assert {asset.key for asset in workflows.assets} == {
        "code.zip",
        "layer.zip",
        "dependencies.zip",
    }
    assert {asset.bucket for asset in workflows.assets} == {
        "cdk-fixture-assets-000000000000-us-east-1"
    }


def test_layer_of_dependencies_is_skipped() -> None:
    assert read_assembly(ASSEMBLY)[1].skipped_asset_keys() == {"dependencies.zip"}


def test_only_declared_parameters_are_passed() -> None:
    data, workflows, _ = read_assembly(ASSEMBLY)
    values = {"LeaseSeconds": "10", "ClaudeModel": "x"}
    assert data.parameters_from(values) == {}
    assert workflows.parameters_from(values) == {"LeaseSeconds": "10"}


def test_folder_without_an_assembly_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="make synth"):
        read_assembly(tmp_path)


def test_assembly_without_stacks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {}}))
    with pytest.raises(AssemblyError, match="names no stack"):
        read_assembly(tmp_path)


def test_deployment_is_current_until_template_or_parameters_change() -> None:
    stacks = read_assembly(ASSEMBLY)
    parameters = {"LeaseSeconds": "10"}
    record = {
        stack.name: {"digest": stack.digest(stack.parameters_from(parameters))} for stack in stacks
    }
    assert is_current(record, stacks, parameters)
    assert is_current(record, stacks, {**parameters, "Undeclared": "1"})
    assert not is_current(record, stacks, {"LeaseSeconds": "11"})
    assert not is_current({}, stacks, parameters)
    assert not is_current({**record, "Another": {}}, stacks, parameters)


def test_same_content_gives_the_same_archive(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "file.py").write_text("A = 1\n")
    one, two = (pack((tmp_path / name).rglob("*"), tmp_path / name) for name in ("one", "two"))
    assert one == two
    assert zipfile.ZipFile(io.BytesIO(one)).namelist() == ["sub/file.py"]
