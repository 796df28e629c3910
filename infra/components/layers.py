"""The two layers under every function: our shared package and its third-party dependencies.

Each stack makes its own pair. A layer version is replaced when its content changes, and
CloudFormation refuses to replace a resource that another stack imports.
"""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import bundling

RUNTIME = lambda_.Runtime.PYTHON_3_14
ARCHITECTURE = lambda_.Architecture.ARM_64


def function_code(name: str) -> lambda_.AssetCode:
    """Package functions/`name`; the asset's hash is of its content alone."""
    return lambda_.Code.from_asset(str(bundling.compiled_code() / "functions" / name))


def shared_layers(scope: Construct) -> list[lambda_.ILayerVersion]:
    """Create the layers of one stack.

    Raises LayerNotBuiltError where `make setup` has not built the dependencies of this lock.
    """
    dependencies = lambda_.Code.from_asset(
        str(bundling.LAYER), asset_hash=bundling.built_layer_digest()
    )
    package = lambda_.Code.from_asset(str(bundling.compiled_code() / "layers" / "common"))
    return [
        _layer(
            scope, "Dependencies", dependencies, "Third-party packages of requirements/layer.lock"
        ),
        _layer(scope, "BrightRunCode", package, "Package brightrun"),
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
