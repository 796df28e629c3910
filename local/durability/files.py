"""Files that survive a kill: replaced whole, or appended line by line."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.errors import LocalError


class DamagedFile(LocalError):
    """A file does not hold what the engine wrote."""


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content; after a crash the file holds the old content or the new."""
    temporary = path.with_name(f"{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


class LineJournal:
    """An append-only file of JSON lines; every append reaches the kernel before it returns."""

    def __init__(self, path: Path) -> None:
        drop_torn_line(path)
        self._file = path.open("ab", buffering=0)

    def append(self, entry: Any) -> None:
        """Append one entry as one line."""
        self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def drop_torn_line(path: Path) -> None:
    """Cut what follows the last line break: a line whose write was interrupted."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            line_break = file.read(end - start).rfind(b"\n")
            if line_break >= 0:
                end = start + line_break + 1
                break
            end = start
        file.truncate(end)


def read_lines(path: Path) -> Iterator[Any]:
    """Yield the entries of a journal, nothing when there is none; a torn last line is left out.

    Raises DamagedFile for a complete line that is not JSON.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield json.loads(line)
            except ValueError as error:
                raise DamagedFile(
                    f"{path}, line {number}: not JSON ({error}); the file was damaged outside"
                    " the engine. Restore it from a copy or remove the data folder."
                ) from None
