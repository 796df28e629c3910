"""Reading synthesized templates: resources by type, and references as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CONSOLE, DATA, WORKFLOWS, DATASETS, TRAINING, API = STACKS = (
    "BrightRunConsole",
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
