"""The two layers under every function: our shared package and its third-party dependencies.

Each stack makes its own pair. A layer version is replaced when its content changes, and
CloudFormation refuses to replace a resource that another stack imports.
"""

from __future__ import annotations

from pathlib import Path

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import bundling

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = lambda_.Runtime.PYTHON_3_14
ARCHITECTURE = lambda_.Architecture.ARM_64


def source_folder(folder: Path) -> lambda_.AssetCode:
    """Package a folder of ours, without what Python and editors leave in it.

    What is left out does not count towards the asset's hash: running the tests redeploys nothing.
    """
    return lambda_.Code.from_asset(
        str(folder), exclude=["__pycache__/", "*.pyc", ".*"], ignore_mode=IgnoreMode.GIT
    )


def shared_layers(scope: Construct) -> list[lambda_.ILayerVersion]:
    """Create the layers of one stack.

    Raises LayerNotBuiltError where `make setup` has not built the dependencies of this lock.
    """
    dependencies = lambda_.Code.from_asset(
        str(bundling.LAYER), asset_hash=bundling.built_layer_digest()
    )
    return [
        _layer(
            scope, "Dependencies", dependencies, "Third-party packages of requirements/layer.lock"
        ),
        _layer(
            scope, "BrightRunCode", source_folder(ROOT / "layers" / "common"), "Package brightrun"
        ),
    ]


def _layer(
    scope: Construct, construct_id: str, code: lambda_.Code, description: str
) -> lambda_.LayerVersion:
    return lambda_.LayerVersion(
        scope,
        construct_id,
        code=code,
        description=description,
        compatible_runtimes=[RUNTIME],
        compatible_architectures=[ARCHITECTURE],
    )
