"""What a start makes of the templates, the key and the generator."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.engine import StartFailed
from tests.local.raw_ministack import resident_kib
from tests.local.running_system import ASSEMBLY, RunningSystem, start_fixture_system

pytestmark = pytest.mark.slow


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ASSEMBLY, tmp_path / "assembly"))


def _edit(assembly: Path, stack: str, change: Any) -> None:
    file = assembly / f"{stack}.template.json"
    template = json.loads(file.read_text())
    change(template)
    file.write_text(json.dumps(template))


def test_parameters_of_local_runs_reach_the_functions(system: RunningSystem) -> None:
    configuration = system.aws("lambda").get_function_configuration(
        FunctionName=system.outputs["WorkName"]
    )
    assert configuration["Environment"]["Variables"]["LEASE_SECONDS"] == "10"


def test_tables_expire_their_items(system: RunningSystem) -> None:
    described = system.aws("dynamodb").describe_time_to_live(TableName=system.outputs["TableName"])
    assert described["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "expires_at",
    }


def test_older_versions_of_an_object_can_be_read(system: RunningSystem) -> None:
    s3, bucket = system.aws("s3"), system.outputs["BucketName"]
    versions = [
        s3.put_object(Bucket=bucket, Key="versioned", Body=text)["VersionId"]
        for text in (b"first", b"second")
    ]
    read = [
        s3.get_object(Bucket=bucket, Key="versioned", VersionId=version)["Body"].read()
        for version in versions
    ]
    assert read == [b"first", b"second"]


def test_bodies_of_objects_do_not_stay_in_memory(system: RunningSystem) -> None:
    s3, bucket = system.aws("s3"), system.outputs["BucketName"]
    s3.put_object(Bucket=bucket, Key="large", Body=os.urandom(2_000_000))
    before = resident_kib(system.local.process.pid)
    for number in range(20):
        s3.put_object(Bucket=bucket, Key=str(number), Body=os.urandom(2_000_000))
    assert resident_kib(system.local.process.pid) - before < 15_000


def test_key_is_in_the_secret_and_nowhere_on_disk(tmp_path: Path) -> None:
    system = start_fixture_system(tmp_path, ANTHROPIC_API_KEY="sk-the-real-key")
    try:
        secret = system.aws("secretsmanager").get_secret_value(
            SecretId=system.outputs["ClaudeApiKeySecretArn"]
        )
        assert secret["SecretString"] == "sk-the-real-key"
    finally:
        system.stop()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if b"sk-the-real-key" in path.read_bytes()]


def _add_unknown(template: dict[str, Any]) -> None:
    template["Resources"]["Odd"] = {"Type": "AWS::Odd::Thing", "Properties": {}}


def test_resource_that_the_emulator_does_not_know_is_named(assembly: Path, tmp_path: Path) -> None:
    _edit(assembly, "FixtureData", _add_unknown)
    with pytest.raises(StartFailed, match="AWS::Odd::Thing"):
        start_fixture_system(tmp_path / "data", assembly)


def test_state_machine_outside_the_subset_fails_the_deployment(
    assembly: Path, tmp_path: Path
) -> None:
    def add_parallel(template: dict[str, Any]) -> None:
        machine = template["Resources"]["Machine"]["Properties"]
        machine["DefinitionString"] = json.dumps(
            {"StartAt": "P", "States": {"P": {"Type": "Parallel", "Branches": [], "End": True}}}
        )

    _edit(assembly, "FixtureWorkflows", add_parallel)
    with pytest.raises(StartFailed, match="Type 'Parallel' is not supported"):
        start_fixture_system(tmp_path / "data", assembly)


def test_failed_deployment_leaves_the_previous_one(assembly: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    before = start_fixture_system(data_dir, assembly)
    before.stop()
    broken = Path(shutil.copytree(assembly, tmp_path / "broken"))
    _edit(broken, "FixtureApi", _add_unknown)
    with pytest.raises(StartFailed):
        start_fixture_system(data_dir, broken)
    after = start_fixture_system(data_dir, assembly)
    assert after.outputs == {**before.outputs, **_addresses(after)}
    assert after.sign_in()
    after.stop()


def test_user_is_created_again_in_a_new_pool(assembly: Path, tmp_path: Path) -> None:
    before = start_fixture_system(tmp_path / "data", assembly)
    password = before.local.password
    before.stop()

    def rename_pool(template: dict[str, Any]) -> None:
        text = (
            json.dumps(template).replace('"UserPool"', '"Pool"').replace("${UserPool}", "${Pool}")
        )
        template.clear()
        template.update(json.loads(text))

    _edit(assembly, "FixtureApi", rename_pool)
    after = start_fixture_system(tmp_path / "data", assembly)
    assert after.outputs["UserPoolId"] != before.outputs["UserPoolId"]
    assert after.local.password == password
    assert after.sign_in()
    after.stop()


def test_unknown_bucket_is_still_an_error(system: RunningSystem) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        system.aws("s3").get_object(Bucket="nobody-made-this", Key="k")


def _addresses(system: RunningSystem) -> dict[str, str]:
    url = system.local.api_url
    return {"ApiUrl": url, "endpoint_url": url}
