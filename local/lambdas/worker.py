"""The process side of functions: imports what they share, forks workers, runs invocations.

Run as a script by ``local.lambdas.template``; it imports nothing of this project, only what the
functions' own paths offer. Arguments: the control socket and the lifeline, as descriptors, and the
modules to share. Messages are JSON, preceded by their length in four bytes.
"""

import errno
import gc
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
from contextlib import suppress
from pathlib import Path
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
        # As Lambda's runtime: in UTF-8, which counts for the limit of a response.
        return {"result": json.dumps(result, ensure_ascii=False)}
    except (TypeError, ValueError) as error:
        return {
            "error": {
                "errorMessage": f"Unable to marshal response: {error}",
                "errorType": "Runtime.MarshalError",
                "requestId": context.aws_request_id,
                "stackTrace": [],
            }
        }


def serve(channel: socket.socket, handler: Any) -> None:
    """Answer invocations until the engine closes the channel."""
    send(channel, {"pid": os.getpid()})
    while True:
        outcome = invoke(handler, receive(channel))
        sys.stdout.flush()
        sys.stderr.flush()
        send(channel, outcome)


def be_worker(channel: socket.socket, log: int, lifeline: int, function: dict[str, Any]) -> None:
    """Be a worker of a function: take its environment, folder and log, and import its handler."""
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    end_with(lifeline)
    os.environ.clear()
    os.environ.update(function["environment"])
    _name_process(os.environ.get("POWERTOOLS_SERVICE_NAME", "function"))
    time.tzset()
    os.chdir(function["root"])
    sys.path.insert(0, function["root"])
    module, _, name = function["handler"].rpartition(".")
    try:
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    except BaseException as error:  # an import that exits is a failed init too
        traceback.print_exc()
        send(channel, {"error": describe(error)})
        return
    serve(channel, handler)


def _name_process(name: str) -> None:
    """Show in `ps` and `top` which function this worker runs; the kernel keeps 15 characters."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name, "utf-8")


def share(names: list[str]) -> None:
    """Import modules for all workers, and load what boto3 makes clients of DynamoDB and S3 from."""
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:  # a function that wants it says so
            continue
    if "boto3" in names:
        for service in ("dynamodb", "s3"):
            sys.modules["boto3"].client(service)
    gc.collect()
    gc.freeze()  # a collection in a worker would write to, and so copy, all that is shared


def main() -> None:
    """Be the template: import what is shared, then fork a worker for every function received."""
    sys.stdout = io.TextIOWrapper(LogStream(1), "utf-8", "backslashreplace", write_through=True)
    sys.stderr = io.TextIOWrapper(LogStream(2), "utf-8", "backslashreplace", write_through=True)
    control = socket.socket(fileno=int(sys.argv[1]))
    lifeline = int(sys.argv[2])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    share(sys.argv[3:])
    send(control, {"ready": True})
    while True:
        size, descriptors, _, _ = socket.recv_fds(control, 4, 2)
        if not size:
            sys.exit(0)
        function = json.loads(_read(control, struct.unpack("!I", size)[0]))
        channel, log = descriptors
        if os.fork() == 0:
            try:
                control.close()
                be_worker(socket.socket(fileno=channel), log, lifeline, function)
            finally:
                os._exit(1)
        os.close(channel)
        os.close(log)


if __name__ == "__main__":
    main()
