"""A small HTTP/1.1 server on asyncio streams: keep-alive, chunked answers, scripted resets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol

from local.claude_simulator.http_types import Hang, Reply, Request, Reset, Response

_LOOPBACK = "127.0.0.1"
_MAX_HEAD_BYTES = 64 * 1024
_BACKLOG = 1024


class Application(Protocol):
    """What the server serves."""

    def body_limit(self, path: str) -> int:
        """The largest body in bytes that `path` accepts; longer ones are read and dropped."""

    async def handle(self, request: Request) -> Reply:
        """Answer one request; never raises for a bad one."""


class HttpServer:
    """Serves one application on the loopback interface, a task per connection."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> str:
        """Listen on `port` (0: any free one); returns the base URL, OSError when it is taken."""
        self._server = await asyncio.start_server(
            self._accept, _LOOPBACK, port, limit=_MAX_HEAD_BYTES, backlog=_BACKLOG
        )
        host, actual_port = self._server.sockets[0].getsockname()
        return f"http://{host}:{actual_port}"

    async def stop(self) -> None:
        """Stop listening and end every open connection, waiting calls included."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        unusable = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)
        try:
            with contextlib.suppress(*unusable):
                while await self._exchange(reader, writer):
                    pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; False ends the connection."""
        request = await self._read(reader, writer)
        reply = await self._application.handle(request)
        if isinstance(reply, Reset):
            _reset(writer)
            return False
        if isinstance(reply, Hang):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader.read(1), reply.seconds)
            return False
        # A chunked body is refused unread, so its bytes must not be taken for the next request.
        closing = request.headers.get("connection", "").lower() == "close"
        keep_alive = not closing and "transfer-encoding" not in request.headers
        await _send(writer, reply, keep_alive=keep_alive)
        return keep_alive

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        head, length = _parse_head(await reader.readuntil(b"\r\n\r\n"))
        if head.headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if length > self._application.body_limit(head.path):
            await _discard(reader, length)
            return replace(head, oversized=True)
        return replace(head, body=await reader.readexactly(length))


def _parse_head(head: bytes) -> tuple[Request, int]:
    """The request without its body, and the length of that body in bytes."""
    request_line, *header_lines = head[:-4].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in header_lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    try:
        method, target, _ = request_line.split(" ", 2)
        length = int(headers.get("content-length", "0"))
    except ValueError as error:
        raise ConnectionError("not an HTTP request") from error
    path, _, query_string = target.partition("?")
    return Request(method, path, query_string, headers), length


async def _discard(reader: asyncio.StreamReader, length: int) -> None:
    while length > 0:
        chunk = await reader.read(min(length, _MAX_HEAD_BYTES))
        if not chunk:
            raise ConnectionError
        length -= len(chunk)


def _reset(writer: asyncio.StreamWriter) -> None:
    # A zero linger time makes close() send RST instead of FIN: the client sees a reset.
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, response: Response, *, keep_alive: bool) -> None:
    lines = [f"HTTP/1.1 {response.status} {_reason(response.status)}"]
    lines.append(f"content-type: {response.content_type}")
    lines.extend(f"{name}: {value}" for name, value in response.headers.items())
    lines.append(f"connection: {'keep-alive' if keep_alive else 'close'}")
    if response.chunks is None:
        lines.append(f"content-length: {len(response.body)}\r\n\r\n")
        writer.write("\r\n".join(lines).encode("latin-1") + response.body)
    else:
        lines.append("transfer-encoding: chunked\r\n\r\n")
        writer.write("\r\n".join(lines).encode("latin-1"))
        await _send_chunks(writer, response.chunks)
    await writer.drain()


async def _send_chunks(writer: asyncio.StreamWriter, chunks: AsyncIterator[bytes]) -> None:
    async for chunk in chunks:
        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await writer.drain()
    writer.write(b"0\r\n\r\n")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Overloaded" if status == 529 else "Error"
