"""Taking a deployment down: what goes, what stays, and that nothing is left when all should go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra import destroy as subject
from infra.destroy import Kept, delete_kept, destroy, empty_bucket, main
from infra.settings import StageSettings

REGION = "us-east-1"
SMOKE = StageSettings(stage="smoke")


class FakeCloudFormation:
    """Stacks by name with their resources; records what is no longer protected."""

    def __init__(self, stacks: dict[str, list[tuple[str, str]]]) -> None:
        self._stacks = stacks
        self.unprotected: list[str] = []
        self.exceptions = boto3.client("cloudformation", REGION).exceptions

    def get_paginator(self, name: str) -> FakeCloudFormation:
        assert name == "list_stack_resources"
        return self

    def paginate(self, *, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - AWS's name
        self._require(StackName)
        rows = [
            {"ResourceType": kind, "PhysicalResourceId": identifier}
            for kind, identifier in self._stacks[StackName]
        ]
        yield {"StackResourceSummaries": rows}

    def update_termination_protection(self, **given: Any) -> None:
        assert given["EnableTerminationProtection"] is False
        self._require(given["StackName"])
        self.unprotected.append(given["StackName"])

    def _require(self, stack: str) -> None:
        if stack not in self._stacks:
            message = f"Stack with id {stack} does not exist"
            error = {"Error": {"Code": "ValidationError", "Message": message}}
            raise self.exceptions.ClientError(error, "ListStackResources")  # type: ignore[arg-type]


class FakeCognito:
    """One protected pool with a sign-in address, which goes in Cognito's own order only."""

    def __init__(self) -> None:
        self.pool: dict[str, Any] | None = {"Domain": "sign-in", "DeletionProtection": "ACTIVE"}

    def describe_user_pool(self, *, UserPoolId: str) -> dict[str, Any]:  # noqa: N803
        assert UserPoolId == "pool-smoke"
        return {"UserPool": self.pool}

    def delete_user_pool_domain(self, *, Domain: str, UserPoolId: str) -> None:  # noqa: N803
        assert self.pool is not None
        assert (self.pool.pop("Domain"), UserPoolId) == (Domain, "pool-smoke")

    def update_user_pool(self, *, UserPoolId: str, DeletionProtection: str) -> None:  # noqa: N803
        assert self.pool is not None
        self.pool["DeletionProtection"] = DeletionProtection

    def delete_user_pool(self, *, UserPoolId: str) -> None:  # noqa: N803
        assert self.pool == {"DeletionProtection": "INACTIVE"}
        self.pool = None


class Session:
    """moto for everything but CloudFormation and Cognito."""

    def __init__(self, cloudformation: FakeCloudFormation) -> None:
        self.cognito = FakeCognito()
        self._fakes: dict[str, Any] = {
            "cloudformation": cloudformation,
            "cognito-idp": self.cognito,
        }

    def client(self, service: str) -> Any:
        return self._fakes.get(service) or boto3.client(service, REGION)  # type: ignore[call-overload]


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield


@pytest.fixture
def destroyed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stacks that the CDK was asked to destroy, in order."""
    stacks: list[str] = []

    def take_down(_: StageSettings, names: Sequence[str]) -> None:
        stacks.extend(names)

    monkeypatch.setattr(subject, "take_down", take_down)
    return stacks


def bucket(name: str) -> Any:
    s3 = boto3.client("s3", REGION)
    s3.create_bucket(Bucket=name)
    enabled: Any = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=enabled)
    for body in (b"old", b"new"):
        s3.put_object(Bucket=name, Key="key", Body=body)
    s3.delete_object(Bucket=name, Key="key")
    return s3


def deployment() -> Session:
    for name in ("files-smoke", "pages-smoke"):
        bucket(name)
    boto3.client("dynamodb", REGION).create_table(
        TableName="jobs-smoke",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    boto3.client("secretsmanager", REGION).create_secret(Name="key-smoke", SecretString="k")
    boto3.client("logs", REGION).create_log_group(logGroupName="/aws/lambda/one-smoke")
    return Session(
        FakeCloudFormation(
            {
                "BrightRunConsole-smoke": [("AWS::S3::Bucket", "pages-smoke")],
                "BrightRunWorkflows-smoke": [
                    ("AWS::SecretsManager::Secret", "key-smoke"),
                    ("AWS::Logs::LogGroup", "/aws/lambda/one-smoke"),
                    ("AWS::Lambda::Function", "one-smoke"),
                ],
                "BrightRunData-smoke": [
                    ("AWS::S3::Bucket", "files-smoke"),
                    ("AWS::DynamoDB::Table", "jobs-smoke"),
                    ("AWS::Cognito::UserPool", "pool-smoke"),
                ],
            }
        )
    )


def test_what_computes_goes_and_the_data_stays_with_its_price(destroyed: list[str]) -> None:
    session = deployment()
    lines = list(destroy(SMOKE, session, delete_data=False))
    assert destroyed == list(subject.COMPUTING)
    assert session.client("cloudformation").unprotected == []
    assert any("jobs-smoke: $0.25 a GB-month" in line for line in lines)
    kept = boto3.client("s3", REGION).list_object_versions(Bucket="files-smoke")
    assert len(kept["Versions"]) == 2
    # It goes with its stack, which could not delete it with objects in it.
    assert "Versions" not in boto3.client("s3", REGION).list_object_versions(Bucket="pages-smoke")


def test_with_its_data_nothing_is_left(destroyed: list[str]) -> None:
    session = deployment()
    lines = list(destroy(SMOKE, session, delete_data=True))
    assert destroyed == [*subject.COMPUTING, "BrightRunData"]
    assert session.client("cloudformation").unprotected == ["BrightRunData-smoke"]
    assert len(lines) == 5
    assert all(line.startswith("deleted") for line in lines)
    remaining = [one["Name"] for one in boto3.client("s3", REGION).list_buckets()["Buckets"]]
    assert remaining == ["pages-smoke"]
    assert boto3.client("dynamodb", REGION).list_tables()["TableNames"] == []
    assert session.cognito.pool is None
    assert boto3.client("secretsmanager", REGION).list_secrets()["SecretList"] == []
    assert boto3.client("logs", REGION).describe_log_groups()["logGroups"] == []


def test_a_second_try_goes_on_where_the_first_ended() -> None:
    gone = [
        Kept("AWS::S3::Bucket", "never-made", ""),
        Kept("AWS::DynamoDB::Table", "never-made", ""),
        Kept("AWS::Logs::LogGroup", "never-made", ""),
    ]
    session = Session(FakeCloudFormation({}))
    assert [line.split()[0] for line in delete_kept(session, gone)] == ["was"] * 3


def test_a_deployment_that_never_got_far_is_taken_down_as_well(destroyed: list[str]) -> None:
    assert list(destroy(SMOKE, Session(FakeCloudFormation({})), delete_data=True)) == []
    assert destroyed[-1] == "BrightRunData"


def test_a_bucket_is_emptied_of_every_version() -> None:
    s3 = bucket("many")
    for number in range(1100):
        s3.put_object(Bucket="many", Key=f"key-{number}", Body=b"")
    empty_bucket(s3, "many")
    assert "Versions" not in s3.list_object_versions(Bucket="many")


def test_another_answer_than_the_stage_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    assert main(["--stage", "prod", "--data", "delete"]) == 1
    said = capsys.readouterr().out
    assert "with ALL DATA AND USERS, for good" in said
    assert "Nothing was changed" in said
