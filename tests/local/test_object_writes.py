"""Objects without room on the disk are refused, and written before anybody relies on them."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.ministack_patches.object_writes import ObjectWrites
from tests.local.full_disk import NO_SPACE

pytestmark = pytest.mark.slow  # importing the emulator takes a second

PATCHED = ("os", "_atomic_write", "_remove_key_files", "handle_request")


class Disk:
    """The disk under the emulated S3, full or not."""

    def __init__(self, s3: Any, folder: Path) -> None:
        self.s3 = s3
        self.folder = folder
        self.full = False
        self.writes = ObjectWrites()

    def put(self, key: str, body: bytes) -> int:
        return self._request("PUT", f"/bucket/{key}", body)

    def get(self, key: str) -> int:
        return self._request("GET", f"/bucket/{key}")

    def delete(self, key: str) -> int:
        return self._request("DELETE", f"/bucket/{key}")

    def stored(self) -> dict[str, bytes]:
        """Every object on disk by its key."""
        root = self.folder / "000000000000" / "bucket"
        files = [path for path in root.rglob("*") if path.is_file()]
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in files
            if not path.name.endswith(".meta.json")
        }

    def _request(self, method: str, path: str, body: bytes = b"") -> int:
        status: int = asyncio.run(self.s3.handle_request(method, path, {}, body, {}))[0]
        return status


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    from ministack.services import s3

    for name in PATCHED:
        monkeypatch.setattr(s3, name, getattr(s3, name))
    monkeypatch.setattr(s3, "DATA_DIR", str(tmp_path))
    monkeypatch.setattr(s3, "S3_PERSIST", True)
    disk = Disk(s3, tmp_path)
    disk.writes.install()
    makedirs, opened = os.makedirs, os.open

    def make(*arguments: Any, **named: Any) -> None:
        if disk.full:
            raise NO_SPACE
        makedirs(*arguments, **named)

    def open_file(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if disk.full and flags & os.O_CREAT:
            raise NO_SPACE
        return opened(path, flags, *more, **named)

    disk._request("PUT", "/bucket")
    monkeypatch.setattr(os, "makedirs", make)
    monkeypatch.setattr(os, "open", open_file)
    yield disk
    disk._request("DELETE", "/bucket")


def test_object_is_refused_while_there_is_no_room_even_for_its_folder(disk: Disk) -> None:
    disk.full = True
    assert disk.put("new/folder/key", b"body") == 500
    assert disk.stored() == {}
    disk.full = False
    assert disk.get("other") == 404
    assert disk.stored() == {"new/folder/key": b"body"}
    disk.delete("new/folder/key")


def test_reading_goes_on_while_there_is_no_room(disk: Disk) -> None:
    assert disk.put("kept", b"first") == 200
    disk.full = True
    assert disk.put("kept", b"second") == 500
    assert disk.get("kept") == 200
    assert disk.stored() == {"kept": b"first"}
    disk.full = False
    assert disk.put("another", b"body") == 200
    assert disk.stored() == {"kept": b"second", "another": b"body"}
    disk.delete("kept")
    disk.delete("another")


def test_deleted_object_does_not_come_back_with_the_room(disk: Disk) -> None:
    disk.full = True
    assert disk.put("gone", b"body") == 500
    disk.delete("gone")
    disk.full = False
    assert disk.put("kept", b"body") == 200
    assert disk.stored() == {"kept": b"body"}
    disk.delete("kept")
