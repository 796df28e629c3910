"""A full disk destroys nothing: what was confirmed stays, reading goes on, writing resumes."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

from local.engine import StartFailed
from local.settings import DataFolder
from tests.local.conftest import StartSystem
from tests.local.full_disk import fill, small_disk
from tests.local.running_system import RunningSystem, until

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of eight megabytes, of which a new system takes less than one."""
    with small_disk(tmp_path / "disk", "8m") as folder:
        yield folder


def test_items_are_written_until_the_disk_is_full_and_again_when_it_is_not(
    disk: Path, start_system: StartSystem
) -> None:
    before = start_system(disk / "data")
    ballast = fill(disk, leave=60_000)
    stored = _put_until_refused(before)
    assert len(stored) > 20
    assert _items(before) == stored  # what was refused is not there to be read
    ballast.unlink()
    before.table().put_item(Item={"pk": "run", "sk": "9999"})
    before.kill()

    after = start_system(disk / "data")
    assert _items(after) == [*stored, "9999"]
    assert b"}]]\n" in DataFolder(disk / "data").items.read_bytes()[-5:]


def test_kill_on_a_full_disk_loses_nothing_that_was_confirmed(
    disk: Path, start_system: StartSystem
) -> None:
    before = start_system(disk / "data")
    ballast = fill(disk, leave=30_000)
    stored = _put_until_refused(before)
    before.kill()
    ballast.unlink()
    assert _items(start_system(disk / "data")) == stored


def test_object_without_room_is_refused_and_the_one_before_it_stays(
    disk: Path, start_system: StartSystem
) -> None:
    before = start_system(disk / "data")
    s3, bucket = before.aws("s3"), before.outputs["BucketName"]
    s3.put_object(Bucket=bucket, Key="kept", Body=b"first")
    ballast = fill(disk)
    with pytest.raises(ClientError, match=r"the disk is full"):
        s3.put_object(Bucket=bucket, Key="kept", Body=b"second" * 10_000)
    before.kill()
    ballast.unlink()
    after = start_system(disk / "data").aws("s3")
    assert after.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"first"


def test_object_that_waits_for_room_is_written_before_anybody_relies_on_it(
    disk: Path, start_system: StartSystem
) -> None:
    before = start_system(disk / "data")
    s3, bucket = before.aws("s3"), before.outputs["BucketName"]
    ballast = fill(disk)
    with pytest.raises(ClientError, match=r"the disk is full"):
        s3.put_object(Bucket=bucket, Key="late", Body=b"body" * 10_000)
    ballast.unlink()
    assert s3.get_object(Bucket=bucket, Key="late")["ContentLength"] == 40_000
    before.kill()
    after = start_system(disk / "data").aws("s3")
    assert after.get_object(Bucket=bucket, Key="late")["ContentLength"] == 40_000


def test_execution_waits_for_room_and_goes_on_by_itself(
    disk: Path, start_system: StartSystem
) -> None:
    system = start_system(disk / "data")
    data = {"name": "run", "items": list(range(60)), "seconds": 0.1}
    execution = system.aws("stepfunctions").start_execution(
        stateMachineArn=system.outputs["MachineArn"], name="run", input=json.dumps(data)
    )["executionArn"]
    until(lambda: len(_items(system)) > 5)
    ballast = fill(disk, leave=200_000)
    # What was under way when the disk became full may still end; then nothing new begins.
    assert until(lambda: _settled_count(system)) < 60
    ballast.unlink()
    assert system.wait_until_ended(execution)["status"] == "SUCCEEDED"
    assert len(_items(system)) == 60


def test_full_disk_is_told_by_the_status_and_by_what_it_refuses(
    disk: Path, start_system: StartSystem
) -> None:
    system = start_system(disk / "data")
    headers = {"authorization": f"Bearer {system.sign_in()}"}
    ballast = fill(disk, leave=200_000)
    assert "is full: 0.2 MB are free" in system.request("GET", "/_local/status").document["disk"]
    refused = system.request("POST", "/api/echo", {}, headers)
    assert (refused.status, refused.document["code"]) == (507, "disk_full")
    assert "Nothing was changed. Free some space" in refused.document["error"]
    assert system.request("GET", "/api/echo", headers=headers).status == 200
    ballast.unlink()
    assert system.request("GET", "/_local/status").document["disk"] == "has room"
    assert system.request("POST", "/api/echo", {}, headers).status != 507


def test_stop_on_a_full_disk_ends_in_time_and_loses_nothing(
    disk: Path, start_system: StartSystem
) -> None:
    before = start_system(disk / "data")
    ballast = fill(disk, leave=60_000)
    stored = _put_until_refused(before)
    before.stop()
    ballast.unlink()
    assert "Traceback" not in DataFolder(disk / "data").engine_log.read_text()
    assert _items(start_system(disk / "data")) == stored


def test_start_on_a_full_disk_is_refused_in_one_line_and_changes_nothing(
    disk: Path, start_system: StartSystem
) -> None:
    before = start_system(disk / "data")
    before.table().put_item(Item={"pk": "run", "sk": "kept"})
    before.stop()
    ballast = fill(disk)
    with pytest.raises(StartFailed, match=r"is full: 0\.0 MB are free.*Free some space"):
        start_system(disk / "data")
    ballast.unlink()
    assert _items(start_system(disk / "data")) == ["kept"]


def _put_until_refused(system: RunningSystem) -> list[str]:
    table, stored = system.table(), list[str]()
    padding = "x" * 1_000
    while True:
        name = f"{len(stored):04}"
        try:
            table.put_item(Item={"pk": "run", "sk": name, "padding": padding})
        except ClientError as error:
            assert "the disk is full" in str(error)
            return stored
        stored.append(name)


def _settled_count(system: RunningSystem) -> int | None:
    """The number of items, once a second goes by in which none is added."""
    before = len(_items(system))
    time.sleep(1)
    return before if len(_items(system)) == before else None


def _items(system: RunningSystem) -> list[Any]:
    found = system.table().query(KeyConditionExpression=Key("pk").eq("run"))["Items"]
    return [item["sk"] for item in found]
