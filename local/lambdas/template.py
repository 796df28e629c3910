"""The template process of all functions with the same layers, and the workers forked from it."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from local.durability.room import is_disk_full
from local.lambdas.channel import Channel, ChannelClosed
from local.lambdas.function import Function
from local.settings import MEMORY

INIT_TIMEOUT_SECONDS = 30.0
"""How long importing a handler may take; AWS allows 10 s, on hardware that is not also busy."""

_SCRIPT = Path(__file__).with_name("worker.py")
_START_TIMEOUT_SECONDS = 120.0
"""How long importing what functions share may take, on a machine that is busy with much else."""
_SHARED_IMPORTS = (
    "boto3",
    "anthropic",
    "brightrun.wiring.generate",
    "brightrun.wiring.process_next",
    "brightrun.wiring.finish_batch",
    "brightrun.batches.claim_repository",
    "brightrun.conversations.enrichment.pipeline",
)
"""What functions with a layer import at their start or their first call: a second of processor time
and 50 MB, once for all workers. One that is missing is left to the function that wants it."""


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
    """A process that has imported what functions share, and forks their workers.

    Raises ChannelClosed when it does not start.
    """

    def __init__(self, function: Function, lifeline: int) -> None:
        ours, theirs = socket.socketpair()
        imports = _SHARED_IMPORTS if function.layers else ()
        path = os.pathsep.join(map(str, function.layers))
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-u",
                    str(_SCRIPT),
                    str(theirs.fileno()),
                    str(lifeline),
                    *imports,
                ],
                pass_fds=[theirs.fileno(), lifeline],
                env={**MEMORY, **function.environment, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
            )
        self._channel = Channel(ours)
        self._lock = threading.Lock()
        try:
            self._channel.receive(_START_TIMEOUT_SECONDS)
        except (TimeoutError, ChannelClosed):
            self.close()
            raise ChannelClosed from None

    @property
    def is_alive(self) -> bool:
        """Whether the process can fork workers."""
        return self._process.poll() is None

    def spawn(self, function: Function) -> Worker:
        """Fork a worker of a function.

        Raises InitFailed when its handler cannot be imported, or not within INIT_TIMEOUT_SECONDS,
        and ChannelClosed when this process is gone.
        """
        ours, theirs = socket.socketpair()
        channel = Channel(ours)
        description = {
            "root": str(function.path[0]),
            "environment": dict(function.environment),
            "handler": function.handler,
        }
        with theirs, _open_log(function.log_file) as log, self._lock:
            self._channel.send_with(description, [theirs.fileno(), log.fileno()])
        try:
            hello = channel.receive(INIT_TIMEOUT_SECONDS)
        except (TimeoutError, ChannelClosed):
            channel.close()
            if not self.is_alive:
                raise ChannelClosed from None
            hello = {"error": _init_error(function)}
        if "error" in hello:
            channel.close()
            raise InitFailed(hello["error"])
        return Worker(channel, hello["pid"])

    def close(self) -> None:
        """End the process; its workers live on until they are closed or killed."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


class Templates:
    """One template for each set of layers, started when it is first wanted."""

    def __init__(self, lifeline: int) -> None:
        self._lifeline = lifeline
        self._lock = threading.Lock()
        self._started: dict[tuple[Path, ...], Template] = {}
        self._closed = False

    def start(self, function: Function) -> Template:
        """Start the template of a function; does nothing if it runs. ChannelClosed after close."""
        with self._lock:
            if self._closed:
                raise ChannelClosed
            template = self._started.get(function.layers)
            if template is None or not template.is_alive:
                if template is not None:  # it was killed from outside
                    self._started.pop(function.layers).close()
                template = self._started[function.layers] = Template(function, self._lifeline)
            return template

    def spawn(self, function: Function) -> Worker:
        """Fork a worker of a function; raises InitFailed, ChannelClosed."""
        try:
            return self.start(function).spawn(function)
        except ChannelClosed:  # the template was killed from outside: start another, once
            return self.start(function).spawn(function)

    def close(self) -> None:
        """End the templates."""
        with self._lock:
            self._closed = True
            for template in self._started.values():
                template.close()


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
