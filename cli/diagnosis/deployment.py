"""A deployment on AWS as its stacks describe it: what exists, and the choices it was made with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.config import Profile

if TYPE_CHECKING:
    import boto3

STAGE_TAGS = ("application", "stage")


@dataclass(frozen=True)
class Deployment:
    """The resources of all stacks of one stage, as (logical name, physical id) by type."""

    session: "boto3.Session"
    parameters: dict[str, str]
    resources: dict[str, list[tuple[str, str]]]

    def client(self, service: str) -> Any:
        """A client of the service, in the deployment's region."""
        return self.session.client(service)  # type: ignore[call-overload]

    def ids(self, kind: str, logical: str = "") -> list[str]:
        """The physical ids of a CloudFormation type whose logical name begins so."""
        found = self.resources.get(kind, [])
        return [identifier for name, identifier in found if name.startswith(logical)]


def find_deployment(session: "boto3.Session", profile: Profile) -> Deployment | None:
    """Find the stacks of the profile's API; None if this account and region have none.

    The stack whose output ApiUrl is the profile's names the stage; the others carry its tags.
    Raises BotoCoreError, ClientError.
    """
    client = session.client("cloudformation")
    pages = client.get_paginator("describe_stacks").paginate()
    stacks = [stack for page in pages for stack in page["Stacks"]]
    api = next((one for one in stacks if _api_url(one) == profile.api_url), None)
    if api is None:
        return None
    ours = [one for one in stacks if _stage(one) == _stage(api)]
    return Deployment(session, _parameters(ours), _resources(client, ours))


def _api_url(stack: Any) -> str | None:
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    url = outputs.get("ApiUrl")
    return url.rstrip("/") if url else None


def _stage(stack: Any) -> tuple[str | None, ...]:
    tags = {one["Key"]: one["Value"] for one in stack.get("Tags", [])}
    return tuple(tags.get(name) for name in STAGE_TAGS)


def _parameters(stacks: Sequence[Any]) -> dict[str, str]:
    given = (one for stack in stacks for one in stack.get("Parameters", []))
    return {one["ParameterKey"]: one.get("ParameterValue", "") for one in given}


def _resources(client: Any, stacks: Sequence[Any]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for one in _all_resources(client, stacks):
        entry = (one["LogicalResourceId"], one.get("PhysicalResourceId", ""))
        found.setdefault(one["ResourceType"], []).append(entry)
    return found


def _all_resources(client: Any, stacks: Sequence[Any]) -> Iterator[Any]:
    for stack in stacks:
        pages = client.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
        for page in pages:
            yield from page["StackResourceSummaries"]
