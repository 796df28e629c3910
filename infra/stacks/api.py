"""What users reach: the user pool, the HTTP API, and the functions that answer it."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.components.claude_parameters import claude_environment
from infra.components.dashboard import dashboard
from infra.components.http_api import HttpApi
from infra.components.layers import shared_layers
from infra.components.service_function import FunctionSpec, ServiceFunction
from infra.components.spending_parameters import spending_environment
from infra.components.user_pool import Users
from infra.routes import ROUTES
from infra.settings import StageSettings
from infra.stacks.console import ConsoleStack
from infra.stacks.data import DataStack
from infra.stacks.datasets import DatasetsStack
from infra.stacks.training import TrainingStack
from infra.stacks.workflows import WorkflowsStack

API_TIMEOUT_S = 29  # one second under the API's own limit, so a slow function's error is its own
# A small training file is built in memory: 50 MB of JSON that are copied into the next version and
# as much of JSONL, which a whole vCPU writes in a third of the API's time.
# A receipt tokenizes 10 MB of text, which takes such a vCPU about ten seconds; so does creating a
# training job.
LARGER = {name: {"memory_mb": 1769} for name in ("training_files", "estimate", "jobs")}


class ApiStack(Stack):
    """One function for each entry of ROUTES, behind one authorizer.

    The console's pages, and no others but `allowed_origin`, call the API and sign in.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        console: ConsoleStack,
        data: DataStack,
        workflows: WorkflowsStack,
        datasets: DatasetsStack,
        training: TrainingStack,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        self.add_stack_dependency(data)
        self.add_stack_dependency(console)
        users = Users(
            self, "Users", pool_id=data.user_pool_id, origin=console.origin, settings=settings
        )
        http = HttpApi(self, "Http", users=users, settings=settings, origin=console.origin)
        layers = shared_layers(self)
        targets = {
            **data.targets,
            "GenerateBatchStateMachine": workflows.generate_batch,
            **datasets.targets,
            **training.targets,
        }
        extra = spending_environment(self)
        extra["generate"] = {
            **extra["generate"],
            **claude_environment(self, ["CLAUDE_MODEL", "CLAUDE_PROVIDER"]),
        }
        for name, routes in ROUTES.items():
            answering = ServiceFunction(
                self,
                FunctionSpec(name=name, timeout_s=API_TIMEOUT_S, **LARGER.get(name, {})),
                settings=settings,
                layers=layers,
                targets=targets,
                environment=extra.get(name, {}),
            )
            http.route(name, answering.function, routes)
        dashboard(self, stage=settings.stage, api=http.api)
        CfnOutput(self, "ApiUrl", value=http.api.api_endpoint)
        CfnOutput(self, "ApiId", value=http.api.api_id)
        CfnOutput(self, "UserPoolId", value=users.pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=users.client.user_pool_client_id)
        CfnOutput(self, "ConsoleClientId", value=users.console_client.user_pool_client_id)
        CfnOutput(self, "SignInUrl", value=users.domain.base_url())
        CfnOutput(self, "Region", value=self.region)
