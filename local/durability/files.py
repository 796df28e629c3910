"""Files that survive a kill and a full disk: replaced whole, or appended line by line."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from local.durability.room import DiskFull, naming_a_full_disk
from local.errors import LocalError

_log = logging.getLogger(__name__)


class DamagedFile(LocalError):
    """A file does not hold what the engine wrote."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a draft that takes the place of ``path`` at the end of the block.

    Raises DiskFull. After any error the file that was there stands and no draft is left.
    """
    draft = path.with_name(f"{path.name}.tmp")
    try:
        with naming_a_full_disk(path), draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content; after a crash the file holds the old content or the new.

    Raises DiskFull; the old content then stands.
    """
    with replacing(path) as file:
        file.write(content)


class LineJournal:
    """An append-only file of JSON lines; every append reaches the kernel before it returns.

    A torn last line, the trace of a kill in the middle of a write, was confirmed to nobody. It is
    set aside in a file beside the journal, so that the next line does not continue it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        with suppress(DiskFull):  # append tries again
            set_torn_line_aside(path)
        self._end = end_of_lines(path)
        self._is_torn = path.stat().st_size > self._end

    def append(self, entry: Any) -> None:
        """Append one entry as one line; raises DiskFull, and then the journal is as before."""
        if self._is_torn:
            set_torn_line_aside(self._path)
            self._is_torn = False
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        try:
            with naming_a_full_disk(self._path):
                self._write(line)
        except BaseException:
            self._file.truncate(self._end)
            raise
        self._end += len(line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, line: bytes) -> None:
        """Write every byte: a disk that fills up takes the first part without an error."""
        left = memoryview(line)
        while left:
            left = left[self._file.write(left) :]


def set_torn_line_aside(path: Path) -> Path | None:
    """Move what follows the last line break of a journal to a file beside it, and report it.

    Returns that file, None when no line is torn. Raises DiskFull; the journal is then as before.
    """
    end = end_of_lines(path)
    with path.open("rb+") as file:
        file.seek(end)
        torn = file.read()
        if not torn:
            return None
        aside = path.with_name(f"{path.name}.torn")
        with replacing(aside) as kept:
            kept.write((aside.read_bytes() if aside.exists() else b"") + torn + b"\n")
        file.truncate(end)
    _log.warning(
        "%s ended in the middle of a line, as after a power cut: nothing that was confirmed is"
        " lost. Its last %d bytes are kept in %s.",
        path,
        len(torn),
        aside,
    )
    return aside


def end_of_lines(path: Path) -> int:
    """Return the offset after the last line break of a file, 0 when it has none."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            line_break = file.read(end - start).rfind(b"\n")
            if line_break >= 0:
                return start + line_break + 1
            end = start
    return 0


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
            except ValueError:
                raise _damaged(f"Line {number} of {path}") from None


def read_document(path: Path, decode: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    """Return the JSON document of a file that is replaced whole; raises DamagedFile.

    ``decode`` translates each of its objects.
    """
    try:
        return json.loads(path.read_bytes(), object_hook=decode)
    except ValueError:
        raise _damaged(str(path)) from None


def _damaged(place: str) -> DamagedFile:
    return DamagedFile(
        f"{place} is damaged: a write was cut short, or the file was changed from outside. `make"
        " repair` sets what is damaged aside and keeps the rest; `make restore FILE=...` brings"
        " back a backup."
    )
