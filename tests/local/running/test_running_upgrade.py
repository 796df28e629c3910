"""A data folder that an earlier version left is served by this one, with everything in it.

`fixtures/data-folder-of-format-N.tar.gz` are folders as the last version of a format left them, in
the middle of an execution; they are never edited. A new format adds one.
"""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from local.durability.folder_version import FORMAT
from tests.local.conftest import StartSystem
from tests.local.running_system import RunningSystem, until

pytestmark = pytest.mark.slow

FOLDERS = sorted((Path(__file__).parents[1] / "fixtures").glob("data-folder-of-format-*.tar.gz"))


@pytest.fixture(params=FOLDERS, ids=lambda file: file.name.split(".")[0])
def upgraded(
    request: pytest.FixtureRequest, start_system: StartSystem, tmp_path: Path
) -> RunningSystem:
    """A system over the folder of an earlier version."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path / "data", filter="data")
    return start_system(tmp_path / "data")


def test_everything_of_an_earlier_version_is_there(upgraded: RunningSystem) -> None:
    assert [item["sk"] for item in _items(upgraded, "kept")] == ["1"]
    s3, bucket = upgraded.aws("s3"), upgraded.outputs["BucketName"]
    assert s3.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"second"
    versions = s3.list_object_versions(Bucket=bucket, Prefix="kept")["Versions"]
    bodies = {
        s3.get_object(Bucket=bucket, Key="kept", VersionId=one["VersionId"])["Body"].read()
        for one in versions
    }
    assert bodies == {b"first", b"second"}
    assert [one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["large"]
    job = upgraded.aws("sagemaker").describe_training_job(TrainingJobName="brightrun-ended")
    assert job["TrainingJobStatus"] == "Completed"
    headers = {"authorization": f"Bearer {upgraded.sign_in()}"}
    assert upgraded.request("GET", "/api/echo", headers=headers).status == 200
    users = upgraded.aws("cognito-idp").list_users(UserPoolId=upgraded.outputs["UserPoolId"])
    assert len(users["Users"]) == 2


def test_executions_of_an_earlier_version_are_kept_and_go_on(upgraded: RunningSystem) -> None:
    machine = upgraded.outputs["MachineArn"]
    step_functions = upgraded.aws("stepfunctions")
    listed = step_functions.list_executions(stateMachineArn=machine)["executions"]
    by_name = {one["name"]: one["executionArn"] for one in listed}
    ended = step_functions.describe_execution(executionArn=by_name["ended"])
    assert (ended["status"], json.loads(ended["input"])["name"]) == ("SUCCEEDED", "ended")
    assert upgraded.wait_until_ended(by_name["under-way"])["status"] == "SUCCEEDED"
    assert until(lambda: len(_items(upgraded, "under-way")) == 20)


def test_folder_is_marked_with_the_format_it_has_now(upgraded: RunningSystem) -> None:
    assert upgraded.local.folder.version.read_text() == f"{FORMAT}\n"


def _items(system: RunningSystem, run: str) -> list[Any]:
    items: list[Any] = system.table().query(KeyConditionExpression=Key("pk").eq(run))["Items"]
    return items
