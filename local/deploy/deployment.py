"""Deploys a cloud assembly to the emulated AWS, skipping what is unchanged."""

from collections.abc import Callable, Mapping
from typing import Any

from local.deploy.assets import ensure_bucket, upload_assets
from local.deploy.clients import client
from local.deploy.cloud_assembly import StackArtifact
from local.deploy.stacks import DeployedStack, deploy_stack, pretend_bootstrapped

_EXISTING_POOL = "ExistingUserPoolId"

Record = dict[str, Any]
"""What is deployed: for each stack its digest, its outputs and its resources."""


def is_current(record: Record, stacks: list[StackArtifact], parameters: Mapping[str, str]) -> bool:
    """Return whether a record is of these stacks, deployed with these parameters."""
    return record.keys() == {stack.name for stack in stacks} and all(
        record[stack.name]["digest"] == stack.digest(stack.parameters_from(parameters))
        for stack in stacks
    )


def kept_users(record: Record, stacks: list[StackArtifact]) -> dict[str, str]:
    """Return the parameter that keeps the user pool in use, unless its own stack made it.

    Versions before made it with the API. In a new pool the user would get a new id, and nothing of
    what is here would be theirs.
    """
    outputs = {name: text for one in record.values() for name, text in one["outputs"].items()}
    keepers = {stack.name for stack in stacks if stack.parameters_from({_EXISTING_POOL: ""})}
    own = [
        pool
        for name in keepers & record.keys()
        for pool in record[name]["resources"].get("AWS::Cognito::UserPool", ())
    ]
    pool = outputs.get("UserPoolId")
    return {} if pool is None or pool in own else {_EXISTING_POOL: pool}


def deploy(
    stacks: list[StackArtifact],
    parameters: Mapping[str, str],
    endpoint_url: str,
    uploaded: Callable[[list[bytes]], None],
) -> Record:
    """Upload the assets and create or update every stack in turn; returns the new record.

    ``uploaded`` is called with the archives of functions and layers. Raises DeploymentFailed.
    """
    s3 = client("s3", endpoint_url)
    cloudformation = client("cloudformation", endpoint_url)
    dynamodb = client("dynamodb", endpoint_url)
    pretend_bootstrapped(client("ssm", endpoint_url))
    uploaded(upload_assets(s3, stacks))
    bucket = "bright-run-local-templates"
    ensure_bucket(s3, bucket)
    record: Record = {}
    for stack in stacks:
        chosen = stack.parameters_from(parameters)
        key = f"{stack.name}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=stack.template.encode())
        url = f"{endpoint_url}/{bucket}/{key}"
        deployed = deploy_stack(cloudformation, stack, url, chosen)
        _expire_items(dynamodb, stack, deployed)
        record[stack.name] = {
            "digest": stack.digest(chosen),
            "outputs": deployed.outputs,
            "resources": deployed.resources,
        }
    return record


def _expire_items(dynamodb: Any, stack: StackArtifact, deployed: DeployedStack) -> None:
    """Set the tables' time to live, which ministack leaves out when CloudFormation creates them."""
    for logical_id, resource in stack.content["Resources"].items():
        specification = resource.get("Properties", {}).get("TimeToLiveSpecification")
        if resource["Type"] == "AWS::DynamoDB::Table" and specification:
            dynamodb.update_time_to_live(
                TableName=deployed.physical_ids[logical_id],
                TimeToLiveSpecification=specification,
            )
