"""Room on the disk: how much the system leaves free, and what it does when there is none.

Two limits. Below the reserve no new work begins: the API takes no changes and workflows wait, while
what is under way (answers of Claude that are paid for) still finds room. When the disk is full all
the same, a write raises DiskFull and has changed nothing.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from local.errors import LocalError

LARGEST_RESERVE_BYTES = 128 * 1024 * 1024
RESERVED_SHARE = 0.05
"""Of a small disk, the share that is left free instead of LARGEST_RESERVE_BYTES."""

_RETRY_SECONDS = 1.0
_FULL = {errno.ENOSPC, errno.EDQUOT}

T = TypeVar("T")


class DiskFull(LocalError):
    """The disk, or this user's quota of it, has no room for a write; the write changed nothing."""


def is_disk_full(error: OSError) -> bool:
    """Whether an error means that there is no room on the disk."""
    return error.errno in _FULL


@contextmanager
def naming_a_full_disk(path: Path) -> Iterator[None]:
    """Raise DiskFull in place of the OSError of a full disk; ``path`` is what was written."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise DiskFull(f"{path} could not be written: the disk is full. Free some space.") from None


def when_there_is_room(write: Callable[[], T], wait: Callable[[float], None]) -> T:
    """Run a write, and again after each ``wait`` while the disk is full; ``wait`` may raise."""
    while True:
        try:
            return write()
        except DiskFull:
            wait(_RETRY_SECONDS)


class DiskRoom:
    """The free space of the disk that holds a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def shortage(self) -> str | None:
        """Say how much is free and how much is needed; None when there is enough for new work."""
        disk = os.statvfs(self._folder)
        free = disk.f_bavail * disk.f_frsize
        reserve = int(min(LARGEST_RESERVE_BYTES, disk.f_blocks * disk.f_frsize * RESERVED_SHARE))
        if free >= reserve:
            return None
        return (
            f"The disk of {self._folder} is full: {_megabytes(free)} MB are free and"
            f" {_megabytes(reserve)} MB are needed for new work."
        )

    def wait(self, wait: Callable[[float], None]) -> None:
        """Return once there is room for new work; ``wait`` sleeps, and may raise to give up."""
        while self.shortage():
            wait(_RETRY_SECONDS)


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:.1f}"
