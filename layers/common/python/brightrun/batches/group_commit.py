"""Group commit: one write for everything that concurrent tasks want written at about one time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Writes what came while the last write was under way as one group, in a thread.

    A write waits for no other task: alone, an entry is written at once. Use it in one event loop.
    """

    def __init__(self, write: Callable[[Sequence[T]], R], most: int) -> None:
        """`write` stores up to `most` entries, and may raise."""
        self._write = write
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, entry: T) -> R:
        """Return when the entry is written, with what its group's write returned or raised."""
        written: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await written

    async def _write_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                result = await asyncio.to_thread(self._write, [entry for entry, _ in group])
            except BaseException as error:  # each task of the group handles it: none may wait on
                for _, written in group:
                    written.set_exception(error)
            else:
                for _, written in group:
                    written.set_result(result)
        self._writing = None
