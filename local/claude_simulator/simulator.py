"""The simulator as a running server, in this process or as one of its own."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from local.claude_simulator.application import SimulatedApi
from local.claude_simulator.faults import Fault, parse_faults
from local.claude_simulator.http_server import HttpServer
from local.claude_simulator.journal import Journal
from local.claude_simulator.state import Clock, Settings, utc_now

_log = logging.getLogger(__name__)


class ClaudeSimulator:
    """A Claude API on the loopback interface, served by a thread of this process.

    `port` 0 takes a free one. Use it as a context manager: OSError on entry when the port is
    taken, and every open call ends when the block is left.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        latency_seconds: float = 0.0,
        batch_polls: int = 1,
        clock: Clock = utc_now,
        port: int = 0,
    ) -> None:
        self._api = SimulatedApi(Settings(seed, latency_seconds, batch_polls, clock))
        self._port = port
        self._url = ""
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event
        self._thread: threading.Thread

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="claude-simulator", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return self._url

    @property
    def journal(self) -> Journal:
        """The counts of the calls so far."""
        return self._api.state.journal

    def script(self, *faults: Fault | Mapping[str, Any]) -> None:
        """Append faults; FaultScriptError names the first that cannot be used."""
        self._api.state.faults.extend(parse_faults(list(faults)))

    def reset(self) -> None:
        """Forget faults, counts and batches."""
        self._api.reset()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        server = HttpServer(self._api)
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        try:
            self._url = await server.start(self._port)
        except OSError as error:
            self._failure = error
            return
        finally:
            self._started.set()
        await self._stopping.wait()
        await server.stop()


async def serve_until_stopped(settings: Settings, port: int) -> None:
    """Serve in this process until SIGINT or SIGTERM; prints READY and the URL once it listens."""
    server = HttpServer(SimulatedApi(settings))
    url = await server.start(port)
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    print(f"READY {url}", flush=True)
    _log.info("Listening at %s.", url)
    await stopping.wait()
    await server.stop()
