"""Records the AWS operations that run, as the requests that IAM authorises."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

from moto.core.models import DEFAULT_ACCOUNT_ID

HERE = f"us-east-1:{DEFAULT_ACCOUNT_ID}"


class Call(NamedTuple):
    """One authorised step: an IAM action, the ARN that it acts on, and who a role is passed to."""

    action: str
    resource: str
    passed_to: str = ""


S3_ACTIONS = {
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "ListObjectsV2": "ListBucket",
}
"""Operations of S3 that IAM knows by another action's name (Service Authorization Reference)."""


class AwsCalls:
    """Every call of the watched clients, by the function in whose name it was made."""

    def __init__(self) -> None:
        self.by_function: dict[str, set[Call]] = defaultdict(set)
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

    def _record(
        self, params: dict[str, Any], model: Any, context: Mapping[str, Any], **_: Any
    ) -> None:
        if self._function is not None:
            service = model.service_model.signing_name
            calls = self._authorised(service, model.name, params)
            if service == "s3" and not context.get("is_presign_request"):
                calls = _and_the_right_to_list(calls)
            self.by_function[self._function] |= set(calls)

    def _authorised(self, service: str, operation: str, params: dict[str, Any]) -> Iterator[Call]:
        if operation == "TransactWriteItems":
            for step in params["TransactItems"]:
                for kind, request in step.items():
                    yield Call(f"dynamodb:{kind}Item", _table(request["TableName"]))
        elif operation in {"BatchGetItem", "BatchWriteItem"}:
            for table in params["RequestItems"]:
                yield Call(f"dynamodb:{operation}", _table(table))
        elif service == "s3":
            yield from _of_objects(operation, params)
        elif service == "sagemaker":
            yield from _of_training(operation, params)
        else:
            yield Call(f"{service}:{operation}", _resource(service, params))


def _and_the_right_to_list(calls: Iterator[Call]) -> Iterator[Call]:
    """To a caller that may not list a bucket, S3 answers 403 for a missing key, as for a forbidden
    one: whoever reads an object must be able to learn that it is not there.
    """
    for call in calls:
        yield call
        if call.action == "s3:GetObject":
            yield Call("s3:ListBucket", call.resource.partition("/")[0])


def _of_objects(operation: str, params: dict[str, Any]) -> Iterator[Call]:
    if operation == "CopyObject":
        bucket, _, key = unquote(params["CopySource"]).partition("/")
        yield Call("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
        yield Call("s3:PutObject", _object(params))
    elif operation == "DeleteObjects":
        for one in params["Delete"]["Objects"]:
            yield Call("s3:DeleteObject", f"arn:aws:s3:::{params['Bucket']}/{one['Key']}")
    else:
        yield Call(f"s3:{S3_ACTIONS.get(operation, operation)}", _object(params))


def _of_training(operation: str, params: dict[str, Any]) -> Iterator[Call]:
    """A request is authorised by what it does besides, too: tags, and the role it passes."""
    named = params.get("TrainingJobName")
    job = "*" if named is None else f"arn:aws:sagemaker:{HERE}:training-job/{named}"
    yield Call(f"sagemaker:{operation}", job)
    if operation == "CreateTrainingJob":
        yield Call("sagemaker:AddTags", job)
        yield Call("iam:PassRole", params["RoleArn"], passed_to="sagemaker.amazonaws.com")


def _resource(service: str, params: dict[str, Any]) -> str:
    """Name the resource of a request; raises KeyError for one that no function should make."""
    if service == "dynamodb":
        index = params.get("IndexName")
        return _table(params["TableName"]) + (f"/index/{index}" if index else "")
    if service == "servicequotas":
        return "*"
    if "executionArn" in params:
        return str(params["executionArn"])
    return str(params[{"states": "stateMachineArn", "secretsmanager": "SecretId"}[service]])


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{HERE}:table/{name}"


def _object(params: dict[str, Any]) -> str:
    return f"arn:aws:s3:::{params['Bucket']}" + (f"/{params['Key']}" if "Key" in params else "")
