"""Creates stacks and updates them in place."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.deploy.cloud_assembly import StackArtifact
from local.errors import LocalError

_POLL_SECONDS = 0.02
_BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
"""Read by every CDK template's BootstrapVersion parameter; ``cdk bootstrap`` writes it on AWS."""


class DeploymentFailed(LocalError):
    """A stack could not be created or updated; the message holds the reason of each resource."""


@dataclass(frozen=True)
class DeployedStack:
    """A deployed stack: its outputs, its resources' physical ids, by type and by logical id."""

    outputs: dict[str, str]
    resources: dict[str, list[str]]
    physical_ids: dict[str, str]


def pretend_bootstrapped(ssm: Any) -> None:
    """Set the parameter by which CDK templates check that the account is bootstrapped."""
    ssm.put_parameter(Name=_BOOTSTRAP_PARAMETER, Value="30", Type="String", Overwrite=True)


def deploy_stack(
    cloudformation: Any, stack: StackArtifact, template_url: str, parameters: Mapping[str, str]
) -> DeployedStack:
    """Create or update a stack from a template in S3 and wait until it is done.

    Raises DeploymentFailed.
    """
    from botocore.exceptions import ClientError

    request = {
        "StackName": stack.name,
        "TemplateURL": template_url,
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()
        ],
    }
    try:
        if _describe(cloudformation, stack.name) is None:
            cloudformation.create_stack(**request)
        else:
            cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise DeploymentFailed(f"Stack {stack.name}: {error}") from None
    return _wait_until_done(cloudformation, stack.name)


def _wait_until_done(cloudformation: Any, name: str) -> DeployedStack:
    while (stack := _describe(cloudformation, name))["StackStatus"].endswith("IN_PROGRESS"):
        time.sleep(_POLL_SECONDS)
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        reasons = "\n  ".join(_failures(cloudformation, name))
        raise DeploymentFailed(f"Stack {name} ended as {stack['StackStatus']}:\n  {reasons}")
    resources: dict[str, list[str]] = {}
    described = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    for resource in described:
        resources.setdefault(resource["ResourceType"], []).append(resource["PhysicalResourceId"])
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    physical_ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in described}
    return DeployedStack(outputs, resources, physical_ids)


def _describe(cloudformation: Any, name: str) -> Any:
    from botocore.exceptions import ClientError

    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError:
        return None


def _failures(cloudformation: Any, name: str) -> list[str]:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    return [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in events
        if event["ResourceStatus"].endswith("FAILED")
    ]
