"""The role in which SageMaker runs the training container."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.components.service_role import service_role
from infra.components.target import Target, training_jobs_target
from infra.components.training_image import TrainingImage
from infra.permissions import PULL_THE_IMAGE, TRAINING_ROLE_GRANTS
from infra.permissions.training_workflow import TRAINING_JOBS

# SageMaker's own name for it; a log group of another name cannot be chosen.
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
NAMES = TRAINING_JOBS.partition("/")[2]


class TrainingRole(Construct):
    """Allows what TRAINING_ROLE_GRANTS says, and to pull the image where it is in Amazon ECR."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        targets: Mapping[str, Target],
        image: TrainingImage,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        arns = {name: target.arn for name, target in targets.items()}
        arns["TrainingLogGroup"] = _log_group_arn(stack)
        grants = TRAINING_ROLE_GRANTS
        if image.repository_arn is not None:
            arns["TrainingImageRepository"] = image.repository_arn
            grants = (*grants, *PULL_THE_IMAGE)
        self.role: iam.IRole = service_role(
            self,
            service="sagemaker.amazonaws.com",
            grants=grants,
            arns=arns,
            taken_for=f"{training_jobs_target(stack).arn}/{NAMES}",
        )


def _log_group_arn(stack: Stack) -> str:
    """The group and its streams: for requests about either, CloudWatch Logs wants the `:*`."""
    return stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=f"{LOG_GROUP}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
