"""Takes a deployment down: what computes goes, and what people paid for stays until it is told to.

`make destroy` names what stays and what it costs a month; `DATA=delete` removes that too, for good.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.settings import DEFAULT_STAGE, StageSettings

ROOT = Path(__file__).resolve().parent.parent
COMPUTING = (
    "BrightRunApi",
    "BrightRunTraining",
    "BrightRunDatasets",
    "BrightRunWorkflows",
    "BrightRunConsole",
)
"""Stacks in the order in which they can go: each before what it imports from."""
DATA = "BrightRunData"
"""The stack of tables, buckets and users, which outlives the others unless it is to go too."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource that holds data, and what it costs."""

    kind: str
    identifier: str
    cost: str


COSTS = {
    "AWS::DynamoDB::Table": "$0.25 a GB-month, and $0.20 for its backups",
    "AWS::S3::Bucket": "$0.023 a GB-month, old versions included",
    "AWS::Cognito::UserPool": "nothing below 10,000 users a month",
    "AWS::SecretsManager::Secret": "$0.40 a month",
    "AWS::Logs::LogGroup": "$0.03 a GB-month until its retention ends",
}
"""Types of resources that stacks retain; us-east-1, list prices of November 2026."""


def resources_of(stack: str, cloudformation: Any) -> list[Kept]:
    """What a stack holds that may cost something by itself; nothing if there is no such stack."""
    rows: list[Any] = []
    with _which_may_be_missing(cloudformation):
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        rows = [row for page in pages for row in page["StackResourceSummaries"]]
    return [
        Kept(row["ResourceType"], row["PhysicalResourceId"], COSTS[row["ResourceType"]])
        for row in rows
        if row["ResourceType"] in COSTS and row.get("PhysicalResourceId")
    ]


def _unprotect(stack: str, cloudformation: Any) -> None:
    with _which_may_be_missing(cloudformation):
        cloudformation.update_termination_protection(
            EnableTerminationProtection=False, StackName=stack
        )


@contextmanager
def _which_may_be_missing(cloudformation: Any) -> Iterator[None]:
    """Ignore that there is no such stack: a deployment that failed has made a part of them."""
    try:
        yield
    except cloudformation.exceptions.ClientError as error:
        if "does not exist" not in error.response["Error"]["Message"]:
            raise


def empty_bucket(s3: Any, bucket: str) -> None:
    """Delete every version and delete marker of every object, a thousand at a time.

    Raises RuntimeError with the first object that S3 does not delete.
    """
    while True:
        page = s3.list_object_versions(Bucket=bucket)
        versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if not versions:
            return
        keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
        if refused := answer.get("Errors"):
            raise RuntimeError(f"{refused[0]['Key']} was not deleted: {refused[0]['Message']}")


def _delete_bucket(session: Any, bucket: str) -> None:
    s3 = session.client("s3")
    empty_bucket(s3, bucket)
    s3.delete_bucket(Bucket=bucket)


def _delete_table(session: Any, table: str) -> None:
    dynamodb = session.client("dynamodb")
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=table)
    dynamodb.delete_table(TableName=table)


def _delete_pool(session: Any, pool: str) -> None:
    cognito = session.client("cognito-idp")
    described = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    if domain := described.get("Domain"):
        cognito.delete_user_pool_domain(Domain=domain, UserPoolId=pool)
    cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
    cognito.delete_user_pool(UserPoolId=pool)


def _delete_secret(session: Any, secret: str) -> None:
    session.client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)


def _delete_log_group(session: Any, group: str) -> None:
    session.client("logs").delete_log_group(logGroupName=group)


DELETES: dict[str, Callable[[Any, str], None]] = {
    "AWS::S3::Bucket": _delete_bucket,
    "AWS::DynamoDB::Table": _delete_table,
    "AWS::Cognito::UserPool": _delete_pool,
    "AWS::SecretsManager::Secret": _delete_secret,
    "AWS::Logs::LogGroup": _delete_log_group,
}


def delete_kept(session: Any, kept: Sequence[Kept]) -> Iterator[str]:
    """Delete what stacks left behind; yields a line for each, also for what was gone already."""
    for one in kept:
        try:
            DELETES[one.kind](session, one.identifier)
        except session.client("sts").exceptions.ClientError as error:
            if "NotFound" not in (code := error.response["Error"]["Code"]) and "NoSuch" not in code:
                raise
            yield f"was gone   {one.identifier}"
        else:
            yield f"deleted    {one.identifier}"


def take_down(settings: StageSettings, stacks: Sequence[str]) -> None:
    """Destroy stacks of a stage by the CDK; raises CalledProcessError."""
    context = [f"-c={name}={getattr(settings, name)}" for name in ("stage", "region")]
    cdk = str(ROOT / "node_modules/.bin/cdk")
    command = [cdk, "destroy", *stacks, "--force", *context]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - settings are checked words


def destroy(settings: StageSettings, session: Any, *, delete_data: bool) -> Iterator[str]:
    """Destroy a stage; yields a line for each thing that went.

    The console's buckets are emptied first: they go with their stack, which can delete none that
    holds objects.
    """
    cloudformation = session.client("cloudformation")
    left = [
        one
        for stack in (*COMPUTING, DATA)
        if stack != "BrightRunConsole"
        for one in resources_of(settings.named(stack), cloudformation)
    ]
    for one in resources_of(settings.named("BrightRunConsole"), cloudformation):
        if one.kind == "AWS::S3::Bucket":
            empty_bucket(session.client("s3"), one.identifier)
    take_down(settings, COMPUTING)
    if not delete_data:
        yield from (f"stays      {one.identifier}: {one.cost}" for one in left)
        return
    _unprotect(settings.named(DATA), cloudformation)
    take_down(settings, [DATA])
    yield from delete_kept(session, left)


def main(arguments: Sequence[str]) -> int:
    """Ask, and take a stage down; 1 when the answer is no."""
    import boto3

    parser = argparse.ArgumentParser(prog="make destroy", description=__doc__)
    parser.add_argument("--stage", default=DEFAULT_STAGE)
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--data", choices=("keep", "delete"), default="keep")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    settings = StageSettings(stage=options.stage, region=options.region)
    fate = "with ALL DATA AND USERS, for good" if options.data == "delete" else "its data stays"
    sys.stdout.write(f"Destroys stage {settings.stage} in {settings.region}; {fate}.\n")
    if not options.yes and input("Type the stage to go on: ") != settings.stage:
        sys.stdout.write("Nothing was changed.\n")
        return 1
    session = boto3.Session(region_name=settings.region)
    for line in destroy(settings, session, delete_data=options.data == "delete"):
        sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
