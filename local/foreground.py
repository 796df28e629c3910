"""Runs one engine in this process: takes the data folder and the port, then serves."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

from local.durability.folder_version import migrate
from local.durability.room import DiskFull, DiskRoom
from local.errors import LocalError
from local.instance import Instance, InstanceLock
from local.log_format import log_to_stderr
from local.settings import HOST, DataFolder, Settings


class PortTaken(LocalError):
    """The port cannot be listened on, most often because another program does."""


def run_in_foreground(settings: Settings, announce: Callable[[Mapping[str, Any]], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``announce`` is called with the status once it is ready.

    Everything written is readable by its owner only: the state holds users and tokens. Raises
    AlreadyRunning, PortTaken, NewerFolder, DiskFull, and what ``local.service.serve`` raises.
    """
    from local.service import serve

    os.umask(0o077)
    folder = DataFolder(settings.data_dir)
    folder.create()
    log_to_stderr("local")
    with InstanceLock(folder.lock) as lock, _listen(settings.port) as listener:
        _require_room(folder)
        migrate(folder)
        port = listener.getsockname()[1]
        lock.note(Instance(os.getpid(), port))
        asyncio.run(serve(settings, listener.detach(), port, announce))


def _require_room(folder: DataFolder) -> None:
    """Raise DiskFull where a start could not write what it has to: much, at a first start."""
    shortage = DiskRoom(folder.root).shortage()
    if shortage:
        raise DiskFull(f"{shortage} Free some space, or choose another folder with --data-dir.")


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        reason = "is taken by another program" if taken else f"cannot be used ({error.strerror})"
        raise PortTaken(
            f"Port {port} on {HOST} {reason}: choose one with --port or BRIGHTRUN_PORT."
        ) from None
    return listener
