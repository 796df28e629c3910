"""The HTTP API: explicit routes behind a JWT authorizer, throttled, logged, open to two origins."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aws_cdk import ArnFormat, CfnParameter, Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.components.alarm import alarm
from infra.components.log_group import log_group
from infra.components.user_pool import Users
from infra.routes import BEGINS_PAID_WORK
from infra.settings import StageSettings

# One JSON object a request: who, what, how it ended. No query string, header or body.
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "owner": "$context.authorizer.claims.sub",
    "sourceIp": "$context.identity.sourceIp",
    "error": "$context.error.message",
    "integrationError": "$context.integrationErrorMessage",
}


ORDERS_PER_S, ORDERS_AT_ONCE = 5, 20  # of each route that begins paid work, over all callers
SLOW_MS = 10_000  # a receipt may take that long; API Gateway gives up at 30 s
ACCESS_SCOPE = "aws.cognito.signin.user.admin"
"""The scope of every access token that a sign-in gives. ID tokens, which are made for a client and
name the same audience, have no scope, and are answered 403."""


class HttpApi(Construct):
    """An HTTP API with payload 2.0 and the `$default` stage, so paths carry no stage name."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        users: Users,
        settings: StageSettings,
        origin: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self.api = apigatewayv2.HttpApi(
            self,
            "HttpApi",
            api_name=settings.named("brightrun"),
            create_default_stage=False,
            cors_preflight=_cors(origin, settings),
            default_authorizer=HttpJwtAuthorizer(
                "UserPoolAuthorizer",
                users.issuer,
                jwt_audience=[
                    users.client.user_pool_client_id,
                    users.console_client.user_pool_client_id,
                ],
            ),
            default_authorization_scopes=[ACCESS_SCOPE],
        )
        self._stage = apigatewayv2.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigatewayv2.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=settings.throttle_rate_per_s,
                throttling_burst_limit=settings.throttle_burst,
            ),
            route_settings={
                route: {
                    "ThrottlingRateLimit": min(ORDERS_PER_S, settings.throttle_rate_per_s),
                    "ThrottlingBurstLimit": min(ORDERS_AT_ONCE, settings.throttle_burst),
                }
                for route in BEGINS_PAID_WORK
            },
            stage_variables={
                "requireGroups": _requires_groups(self),
                "requestsPerUserPerMinute": _requests_per_user(self),
            },
            access_log_settings=apigatewayv2.CfnStage.AccessLogSettingsProperty(
                destination_arn=_access_log_arn(log_group(self, settings)),
                format=json.dumps(ACCESS_LOG),
            ),
        )
        self._raise_alarms()

    def _raise_alarms(self) -> None:
        every = Duration.minutes(5)
        alarm(
            self,
            "ServerErrorAlarm",
            metric=self.api.metric_server_error(period=every, statistic="Sum"),
            description="The API answered 5xx: find the request in the access log",
            runbook="api_errors",
        )
        alarm(
            self,
            "LatencyAlarm",
            metric=self.api.metric_latency(period=every, statistic="p99"),
            threshold=SLOW_MS,
            periods=3,
            description="One in a hundred requests has taken over 10 s for a quarter of an hour",
            runbook="api_errors",
        )
        alarm(
            self,
            "ThrottleAlarm",
            metric=lambda_.Function.metric_all_throttles(period=every, statistic="Sum"),
            periods=2,
            description="Lambda has refused calls: the account's concurrency is used up",
            runbook="quotas",
        )

    def route(self, name: str, function: lambda_.IFunction, routes: Sequence[str]) -> None:
        """Send each `METHOD /path` of `routes` to `function`, with one permission for them all."""
        integration = HttpLambdaIntegration(name, function, scope_permission_to_route=False)
        for route in routes:
            method, path = route.split(" ")
            for made in self.api.add_routes(
                path=path, methods=[apigatewayv2.HttpMethod(method)], integration=integration
            ):
                if route in BEGINS_PAID_WORK:
                    # API Gateway refuses settings of a route that does not exist yet.
                    self._stage.node.add_dependency(made)


def _requires_groups(scope: Construct) -> str:
    """A parameter, which CloudFormation keeps over deployments that do not name it."""
    return CfnParameter(
        Stack.of(scope),
        "RequireGroups",
        default="false",
        allowed_values=["true", "false"],
        description="Whether a user in no group may do nothing, instead of everything",
    ).value_as_string


def _requests_per_user(scope: Construct) -> str:
    """A parameter likewise; each process of a function counts by itself (`http/throttle.py`)."""
    return CfnParameter(
        Stack.of(scope),
        "RequestsPerUserPerMinute",
        type="Number",
        default=1200,
        min_value=0,
        max_value=100_000,
        description="Requests of a user that one process of a function answers; 0: any number",
    ).value_as_string


def _access_log_arn(group: logs.ILogGroup) -> str:
    """The log group's ARN without the `:*` that API Gateway drops and then reports as drift."""
    return Stack.of(group).format_arn(
        service="logs",
        resource="log-group",
        resource_name=group.log_group_name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def _cors(origin: str, settings: StageSettings) -> apigatewayv2.CorsPreflightOptions:
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    return apigatewayv2.CorsPreflightOptions(
        allow_origins=[origin, settings.allowed_origin],
        allow_methods=[apigatewayv2.CorsHttpMethod(method) for method in methods],
        allow_headers=[
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
        ],
        expose_headers=["etag", "idempotent-replayed"],
        max_age=Duration.hours(1),
    )
