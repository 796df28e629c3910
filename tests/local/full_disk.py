"""Disks that fill up: simulated everywhere, and a small real one where this user may mount it."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class FillingFile:
    """A file that takes ``room`` bytes more, as a disk does: the last write is cut short."""

    def __init__(self, file: Any, room: int) -> None:
        self._file = file
        self.room = room

    def write(self, content: Any) -> int:
        """Write what there is room for; raise ENOSPC when there is none."""
        if not self.room:
            raise NO_SPACE
        taken: int = self._file.write(bytes(content)[: self.room])
        self.room -= taken
        return taken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of that size at a folder; skips the test where mounting is refused."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Take all the room of a small disk but ``leave`` bytes; returns the file to remove."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while not _reserved(file.fileno(), _free(disk) - leave):
            continue
    return ballast


def _free(disk: Path) -> int:
    now = os.statvfs(disk)
    return now.f_bavail * now.f_frsize


def _reserved(descriptor: int, size: int) -> bool:
    """Reserve that many bytes; False if a running system took some of them meanwhile."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True
