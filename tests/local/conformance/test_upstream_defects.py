"""What ministack itself does wrong: each of these fails once upstream fixes it.

Then remove the patch that the test names; the tests of the running engine still hold.
The modules are used here as they come: only the engine's own process patches them.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import ministack_patches
from local.deploy.clients import client
from local.ministack_patches import MINISTACK_VERSION, WrongEmulatorVersion, require_version
from tests.local.full_disk import NO_SPACE
from tests.local.raw_ministack import RawMinistack

pytestmark = pytest.mark.slow


def test_installed_version_is_the_one_the_patches_were_written_for() -> None:
    require_version()
    assert MINISTACK_VERSION in Path("requirements/dev.lock").read_text()


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ministack_patches, "MINISTACK_VERSION", "0.0.0")
    with pytest.raises(WrongEmulatorVersion, match=r"needs 0\.0\.0: run `make setup`"):
        require_version()


def test_http_api_patch_is_needed_for_cors_from_templates() -> None:
    from ministack.services import apigateway

    from_template = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"]}
    status, _, _ = apigateway._cors_preflight_response(from_template, "https://a.example")
    assert status == 403


def test_http_api_patch_is_needed_for_failed_handlers() -> None:
    from ministack.services import lambda_svc

    failed = {"error": True, "body": {"errorType": "E", "stackTrace": ["line"]}}
    response, _ = lambda_svc.lambda_execute_result_to_api_proxy_response(failed)
    assert response["statusCode"] == 502
    assert "stackTrace" in response["body"]


def test_lambda_execution_patch_is_needed_for_error_classes(raw: RawMinistack) -> None:
    name = _create_function(raw.url, "def handle(e, c):\n    raise KeyError('x')\n")
    answer = client("lambda", raw.url).invoke(FunctionName=name)
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.HandlerError"


def test_workflow_execution_patch_is_needed_for_missing_paths() -> None:
    from ministack.services import stepfunctions

    assert stepfunctions._resolve_params_obj({"x.$": "$.missing"}, {}) == {"x": None}


def test_workflow_execution_patch_is_needed_for_definitions_and_repeated_starts(
    raw: RawMinistack,
) -> None:
    states = client("stepfunctions", raw.url)
    waiting = {"Type": "Wait", "Seconds": 1, "HeartbeatSeconds": 5, "End": True}
    machine = states.create_state_machine(
        name="accepted",
        definition=json.dumps({"StartAt": "W", "States": {"W": waiting}}),
        roleArn="arn:aws:iam::000000000000:role/r",
    )["stateMachineArn"]
    states.start_execution(stateMachineArn=machine, name="one", input="{}")
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(stateMachineArn=machine, name="one", input="{}")


def test_workflow_execution_patch_is_needed_for_the_time_limit_of_executions(
    raw: RawMinistack,
) -> None:
    states = client("stepfunctions", raw.url)
    wait = {"Type": "Wait", "Seconds": 2, "End": True}
    definition = {"StartAt": "W", "TimeoutSeconds": 1, "States": {"W": wait}}
    machine = states.create_state_machine(
        name="limited",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::000000000000:role/r",
    )["stateMachineArn"]
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]
    time.sleep(1.5)
    assert states.describe_execution(executionArn=arn)["status"] == "RUNNING"


def test_workflow_execution_patch_is_needed_for_executions_at_a_restart() -> None:
    from ministack.core.responses import AccountRegionScopedDict
    from ministack.services import stepfunctions

    executions = AccountRegionScopedDict()
    executions["restarted"] = {"status": "RUNNING"}
    stepfunctions._restore_state({"executions": executions})
    assert stepfunctions._executions.pop("restarted")["error"] == "States.ServiceRestart"


def test_item_durability_and_snapshots_are_needed_for_a_kill(tmp_path: Path) -> None:
    with RawMinistack(tmp_path) as ministack:
        dynamodb = client("dynamodb", ministack.url)
        dynamodb.create_table(
            TableName="table",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.put_item(TableName="table", Item={"k": {"S": "1"}})
        time.sleep(1.5)
    with RawMinistack(tmp_path) as ministack:
        assert client("dynamodb", ministack.url).list_tables()["TableNames"] == []


def test_object_memory_patch_is_needed_for_versioned_objects(raw: RawMinistack) -> None:
    s3 = client("s3", raw.url)
    s3.create_bucket(Bucket="versioned")
    enabled = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration=enabled)
    before = raw.resident_kib()
    for number in range(20):
        s3.put_object(Bucket="versioned", Key=str(number), Body=os.urandom(2_000_000))
    assert raw.resident_kib() - before > 30_000


def test_object_writes_patch_is_needed_for_full_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    from ministack.services import s3

    def no_space(*_arguments: Any, **_named: Any) -> None:
        raise NO_SPACE

    monkeypatch.setattr(s3, "S3_PERSIST", True)
    monkeypatch.setattr(s3, "_atomic_write", no_space)
    monkeypatch.setattr(s3.os, "makedirs", lambda *_arguments, **_named: None)
    s3._persist_object("bucket", "key", {"body": b"body"})  # should raise, as nothing is stored


def test_multipart_uploads_patch_is_needed_for_small_and_unordered_parts(
    raw: RawMinistack,
) -> None:
    s3 = client("s3", raw.url)
    s3.create_bucket(Bucket="parts")
    for name, numbers in (("small", (1, 2)), ("unordered", (2, 1))):
        upload: dict[str, Any] = {"Bucket": "parts", "Key": name}
        upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
        etags = {
            number: s3.upload_part(**upload, PartNumber=number, Body=b"tiny")["ETag"]
            for number in numbers
        }
        parts = [{"PartNumber": number, "ETag": etags[number]} for number in numbers]
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


def test_multipart_uploads_patch_is_needed_for_a_restart(tmp_path: Path) -> None:
    with RawMinistack(tmp_path) as raw:
        s3 = client("s3", raw.url)
        s3.create_bucket(Bucket="parts")
        upload = s3.create_multipart_upload(Bucket="parts", Key="k")["UploadId"]
    with RawMinistack(tmp_path) as raw:
        s3 = client("s3", raw.url)
        s3.create_bucket(Bucket="parts")
        with pytest.raises(s3.exceptions.NoSuchUpload):
            s3.abort_multipart_upload(Bucket="parts", Key="k", UploadId=upload)


def test_deployment_has_to_set_the_time_to_live_of_tables() -> None:
    from ministack.services import dynamodb
    from ministack.services.cloudformation import provisioners

    properties = {
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    }
    name, _ = provisioners._ddb_create("Expiring", properties, "stack")
    assert dynamodb._ttl_settings.get(name) is None
    provisioners._ddb_delete(name, properties)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawMinistack]:
    with RawMinistack(tmp_path_factory.mktemp("raw")) as ministack:
        yield ministack


def _create_function(url: str, code: str) -> str:
    import io
    import zipfile

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("module.py", code)
    functions = client("lambda", url)
    role = "arn:aws:iam::000000000000:role/r"
    functions.create_function(
        FunctionName="raising",
        Runtime="python3.12",
        Role=role,
        Handler="module.handle",
        Code={"ZipFile": archive.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="raising")
    return "raising"
