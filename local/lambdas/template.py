"""The template process of a function, and the workers forked from it."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, BinaryIO

from local.durability.room import is_disk_full
from local.lambdas.channel import Channel, ChannelClosed
from local.lambdas.function import Function

INIT_TIMEOUT_SECONDS = 30.0
"""How long importing a handler may take; AWS allows 10 s, on hardware that is not also busy."""

_SCRIPT = Path(__file__).with_name("worker.py")
_LOG_LIMIT_BYTES = 5 * 1024 * 1024


class InitFailed(Exception):
    """The handler could not be imported; ``error`` is Lambda's error object."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["errorMessage"])
        self.error = error


class Worker:
    """One forked process that runs one invocation at a time."""

    def __init__(self, channel: Channel, pid: int) -> None:
        self.channel = channel
        self.pid = pid

    def close(self) -> None:
        """Let the worker end by itself; it does as soon as its channel is closed."""
        self.channel.close()

    def kill(self) -> None:
        """End the worker now."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self.channel.close()


class Template:
    """The process that imported a function's handler and forks workers.

    Raises InitFailed when the import fails or takes longer than INIT_TIMEOUT_SECONDS.
    """

    def __init__(self, function: Function, lifeline: int) -> None:
        ours, theirs = socket.socketpair()
        _rotate(function.log_file)
        with _open_log(function.log_file) as log, theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-u", str(_SCRIPT), str(theirs.fileno()), str(lifeline)],
                pass_fds=[theirs.fileno(), lifeline],
                env=dict(function.environment),
                cwd=function.path[0],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._channel = Channel(ours)
        try:
            hello = self._channel.receive(INIT_TIMEOUT_SECONDS)
        except (TimeoutError, ChannelClosed):
            hello = {"error": _init_error(function)}
        if "error" in hello:
            self.close()
            raise InitFailed(hello["error"])

    def spawn(self) -> Worker:
        """Fork a worker; raise ChannelClosed when the template is gone."""
        ours, theirs = socket.socketpair()
        channel = Channel(ours)
        with theirs:
            self._channel.send_descriptor(theirs.fileno())
        try:
            pid = channel.receive(INIT_TIMEOUT_SECONDS)["pid"]
        except TimeoutError:
            channel.close()
            raise ChannelClosed from None
        return Worker(channel, pid)

    def close(self) -> None:
        """End the process; its workers live on until they are closed or killed."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


def _init_error(function: Function) -> dict[str, Any]:
    return {
        "errorMessage": f"The handler {function.handler} could not be imported; see its log file.",
        "errorType": "Runtime.ImportModuleError",
        "stackTrace": [],
    }


def _open_log(log_file: Path) -> BinaryIO:
    """Open a log for appending; nothing is logged where a full disk has no room for its file."""
    try:
        return log_file.open("ab")
    except OSError as error:
        if not is_disk_full(error):
            raise
        return Path(os.devnull).open("ab")


def _rotate(log_file: Path) -> None:
    if log_file.exists() and log_file.stat().st_size > _LOG_LIMIT_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
