"""Reading synthesized templates: resources by type, and references as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DATA, WORKFLOWS, DATASETS, TRAINING, API = STACKS = (
    "BrightRunData",
    "BrightRunWorkflows",
    "BrightRunDatasets",
    "BrightRunTraining",
    "BrightRunApi",
)


@dataclass(frozen=True)
class Templates:
    """Synthesized templates by stack name."""

    by_stack: Mapping[str, dict[str, Any]]

    def of_type(self, kind: str, stack: str | None = None) -> dict[str, dict[str, Any]]:
        """Resources of a CloudFormation type, by logical id, in one stack or in all."""
        return {
            logical_id: resource
            for name, logical_id, resource in self.all()
            if resource["Type"] == kind and stack in (None, name)
        }

    def all(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every resource as stack, logical id and body."""
        for stack, template in self.by_stack.items():
            for logical_id, resource in template["Resources"].items():
                yield stack, logical_id, resource

    def functions(self) -> dict[str, dict[str, Any]]:
        """The properties of every Lambda function, by the name of its folder."""
        bodies = [body["Properties"] for body in self.of_type("AWS::Lambda::Function").values()]
        return {
            body["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: body for body in bodies
        }

    def statements(self, role: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The statements of the role that a `Fn::GetAtt` points at."""
        logical_id, _ = role["Fn::GetAtt"]
        body = self.of_type("AWS::IAM::Role")[logical_id]["Properties"]
        assert "ManagedPolicyArns" not in body
        (policy,) = body["Policies"]
        found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
        return found


def text(value: Any) -> str:
    """A reference as text: an import as its export's name, an attribute as `Id.Attribute`."""
    if isinstance(value, str):
        return value
    ((kind, argument),) = value.items()
    if kind == "Fn::Join":
        separator, parts = argument
        return str(separator).join(text(part) for part in parts)
    return ".".join(argument) if kind == "Fn::GetAtt" else str(argument)


def allowed(statements: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Every action with the resource that it is allowed on, named as permissions.py names it."""
    return {
        (action, granted_name(text(resource)))
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        if statement["Effect"] == "Allow"
    }


def granted_name(resource: str) -> str:
    """The name in permissions.py of a resource in a policy."""
    names = (
        (r"BrightRunData:(\w+)Arn(/.*)?", r"\1\2"),
        (r"\w+LogGroup[0-9A-F]{8}\.Arn", "OwnLogGroup"),
        (r"(ClaudeApiKeySecret)\.Id", r"\1"),
        (r"(ProcessNext|FinishBatch|ValidateDataset)Function[0-9A-F]{8}\.Arn", r"\1Function"),
        (r"((?:Start|Watch|Finish)Training)Function[0-9A-F]{8}\.Arn", r"\1Function"),
        (r"(TrainingRole)[0-9A-F]{8}\.Arn", r"\1"),
        (r"arn:aws:sagemaker:us-east-1:AWS::AccountId:training-job/(.*)", r"TrainingJobs/\1"),
        (r"arn:aws:states:.*:execution:brightrun-train-adapter:\*", "TrainAdapterExecutions"),
        (r"arn:.*:stateMachine:brightrun-train-adapter", "TrainAdapterStateMachine"),
        (r"BrightRunTraining:.*Ref(TrainAdapterStateMachine)[0-9A-F]+", r"\1"),
        (r"arn:aws:logs:.*:log-group:/aws/sagemaker/TrainingJobs", "TrainingLogGroup"),
        (r"arn:aws:logs:.*TrainingJobs:log-stream:\*", "TrainingLogStreams"),
        (r"arn:aws:ecr:.*:repository/.*", "TrainingImageRepository"),
        (r"arn:.*:stateMachine:brightrun-generate-batch", "GenerateBatchStateMachine"),
        (r"BrightRunWorkflows:.*Ref(GenerateBatchStateMachine)[0-9A-F]+", r"\1"),
        (r"BrightRunDatasets:.*RefValidationStateMachine[0-9A-F]+", "ValidateDatasetStateMachine"),
        (r"arn:aws:aws-external-anthropic:.*:workspace/ClaudeWorkspaceId", "ClaudeWorkspace"),
        (r"arn:aws:bedrock:us-east-1:AWS::AccountId:inference-profile/(.*)", r"BedrockProfiles/\1"),
        (r"arn:aws:bedrock:us-east-1::foundation-model/(.*)", r"BedrockModels/\1"),
        (r"arn:aws:bedrock:::foundation-model/(.*)", r"BedrockModelsOfAnyRegion/\1"),
    )
    for pattern, name in names:
        if match := re.fullmatch(pattern, resource):
            return match.expand(name)
    return resource


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
