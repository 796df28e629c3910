"""Runs one engine in this process: takes the data folder and the port, then serves."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

from local.durability.folder_version import migrate
from local.errors import LocalError
from local.instance import Instance, InstanceLock
from local.log_format import log_to_stderr
from local.settings import HOST, DataFolder, Settings


class PortTaken(LocalError):
    """Another program listens on the port."""


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
        migrate(folder)
        port = listener.getsockname()[1]
        lock.note(Instance(os.getpid(), port))
        asyncio.run(serve(settings, listener.detach(), port, announce))


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTaken(
            f"Port {port} on {HOST} is taken by another program: choose one with --port or"
            " BRIGHTRUN_PORT."
        ) from None
    return listener
