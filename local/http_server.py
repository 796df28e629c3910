"""The HTTP server of the engine's port: uvicorn, whose parser is C, in the engine's own loop."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

_GRACE_SECONDS = 1
"""How long open requests may take at a stop."""
_KEEP_ALIVE_SECONDS = 75
"""Longer than the SDKs keep idle connections, so that they close them and not we."""


class _Server(uvicorn.Server):
    """Leaves the signals to the engine, which saves its state before it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


async def serve_http(application: Any, listener: int, closing: asyncio.Event) -> None:
    """Serve an ASGI application on a listening socket until ``closing`` is set."""
    config = uvicorn.Config(
        application,
        interface="asgi3",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)

    async def end() -> None:
        await closing.wait()
        server.should_exit = True

    ending = asyncio.create_task(end())
    try:
        with socket.socket(fileno=listener) as listening:
            await server.serve(sockets=[listening])
    finally:
        ending.cancel()
