"""How much of a disk is left free, and what waits for it."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.durability.room import DiskFull, DiskRoom, naming_a_full_disk, when_there_is_room
from tests.local.full_disk import NO_SPACE

GIGABYTE = 1_000_000_000


def _disk(monkeypatch: pytest.MonkeyPatch, *, size: int, free: int) -> None:
    disk = SimpleNamespace(f_blocks=size, f_bavail=free, f_frsize=1)
    monkeypatch.setattr(os, "statvfs", lambda _path: disk)


@pytest.mark.parametrize(
    ("size", "free", "is_short"),
    [
        (500 * GIGABYTE, 200_000_000, False),
        (500 * GIGABYTE, 100_000_000, True),
        (GIGABYTE, 60_000_000, False),
        (GIGABYTE, 40_000_000, True),
        (GIGABYTE, 0, True),
    ],
)
def test_reserve_is_a_share_of_a_small_disk_and_bounded_on_a_large_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, size: int, free: int, is_short: bool
) -> None:
    _disk(monkeypatch, size=size, free=free)
    assert bool(DiskRoom(tmp_path).shortage()) is is_short


def test_shortage_names_the_folder_and_both_amounts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _disk(monkeypatch, size=GIGABYTE, free=1_500_000)
    assert DiskRoom(tmp_path).shortage() == (
        f"The disk of {tmp_path} is full: 1.5 MB are free and 50.0 MB are needed for new work."
    )


def test_new_work_waits_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _disk(monkeypatch, size=GIGABYTE, free=0)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            _disk(monkeypatch, size=GIGABYTE, free=GIGABYTE)

    DiskRoom(tmp_path).wait(wait)
    assert len(waits) == 3


def test_write_is_tried_again_until_there_is_room() -> None:
    outcomes: Iterator[Exception | str] = iter([DiskFull(), DiskFull(), "written"])

    def write() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    waits: list[float] = []
    assert when_there_is_room(write, waits.append) == "written"
    assert len(waits) == 2


def test_full_disk_is_named_with_the_file_and_other_errors_stay(tmp_path: Path) -> None:
    with (
        pytest.raises(DiskFull, match=r"file could not be written: the disk is full"),
        naming_a_full_disk(tmp_path / "file"),
    ):
        raise NO_SPACE
    with pytest.raises(PermissionError), naming_a_full_disk(tmp_path / "file"):
        raise PermissionError
