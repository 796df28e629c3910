"""The only definition of a Lambda function here: runtime, role, log, layers, tracing and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.components.layers import ARCHITECTURE, RUNTIME, function_code
from infra.components.log_group import log_group
from infra.components.service_role import service_role
from infra.components.target import Target
from infra.permissions import FUNCTION_GRANTS
from infra.settings import StageSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A function's folder under functions/ and its limits."""

    name: str
    timeout_s: int
    memory_mb: int = 512  # also buys CPU: below this, importing the packages dominates a cold start

    @property
    def construct_id(self) -> str:
        """The name in CloudFormation's style: process_next -> ProcessNext."""
        return "".join(word.capitalize() for word in self.name.split("_"))


class ServiceFunction(Construct):
    """One folder under functions/ as a deployed Lambda function with a role of its own.

    The role allows what FUNCTION_GRANTS says, and the environment names exactly the targets that
    the role reaches. Raises KeyError for a granted target that `targets` lacks.
    """

    def __init__(
        self,
        scope: Construct,
        spec: FunctionSpec,
        *,
        settings: StageSettings,
        layers: Sequence[lambda_.ILayerVersion],
        targets: Mapping[str, Target],
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, spec.construct_id)
        grants = FUNCTION_GRANTS[spec.name]
        log = log_group(self, settings)
        arns = {name: target.arn for name, target in targets.items()}
        reached = {grant.target for grant in grants} & targets.keys()
        self.role = service_role(
            self,
            service="lambda.amazonaws.com",
            grants=grants,
            arns={**arns, "OwnLogGroup": log.log_group_arn},
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"Bright Run: {spec.name}",
            code=function_code(spec.name),
            handler="handler.lambda_handler",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            layers=list(layers),
            timeout=Duration.seconds(spec.timeout_s),
            memory_size=spec.memory_mb,
            tracing=lambda_.Tracing.ACTIVE,
            log_group=log,
            role=self.role,
            environment={
                "POWERTOOLS_SERVICE_NAME": spec.name,
                "LOG_LEVEL": settings.log_level,
                **_variables([targets[name] for name in sorted(reached)]),
                **environment,
            },
        )


def _variables(reached: Sequence[Target]) -> dict[str, str]:
    return {one.variable: one.value for one in reached if one.variable is not None}
