"""What users reach: the user pool, the HTTP API, and the functions that answer it."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.components.claude_parameters import claude_environment
from infra.components.http_api import HttpApi
from infra.components.layers import shared_layers
from infra.components.service_function import FunctionSpec, ServiceFunction
from infra.components.user_pool import Users
from infra.routes import ROUTES
from infra.settings import StageSettings
from infra.stacks.data import DataStack
from infra.stacks.datasets import DatasetsStack
from infra.stacks.training import TrainingStack
from infra.stacks.workflows import WorkflowsStack

API_TIMEOUT_S = 29  # one second under the API's own limit, so a slow function's error is its own
# A training file is built in memory: 50 MB of JSON is some 400 MB of objects, and a whole vCPU
# writes it in a third of the API's time.
# A receipt tokenizes 10 MB of text, which takes such a vCPU about ten seconds; so does creating a
# training job.
LARGER = {name: {"memory_mb": 1769} for name in ("training_files", "estimate", "jobs")}


class ApiStack(Stack):
    """One function for each entry of ROUTES, behind one authorizer."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        data: DataStack,
        workflows: WorkflowsStack,
        datasets: DatasetsStack,
        training: TrainingStack,
        **stack: Any,
    ) -> None:
        super().__init__(scope, construct_id, **stack)
        self.add_stack_dependency(data)
        users = Users(self, "Users")
        http = HttpApi(self, "Http", users=users, settings=settings)
        layers = shared_layers(self)
        targets = {
            **data.targets,
            "GenerateBatchStateMachine": workflows.generate_batch,
            "ValidateDatasetStateMachine": datasets.validate_dataset,
            **training.targets,
        }
        extra = {"generate": claude_environment(self, ["CLAUDE_MODEL"])}
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
        CfnOutput(self, "ApiUrl", value=http.api.api_endpoint)
        CfnOutput(self, "ApiId", value=http.api.api_id)
        CfnOutput(self, "UserPoolId", value=users.pool.user_pool_id)
        CfnOutput(self, "UserPoolClientId", value=users.client.user_pool_client_id)
        CfnOutput(self, "Region", value=self.region)
