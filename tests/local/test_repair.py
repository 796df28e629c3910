"""A damaged data folder becomes readable again, and what was damaged is kept beside it."""

import json
from pathlib import Path

import pytest

from local.durability.files import DamagedFile, read_lines
from local.instance import AlreadyRunning, InstanceLock
from local.repair import RepairFailed, repair
from local.settings import DataFolder

FIRST = b'[["put","t",{"key":{"S":"a"}}]]\n'
SECOND = b'[["put","t",{"key":{"S":"b"}},["nested"]],["delete","t","c",""]]\n'
THIRD = b'[["put","t",{"key":{"S":"d"}}]]\n'


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.create()
    folder.uploads.mkdir()
    folder.snapshot.write_bytes(b"{}")
    return folder


def test_folder_without_damage_is_left_as_it_is(folder: DataFolder) -> None:
    folder.items.write_bytes(FIRST + SECOND)
    assert repair(folder) == []
    assert folder.items.read_bytes() == FIRST + SECOND


@pytest.mark.parametrize("cut", range(1, len(SECOND) - 1, 7))
def test_entry_that_follows_a_half_written_one_is_recovered(folder: DataFolder, cut: int) -> None:
    folder.items.write_bytes(FIRST + SECOND[:cut] + SECOND + THIRD)
    with pytest.raises(DamagedFile, match=r"Line 2 of .*items\.jsonl is damaged.*make repair"):
        list(read_lines(folder.items))
    [report] = repair(folder)
    assert "1 of 3 lines were damaged" in report
    assert "1 whole entries within them were recovered" in report
    assert folder.items.read_bytes() == FIRST + SECOND + THIRD
    assert (folder.root / "items.jsonl.damaged").read_bytes() == SECOND[:cut] + SECOND


def test_line_that_holds_nothing_whole_is_set_aside(folder: DataFolder) -> None:
    folder.items.write_bytes(FIRST + b"\0\0\0\n" + THIRD)
    assert "0 whole entries" in repair(folder)[0]
    assert folder.items.read_bytes() == FIRST + THIRD
    assert repair(folder) == []


def test_torn_last_line_is_set_aside(folder: DataFolder) -> None:
    folder.items.write_bytes(FIRST + SECOND[:10])
    assert "a torn last line was moved to" in repair(folder)[0]
    assert folder.items.read_bytes() == FIRST


def test_event_that_follows_a_half_written_one_is_recovered(folder: DataFolder) -> None:
    history = folder.executions / "one.jsonl"
    history.write_bytes(b'{"id":1}\n{"id":2,"type":{"id"{"id":3,"more":{"id":1}}\n')
    repair(folder)
    assert [event["id"] for event in read_lines(history)] == [1, 3]


def test_damaged_records_are_set_aside_whole(folder: DataFolder) -> None:
    records = [
        folder.executions / "one.json",
        folder.uploads / "two" / "upload.json",
        folder.training / "three" / "job.json",
    ]
    for record in records:
        record.parent.mkdir(exist_ok=True)
        record.write_bytes(b'{"half')
    whole = folder.executions / "whole.json"
    whole.write_text(json.dumps({"executionArn": "a"}))
    assert len(repair(folder)) == 3
    assert whole.exists()
    assert not any(record.exists() for record in records)
    assert all(record.with_name(f"{record.name}.damaged").exists() for record in records)


def test_damaged_snapshot_is_told_with_the_way_out(folder: DataFolder) -> None:
    folder.snapshot.write_bytes(b'{"half')
    with pytest.raises(RepairFailed, match="make restore"):
        repair(folder)


def test_running_system_is_not_repaired(folder: DataFolder) -> None:
    with InstanceLock(folder.lock), pytest.raises(AlreadyRunning):
        repair(folder)


def test_folder_without_data_is_not_repaired(tmp_path: Path) -> None:
    with pytest.raises(RepairFailed, match="holds no data"):
        repair(DataFolder(tmp_path / "none"))
