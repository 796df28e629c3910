"""What a function may be pointed at: an ARN and the environment variable that names it."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import ArnFormat, Stack


@dataclass(frozen=True, slots=True)
class Target:
    """One resource for a function: `arn` goes into its role, `value` into its environment.

    What the code names by itself has no variable.
    """

    arn: str
    variable: str | None = None
    value: str = ""


def training_jobs_target(stack: Stack) -> Target:
    """SageMaker's training jobs of this account and region; a grant narrows them by their names."""
    arn = stack.format_arn(
        service="sagemaker", resource="training-job", arn_format=ArnFormat.NO_RESOURCE_NAME
    )
    return Target(arn)
