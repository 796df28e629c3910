"""The process side of a function: imports its handler, forks workers, runs invocations.

Run as a script by ``local.lambdas.template``; it imports nothing of this project, only what the
function's own path offers. Arguments: the control socket and the lifeline, as descriptors.
Messages are JSON, preceded by their length in four bytes.
"""

import errno
import importlib
import io
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from types import SimpleNamespace
from typing import Any


class LogStream(io.RawIOBase):
    """A log file of this process; what a full disk has no room for is left out.

    A handler that only reads must not fail because its log line could not be written.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def writable(self) -> bool:
        """Whether it can be written to: always."""
        return True

    def write(self, content: Any) -> int:
        """Write all of the content."""
        left = memoryview(content)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
        return len(content)


def receive(channel: socket.socket) -> Any:
    """Return the next message; end the process when the other side is gone."""
    return json.loads(_read(channel, struct.unpack("!I", _read(channel, 4))[0]))


def send(channel: socket.socket, message: Any) -> None:
    """Send one message."""
    content = json.dumps(message).encode()
    channel.sendall(struct.pack("!I", len(content)) + content)


def _read(channel: socket.socket, size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        chunk = channel.recv(size - len(content))
        if not chunk:
            os._exit(0)
        content += chunk
    return bytes(content)


def describe(error: BaseException) -> dict[str, Any]:
    """Return an error in the shape of Lambda's error responses."""
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_exception(error),
    }


def end_with(lifeline: int) -> None:
    """End this process as soon as the engine's end of the lifeline is closed."""

    def watch() -> None:
        os.read(lifeline, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def invoke(handler: Any, message: dict[str, Any]) -> dict[str, Any]:
    """Run the handler once and return its result or its error."""
    deadline = time.time() + message["timeout_seconds"]
    context = SimpleNamespace(
        **message["context"],
        identity=None,
        client_context=None,
        get_remaining_time_in_millis=lambda: max(0, int((deadline - time.time()) * 1000)),
    )
    try:
        result = handler(message["event"], context)
    except Exception as error:
        traceback.print_exc()
        return {"error": {**describe(error), "requestId": context.aws_request_id}}
    try:
        return {"result": json.dumps(result)}
    except (TypeError, ValueError) as error:
        return {
            "error": {
                "errorMessage": f"Unable to marshal response: {error}",
                "errorType": "Runtime.MarshalError",
                "requestId": context.aws_request_id,
                "stackTrace": [],
            }
        }


def serve(channel: socket.socket, handler: Any, lifeline: int) -> None:
    """Be a worker: answer invocations until the engine closes the channel."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    end_with(lifeline)
    send(channel, {"pid": os.getpid()})
    while True:
        outcome = invoke(handler, receive(channel))
        sys.stdout.flush()
        sys.stderr.flush()
        send(channel, outcome)


def main() -> None:
    """Be the template: import the handler, then fork a worker for every channel received."""
    sys.stdout = io.TextIOWrapper(LogStream(1), "utf-8", "backslashreplace", write_through=True)
    sys.stderr = io.TextIOWrapper(LogStream(2), "utf-8", "backslashreplace", write_through=True)
    control = socket.socket(fileno=int(sys.argv[1]))
    lifeline = int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    try:
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
        for shared in filter(None, os.environ.get("_SHARED_IMPORTS", "").split(",")):
            importlib.import_module(shared)
    except BaseException as error:  # an import that exits is a failed init too
        traceback.print_exc()
        send(control, {"error": describe(error)})
        sys.exit(1)
    send(control, {"ready": True})
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            sys.exit(0)
        if os.fork() == 0:
            control.close()
            serve(socket.socket(fileno=descriptors[0]), handler, lifeline)
        os.close(descriptors[0])


if __name__ == "__main__":
    main()
