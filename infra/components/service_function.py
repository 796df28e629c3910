"""The only definition of a Lambda function here: runtime, role, log, layers, tracing and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.components.alarm import alarm, metric_namespace
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
    concurrency: int | None = None  # kept for it and at most used by it; None: what the account has

    @property
    def construct_id(self) -> str:
        """The name in CloudFormation's style: process_next -> ProcessNext."""
        return "".join(word.capitalize() for word in self.name.split("_"))


class ServiceFunction(Construct):
    """One folder under functions/ as a deployed Lambda function with a role of its own.

    The role allows what FUNCTION_GRANTS says, and the environment names exactly the targets that
    the role reaches. `failures` gets the events that EventBridge sent and that failed every time.
    Raises KeyError for a granted target that `targets` lacks.
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
        failures: sqs.IQueue | None = None,
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
            dead_letter_queue=failures,
            reserved_concurrent_executions=spec.concurrency,
            environment={
                "POWERTOOLS_SERVICE_NAME": spec.name,
                "LOG_LEVEL": settings.log_level,
                "POWERTOOLS_METRICS_NAMESPACE": metric_namespace(settings.stage),
                **_variables([targets[name] for name in sorted(reached)]),
                **environment,
            },
        )
        self._name = spec.name

    def alarm_on_errors(self, *, remedy: str, runbook: str) -> None:
        """Raise an alarm when the function crashes or times out."""
        alarm(
            self,
            "ErrorAlarm",
            metric=self.function.metric_errors(),
            description=f"{self._name} crashed or timed out; {remedy}",
            runbook=runbook,
        )


def _variables(reached: Sequence[Target]) -> dict[str, str]:
    return {one.variable: one.value for one in reached if one.variable is not None}
