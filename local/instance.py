"""One engine per data folder: the lock it holds, and how to find and stop it."""

import fcntl
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from local.durability.room import naming_a_full_disk
from local.errors import LocalError

_POLL_SECONDS = 0.02
STOP_TIMEOUT_SECONDS = 20.0


class AlreadyRunning(LocalError):
    """Another engine holds the data folder."""


class StopFailed(LocalError):
    """A running engine did not end in time, or cannot be told from other processes."""


@dataclass(frozen=True)
class Instance:
    """A running engine: its process id and port."""

    pid: int
    port: int


class InstanceLock:
    """The lock of a data folder, held while it is entered.

    Raises AlreadyRunning when another process holds it.
    """

    def __init__(self, file: Path) -> None:
        self._handle = _open(file)
        if not _try_lock(self._handle):
            self._handle.close()
            raise AlreadyRunning(
                f"An engine already runs on {file.parent}: stop it with"
                " `python -m local down`, or choose another folder with --data-dir."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._handle.close()

    def note(self, instance: Instance) -> None:
        """Write the process id and the port into the lock file; raises DiskFull."""
        with naming_a_full_disk(Path(self._handle.name)):
            self._handle.seek(0)
            self._handle.truncate()
            json.dump({"pid": instance.pid, "port": instance.port}, self._handle)
            self._handle.flush()


def find_instance(file: Path) -> Instance | None:
    """Return the engine that holds a lock file, None when none does.

    Raises StopFailed for one that a full disk kept from saying which process it is.
    """
    if not file.exists():
        return None
    with _open(file) as handle:
        if _try_lock(handle):
            return None
        content = handle.read()
    try:
        return Instance(**json.loads(content)) if content else None
    except ValueError:
        raise StopFailed(
            f"A system holds {file}, but does not say which process it is: end `python -m local"
            " serve` by hand."
        ) from None


def stop_instance(file: Path) -> bool:
    """Stop the engine that holds a lock file and wait for its end; tell whether there was one.

    Raises StopFailed when it still runs after STOP_TIMEOUT_SECONDS.
    """
    instance = find_instance(file)
    if instance is None:
        return False
    os.kill(instance.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    with _open(file) as handle:
        while not _try_lock(handle):
            if time.monotonic() > deadline:
                raise StopFailed(f"The engine (process {instance.pid}) did not end; kill it.")
            time.sleep(_POLL_SECONDS)
    return True


def _open(file: Path) -> IO[str]:
    file.touch(mode=0o600)
    return file.open("r+")


def _try_lock(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
