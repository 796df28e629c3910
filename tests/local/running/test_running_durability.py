"""What is on disk survives a stop, a kill, and a kill in the middle of a batch."""

import json
import shutil
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key
from botocore.exceptions import BotoCoreError, ClientError

from local.command_line import main
from local.engine import StartFailed
from local.instance import find_instance
from local.settings import DataFolder
from tests.local.conftest import StartSystem
from tests.local.running_system import ASSEMBLY, RunningSystem, start_fixture_system, until

pytestmark = pytest.mark.slow


def test_clean_stop_and_start_keep_everything(start_system: StartSystem, tmp_path: Path) -> None:
    before = start_system(tmp_path)
    token = before.sign_in()
    before.table().put_item(Item={"pk": "kept", "sk": "1", "created_at": "2026"})
    before.aws("s3").put_object(Bucket=before.outputs["BucketName"], Key="kept", Body=b"body")
    execution = _start_items(before, "kept", items=2, seconds=0)
    ended = before.wait_until_ended(execution)
    history = _history(before, execution)
    before.stop()

    after = start_system(tmp_path)
    assert after.outputs["ApiId"] == before.outputs["ApiId"]
    assert after.table().get_item(Key={"pk": "kept", "sk": "1"})["Item"]["created_at"] == "2026"
    by_index = after.table().query(
        IndexName="by_created_at", KeyConditionExpression=Key("pk").eq("kept")
    )
    assert by_index["Count"] == 1
    stored = after.aws("s3").get_object(Bucket=after.outputs["BucketName"], Key="kept")
    assert stored["Body"].read() == b"body"
    assert after.wait_until_ended(execution)["output"] == ended["output"]
    assert _history(after, execution) == history
    headers = {"authorization": f"Bearer {token}"}
    assert after.request("GET", "/api/echo", headers=headers).status == 200


def test_kill_in_the_middle_of_a_map_is_followed_by_its_end(
    start_system: StartSystem, tmp_path: Path
) -> None:
    before = start_system(tmp_path)
    execution = _start_items(before, "killed", items=100, seconds=0.6)
    done = until(lambda: len(items) > 10 and items if (items := _items(before, "killed")) else 0)
    before.kill()
    assert _processes_of_functions(tmp_path) == []

    after = start_system(tmp_path)
    kept = _items(after, "killed")
    assert len(kept) >= len(done)
    ended = after.wait_until_ended(execution)
    assert ended["status"] == "SUCCEEDED"
    assert len(_items(after, "killed")) == 100
    types = [event["type"] for event in _history(after, execution)]
    assert types.count("MapStateEntered") == 2  # at least once: the Map was entered again
    assert types[-1] == "ExecutionSucceeded"


def test_clean_stop_in_the_middle_of_a_map_is_followed_by_its_end(
    start_system: StartSystem, tmp_path: Path
) -> None:
    before = start_system(tmp_path)
    execution = _start_items(before, "stopped", items=60, seconds=0.2)
    until(lambda: len(_items(before, "stopped")) > 10)
    before.stop()

    after = start_system(tmp_path)
    assert after.wait_until_ended(execution)["status"] == "SUCCEEDED"
    types = [event["type"] for event in _history(after, execution)]
    assert "TaskFailed" not in types  # a worker that the stop ended is no failure of its task
    assert len(_items(after, "stopped")) == 60


def test_execution_stopped_before_a_kill_stays_stopped(
    start_system: StartSystem, tmp_path: Path
) -> None:
    before = start_system(tmp_path)
    execution = _start_items(before, "aborted", items=100, seconds=0.2)
    before.aws("stepfunctions").stop_execution(executionArn=execution)
    before.kill()

    after = start_system(tmp_path)
    described = after.aws("stepfunctions").describe_execution(executionArn=execution)
    assert described["status"] == "ABORTED"


def test_every_acknowledged_write_survives_a_kill(
    start_system: StartSystem, tmp_path: Path
) -> None:
    before = start_system(tmp_path)
    acknowledged = _write_until_killed(before)
    after = start_system(tmp_path)
    present = {int(item["sk"]) for item in _items(after, "burst")}
    assert present >= set(acknowledged)


def test_transaction_survives_a_kill_whole_or_not_at_all(
    start_system: StartSystem, tmp_path: Path
) -> None:
    before = start_system(tmp_path)
    name = before.outputs["TableName"]
    writes = [
        {"Put": {"TableName": name, "Item": {"pk": {"S": "tx"}, "sk": {"S": str(number)}}}}
        for number in range(50)
    ]
    before.aws("dynamodb").transact_write_items(TransactItems=writes)
    before.kill()
    journal = DataFolder(tmp_path).items
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-40])  # as if the kill had come in the middle of the write

    after = start_system(tmp_path)
    assert _items(after, "tx") == []
    after.table().put_item(Item={"pk": "tx", "sk": "after the torn line"})
    after.kill()
    assert len(_items(start_system(tmp_path), "tx")) == 1


def test_user_and_sign_in_survive_a_kill_a_second_later(
    start_system: StartSystem, tmp_path: Path
) -> None:
    before = start_system(tmp_path)
    cognito = before.aws("cognito-idp")
    pool = before.outputs["UserPoolId"]
    cognito.admin_create_user(UserPoolId=pool, Username="second@brightrun.local")
    time.sleep(1.2)
    before.kill()
    after = start_system(tmp_path)
    user = after.aws("cognito-idp").admin_get_user(
        UserPoolId=pool, Username="second@brightrun.local"
    )
    assert user["Enabled"]
    assert after.sign_in()


def test_kill_during_the_first_deployment_leaves_a_folder_that_starts(
    start_system: StartSystem, tmp_path: Path
) -> None:
    half = tmp_path / "half"
    whole = start_system(tmp_path / "whole")
    whole.kill()
    half.mkdir()
    shutil.copytree(tmp_path / "whole" / "s3", half / "s3")  # uploads are on disk at once,
    (half / "items.jsonl").write_bytes(  # and so are items of tables that no snapshot knows
        b'[["put","gone",{"pk":{"S":"a"},"sk":{"S":"b"}}]]\n'
    )
    system = start_system(half)
    system.table().put_item(Item={"pk": "fresh", "sk": "1"})
    assert len(_items(system, "fresh")) == 1


def test_only_the_owner_can_read_the_data_folder(start_system: StartSystem, tmp_path: Path) -> None:
    data_dir = tmp_path / "private"
    start_system(data_dir).stop()
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in data_dir.rglob("*")}
    assert modes == {0}
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_second_engine_on_the_same_folder_is_refused(
    start_system: StartSystem, tmp_path: Path
) -> None:
    start_system(tmp_path)
    with pytest.raises(StartFailed, match="already runs"):
        start_fixture_system(tmp_path)


def test_damaged_journal_stops_the_start_and_a_repair_brings_the_rest_back(
    start_system: StartSystem, tmp_path: Path
) -> None:
    before = start_system(tmp_path)
    before.table().put_item(Item={"pk": "kept", "sk": "1"})
    before.stop()
    folder = DataFolder(tmp_path)
    whole = folder.items.read_bytes()
    damaged = whole[:20] + whole  # as a full disk once left it: a line continues half another
    folder.items.write_bytes(damaged)
    with pytest.raises(StartFailed, match=r"Line 1 of .*items\.jsonl is damaged.*make repair"):
        start_fixture_system(tmp_path)
    assert folder.items.read_bytes() == damaged
    assert find_instance(folder.lock) is None
    assert main(["repair", f"--data-dir={tmp_path}"]) == 0
    assert len(_items(start_system(tmp_path), "kept")) == 1


def test_restored_backup_starts_with_everything(start_system: StartSystem, tmp_path: Path) -> None:
    before = start_system(tmp_path / "before")
    before.table().put_item(Item={"pk": "kept", "sk": "1"})
    before.aws("s3").put_object(Bucket=before.outputs["BucketName"], Key="kept", Body=b"body")
    before.stop()
    file = str(tmp_path / "backup.tar.gz")
    assert main(["backup", file, f"--data-dir={tmp_path / 'before'}"]) == 0
    assert main(["restore", file, f"--data-dir={tmp_path / 'after'}"]) == 0
    after = start_system(tmp_path / "after")
    assert len(_items(after, "kept")) == 1
    stored = after.aws("s3").get_object(Bucket=after.outputs["BucketName"], Key="kept")
    assert stored["Body"].read() == b"body"
    assert after.sign_in()


def test_changed_template_updates_the_stacks_in_place(
    start_system: StartSystem, tmp_path: Path
) -> None:
    assembly = tmp_path / "assembly"
    shutil.copytree(ASSEMBLY, assembly)
    before = start_fixture_system(tmp_path / "data", assembly)
    before.table().put_item(Item={"pk": "kept", "sk": "1"})
    before.stop()
    greeting = assembly / "layer" / "python" / "greeting.py"
    greeting.write_text('GREETING = "changed"\n')
    for file in assembly.glob("Fixture*.json"):
        file.write_text(file.read_text().replace("layer.zip", "layer-2.zip"))

    after = start_fixture_system(tmp_path / "data", assembly)
    headers = {"authorization": f"Bearer {after.sign_in()}"}
    assert after.request("GET", "/api/echo", headers=headers).document["greeting"] == "changed"
    assert after.outputs["ApiId"] == before.outputs["ApiId"]
    assert len(_items(after, "kept")) == 1
    after.stop()


def _start_items(system: RunningSystem, name: str, *, items: int, seconds: float) -> str:
    data = {"name": name, "items": list(range(items)), "seconds": seconds}
    started = system.aws("stepfunctions").start_execution(
        stateMachineArn=system.outputs["MachineArn"], name=name, input=json.dumps(data)
    )
    return str(started["executionArn"])


def _items(system: RunningSystem, run: str) -> list[Any]:
    items: list[Any] = system.table().query(KeyConditionExpression=Key("pk").eq(run))["Items"]
    return items


def _history(system: RunningSystem, execution_arn: str) -> list[Any]:
    pages = system.aws("stepfunctions").get_paginator("get_execution_history")
    found = pages.paginate(executionArn=execution_arn)
    return [event for page in found for event in page["events"]]


def _write_until_killed(system: RunningSystem) -> list[int]:
    acknowledged: list[int] = []
    table = system.table()
    try:
        while True:
            table.put_item(Item={"pk": "burst", "sk": str(len(acknowledged))})
            acknowledged.append(len(acknowledged))
            if len(acknowledged) == 30:
                threading.Thread(target=system.kill).start()
    except (BotoCoreError, ClientError):
        return acknowledged


def _processes_of_functions(data_dir: Path) -> list[str]:
    def found() -> list[str]:
        commands = Path("/proc").glob("[0-9]*/environ")
        return [path.parent.name for path in commands if str(data_dir) in _text_of(path)]

    until(lambda: not found())
    return found()


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # the process has just ended
        return ""
