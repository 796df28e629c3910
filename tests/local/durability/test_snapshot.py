"""The snapshot file: whole, without secrets, written only when something changed."""

import asyncio
from pathlib import Path
from typing import Any

from local.durability.room import DiskFull
from local.durability.snapshot import SnapshotFile, SnapshotSchedule


def _open(path: Path, secrets: tuple[str, ...] = ()) -> SnapshotFile:
    def encode(value: Any) -> Any:
        return {"set": sorted(value)}

    def decode(value: dict[str, Any]) -> Any:
        return set(value["set"]) if "set" in value else value

    return SnapshotFile(path, encode=encode, decode=decode, secrets=secrets)


def test_states_come_back_through_the_emulators_own_encoding(tmp_path: Path) -> None:
    snapshot = _open(tmp_path / "s")
    snapshot.write(snapshot.serialize({"a": {"x": {1, 2}}, "b": 1}))
    again = _open(tmp_path / "s")
    assert again.state_of("a") == {"x": {1, 2}}
    assert again.state_of("b") == 1
    assert again.state_of("unknown") is None


def test_secret_is_left_out(tmp_path: Path) -> None:
    snapshot = _open(tmp_path / "s", ("sk-real-key",))
    snapshot.write(snapshot.serialize({"secrets": {"value": "sk-real-key"}}))
    assert b"sk-real-key" not in (tmp_path / "s").read_bytes()


def test_unchanged_snapshot_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "s"
    snapshot = _open(path)
    snapshot.write(snapshot.serialize({"a": 1}))
    path.unlink()
    snapshot.write(snapshot.serialize({"a": 1}))
    assert not path.exists()


def test_changes_in_a_burst_are_one_snapshot() -> None:
    written: list[bytes] = []

    async def scenario() -> None:
        schedule = SnapshotSchedule(lambda: b"state", written.append)
        running = asyncio.create_task(schedule.run())
        for _ in range(10):
            schedule.mark()
            await asyncio.sleep(0.01)
        while not written:
            await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(scenario())
    assert written == [b"state"]


def test_nothing_is_captured_while_nothing_changes() -> None:
    captured = 0

    def capture() -> bytes:
        nonlocal captured
        captured += 1
        return b""

    async def scenario() -> None:
        schedule = SnapshotSchedule(capture, lambda _content: None)
        running = asyncio.create_task(schedule.run())
        await asyncio.sleep(0.7)
        running.cancel()

    asyncio.run(scenario())
    assert captured == 0


def test_snapshot_that_a_full_disk_prevented_is_taken_again() -> None:
    written: list[bytes] = []
    refusals = iter([DiskFull("full"), DiskFull("full")])

    def write(content: bytes) -> None:
        for refusal in refusals:
            raise refusal
        written.append(content)

    async def scenario() -> None:
        schedule = SnapshotSchedule(lambda: b"state", write)
        running = asyncio.create_task(schedule.run())
        schedule.mark()
        while not written:
            await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(scenario())
    assert written == [b"state"]
