"""The training container's image: one that is named, or the one that this repository builds.

Building needs Docker and happens when the app is deployed; writing the templates needs none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aws_cdk import Arn, ArnComponents, IgnoreMode, Stack
from aws_cdk import aws_ecr_assets as ecr_assets

from infra.bundling import ROOT

DOCKERFILE = "training_container/Dockerfile"

# Everything but what the Dockerfile copies; equal to the repository's .dockerignore, by test.
CONTEXT = (
    "*",
    "!training_container",
    "!layers/common/python/brightrun/__init__.py",
    "!layers/common/python/brightrun/formats",
    "!layers/common/python/brightrun/sft",
    "**/__pycache__",
    "**/*.md",
)

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<name>[^:@]+)(?:[:@].*)?"
)


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """Where SageMaker pulls the image from; `repository_arn` is None outside of Amazon ECR."""

    uri: str
    repository_arn: str | None


def training_image(stack: Stack, named: str, cuda: int) -> TrainingImage:
    """Use the image that the context names, else have the repository's own built at deployment."""
    if not named:
        built = ecr_assets.DockerImageAsset(
            stack,
            "TrainingImage",
            directory=str(ROOT),
            file=DOCKERFILE,
            build_args={"CUDA": str(cuda)},
            exclude=list(CONTEXT),
            ignore_mode=IgnoreMode.DOCKER,
            platform=ecr_assets.Platform.LINUX_AMD64,
        )
        return TrainingImage(built.image_uri, built.repository.repository_arn)
    found = _ECR.fullmatch(named)
    if found is None:
        return TrainingImage(named, None)
    arn = Arn.format(
        ArnComponents(
            partition=stack.partition,
            service="ecr",
            region=found["region"],
            account=found["account"],
            resource="repository",
            resource_name=found["name"],
        )
    )
    return TrainingImage(named, arn)
