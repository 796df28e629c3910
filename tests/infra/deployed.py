"""The templates' references as CloudFormation would fill them in, with made-up physical names.

Tables and buckets get the names that they have in tests/aws.py, so that what the handlers ask of
the emulated account can be compared with what the deployed roles allow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.infra.iam import Statement, listed
from tests.infra.templates import Templates

ACCOUNT, REGION = "123456789012", "us-east-1"
HASH_LENGTH = 8  # CDK ends a logical id with a hash of the construct's path
HERE = f"{REGION}:{ACCOUNT}"
PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{HERE}:table/{{}}",
    "AWS::ECR::Repository": f"arn:aws:ecr:{HERE}:repository/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{HERE}:function:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{{}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{HERE}:stateMachine:{{}}",
}


class Deployed:
    """The stacks in one account. `given` holds ARNs that a test knows, by construct name."""

    def __init__(
        self, templates: Templates, *, given: Mapping[str, str], parameters: Mapping[str, str]
    ) -> None:
        self._templates = templates
        self._given = given
        self._parameters = parameters
        self._functions: Mapping[Any, Callable[[str, Any], Any]] = {
            "Ref": self._reference,
            "Fn::GetAtt": self._attribute,
            "Fn::ImportValue": self._imported,
            "Fn::Join": self._joined,
            "Fn::If": self._chosen,
            "Fn::Sub": self._filled_in,
        }
        self._exports = {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack, template in templates.by_stack.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output and self._made(stack, output)
        }

    def roles(self) -> dict[str, list[Statement]]:
        """What each role allows, by its ARN: its own policies, and those that name it."""
        found: dict[str, list[Statement]] = {}
        for stack, logical_id, body in self._templates.all():
            if body["Type"] == "AWS::IAM::Role":
                for policy in body["Properties"]["Policies"]:
                    held = found.setdefault(self._arn(stack, logical_id), [])
                    held += self.statements(stack, policy["PolicyDocument"])
        for stack, _, body in self._templates.all():
            if body["Type"] == "AWS::IAM::Policy" and self._made(stack, body):
                for role in body["Properties"]["Roles"]:
                    held = found[self._arn(stack, role["Ref"])]
                    held += self.statements(stack, body["Properties"]["PolicyDocument"])
        return found

    def trust(self) -> dict[str, list[Statement]]:
        """Who may take each role, by the role's ARN."""
        return {
            self._arn(stack, logical_id): self.statements(
                stack, body["Properties"]["AssumeRolePolicyDocument"]
            )
            for stack, logical_id, body in self._templates.all()
            if body["Type"] == "AWS::IAM::Role"
        }

    def bucket_policies(self) -> dict[str, list[Statement]]:
        """What each bucket's own policy says, by the bucket's ARN."""
        return {
            self._arn(stack, body["Properties"]["Bucket"]["Ref"]): self.statements(
                stack, body["Properties"]["PolicyDocument"]
            )
            for stack, _, body in self._templates.all()
            if body["Type"] == "AWS::S3::BucketPolicy"
        }

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The properties of each resource of a type, with its references filled in."""
        return [
            self.value(stack, body["Properties"])
            for stack, _, body in self._templates.all()
            if body["Type"] == kind
        ]

    def output(self, stack: str, name: str) -> Any:
        """The value of a stack's output."""
        return self.value(stack, self._templates.by_stack[stack]["Outputs"][name]["Value"])

    def statements(self, stack: str, document: Any) -> list[Statement]:
        """A policy's statements."""
        return listed(self.value(stack, document)["Statement"])

    def value(self, stack: str, expression: Any) -> Any:
        """An expression of a template with its references filled in."""
        if isinstance(expression, list):
            return [self.value(stack, one) for one in expression]
        if not isinstance(expression, dict):
            return expression
        ((kind, argument),) = expression.items() if len(expression) == 1 else ((None, None),)
        if kind in self._functions:
            return self._functions[kind](stack, argument)
        return {name: self.value(stack, one) for name, one in expression.items()}

    def _imported(self, _: str, name: str) -> Any:
        return self.value(*self._exports[name])

    def _joined(self, stack: str, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(self.value(stack, part) for part in parts)

    def _chosen(self, stack: str, argument: Any) -> Any:
        condition, then, otherwise = argument
        return self.value(stack, then if self._holds(stack, condition) else otherwise)

    def _filled_in(self, stack: str, text: str) -> str:
        return re.sub(r"\$\{([\w:]+)\}", lambda one: self._reference(stack, one[1]), text)

    def _reference(self, stack: str, name: str) -> str:
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        template = self._templates.by_stack[stack]
        if name in template.get("Parameters", {}):
            return str(self._parameters.get(name, template["Parameters"][name].get("Default")))
        if template["Resources"][name]["Type"] == "AWS::StepFunctions::StateMachine":
            return self._arn(stack, name)
        return self._name(stack, name)

    def _attribute(self, stack: str, argument: Any) -> str:
        logical_id, attribute = argument
        if attribute in {"Arn", "Id"}:
            return self._arn(stack, logical_id)
        return f"{logical_id}.{attribute}"

    def _arn(self, stack: str, logical_id: str) -> str:
        construct = logical_id[:-HASH_LENGTH]
        for known in (construct, logical_id):
            if known in self._given:
                return self._given[known]
        kind = self._templates.by_stack[stack]["Resources"][logical_id]["Type"]
        return ARNS[kind].format(self._name(stack, logical_id)) if kind in ARNS else logical_id

    def _name(self, stack: str, logical_id: str) -> str:
        body = self._templates.by_stack[stack]["Resources"][logical_id]
        construct = logical_id[:-HASH_LENGTH]
        if body["Type"] == "AWS::StepFunctions::StateMachine":
            return str(body["Properties"]["StateMachineName"])
        if body["Type"] == "AWS::S3::Bucket":
            words = re.sub(r"(?<!^)(?=[A-Z])", "-", construct).lower()
            return words.removesuffix("-bucket")
        return construct

    def _made(self, stack: str, body: Mapping[str, Any]) -> bool:
        return "Condition" not in body or self._holds(stack, body["Condition"])

    def _holds(self, stack: str, condition: str) -> bool:
        return self._true(stack, self._templates.by_stack[stack]["Conditions"][condition])

    def _true(self, stack: str, expression: Mapping[str, Any]) -> bool:
        if "Fn::Not" in expression:
            return not self._true(stack, expression["Fn::Not"][0])
        first, second = (self.value(stack, one) for one in expression["Fn::Equals"])
        return bool(first == second)
