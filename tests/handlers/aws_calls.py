"""Records the AWS operations that run, as the actions and resources that IAM authorises them by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote


class Call(NamedTuple):
    """One authorised step: an IAM action, and the resource as infra/permissions.py names it."""

    action: str
    resource: str


S3_ACTIONS = {
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "ListObjectsV2": "ListBucket",
}
"""Operations of S3 that IAM knows by another action's name (Service Authorization Reference)."""


class AwsCalls:
    """Every call of the watched clients, by the function in whose name it was made.

    `names` gives the constructs of what a request names otherwise: buckets and ARNs.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.by_function: dict[str, set[Call]] = defaultdict(set)
        self._names = names
        self._function: str | None = None

    def watch(self, events: Any) -> None:
        """Record what a client does, or what each client will do that a session makes.

        A signed link is never sent, but its parameters are built: it counts as its operation.
        """
        events.register("before-parameter-build", self._record)

    @contextmanager
    def made_by(self, function: str | None) -> Iterator[None]:
        """Count what happens inside as this function's; None is nobody's."""
        outer, self._function = self._function, function
        try:
            yield
        finally:
            self._function = outer

    def _record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self._function is not None:
            service = model.service_model.signing_name
            calls = self._authorised(service, model.name, params)
            self.by_function[self._function] |= set(calls)

    def _authorised(self, service: str, operation: str, params: dict[str, Any]) -> Iterator[Call]:
        if operation == "TransactWriteItems":
            for step in params["TransactItems"]:
                for kind, request in step.items():
                    yield Call(f"dynamodb:{kind}Item", request["TableName"])
        elif operation == "BatchWriteItem":
            for table in params["RequestItems"]:
                yield Call("dynamodb:BatchWriteItem", table)
        elif service == "s3":
            yield from self._of_objects(operation, params)
        elif service == "sagemaker":
            yield from self._of_training(operation, params)
        else:
            yield Call(f"{service}:{operation}", self._resource(service, params))

    def _of_objects(self, operation: str, params: dict[str, Any]) -> Iterator[Call]:
        if operation == "CopyObject":
            bucket, _, key = unquote(params["CopySource"]).partition("/")
            yield Call("s3:GetObject", self._resource("s3", {"Bucket": bucket, "Key": key}))
            yield Call("s3:PutObject", self._resource("s3", params))
        elif operation == "DeleteObjects":
            for one in params["Delete"]["Objects"]:
                named = {"Bucket": params["Bucket"], "Key": one["Key"]}
                yield Call("s3:DeleteObject", self._resource("s3", named))
        else:
            action = S3_ACTIONS.get(operation, operation)
            yield Call(f"s3:{action}", self._resource("s3", params))

    def _of_training(self, operation: str, params: dict[str, Any]) -> Iterator[Call]:
        """A request is authorised by what it does besides, too: tags, and the role it passes."""
        named = params.get("TrainingJobName")
        job = "*" if named is None else f"TrainingJobs/{named}"
        yield Call(f"sagemaker:{operation}", job)
        if operation == "CreateTrainingJob":
            yield Call("sagemaker:AddTags", job)
            yield Call("iam:PassRole", self._names[params["RoleArn"]])

    def _resource(self, service: str, params: dict[str, Any]) -> str:
        """Name the resource of a request; raises KeyError for one that no function should make."""
        if service == "dynamodb":
            index = params.get("IndexName")
            return f"{params['TableName']}/index/{index}" if index else str(params["TableName"])
        if service == "s3":
            bucket = self._names[params["Bucket"]]
            return f"{bucket}/{params['Key']}" if "Key" in params else bucket
        if "executionArn" in params:
            # An execution's ARN is its state machine's, with its own name behind.
            machine = params["executionArn"].replace(":execution:", ":stateMachine:")
            return self._names[machine.rpartition(":")[0]].replace("StateMachine", "Executions")
        named_by = {"states": "stateMachineArn", "secretsmanager": "SecretId"}[service]
        return self._names[params[named_by]]
