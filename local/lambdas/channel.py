"""The engine's end of a socket to a worker or a template."""

import json
import socket
import struct
import time
from typing import Any


class ChannelClosed(Exception):
    """The process at the other end is gone."""


class Channel:
    """JSON messages over a stream socket, each preceded by its length in four bytes."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream

    def send(self, message: Any) -> None:
        """Send one message; raise ChannelClosed if the process at the other end is gone."""
        content = json.dumps(message).encode()
        try:
            self._stream.sendall(struct.pack("!I", len(content)) + content)
        except OSError:
            raise ChannelClosed from None

    def send_with(self, message: Any, descriptors: list[int]) -> None:
        """Send a message with open file descriptors; raise ChannelClosed as ``send`` does."""
        content = json.dumps(message).encode()
        try:
            socket.send_fds(self._stream, [struct.pack("!I", len(content))], descriptors)
            self._stream.sendall(content)
        except OSError:
            raise ChannelClosed from None

    def receive(self, timeout_seconds: float) -> Any:
        """Return the next message; raise TimeoutError or ChannelClosed when none comes."""
        deadline = time.monotonic() + timeout_seconds
        size = struct.unpack("!I", self._read(4, deadline))[0]
        return json.loads(self._read(size, deadline))

    def _read(self, size: int, deadline: float) -> bytes:
        content = bytearray()
        while len(content) < size:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            self._stream.settimeout(remaining)
            try:
                chunk = self._stream.recv(min(1 << 20, size - len(content)))
            except TimeoutError:
                raise
            except OSError:
                raise ChannelClosed from None
            if not chunk:
                raise ChannelClosed
            content += chunk
        self._stream.settimeout(None)
        return bytes(content)

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()
