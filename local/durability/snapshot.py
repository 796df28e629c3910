"""The snapshot of everything that has no journal: one file, replaced atomically."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.durability.files import read_document, write_atomically
from local.durability.room import DiskFull

_log = logging.getLogger(__name__)

_SETTLE_SECONDS = 0.5
"""Pause between a change and its snapshot, so that one snapshot covers a burst of changes."""


class SnapshotFile:
    """One file with the state of every service; ``secrets`` are blanked out in what is written.

    ``encode`` and ``decode`` translate the emulator's own containers for the json module. Raises
    DamagedFile.
    """

    def __init__(
        self,
        path: Path,
        *,
        encode: Callable[[Any], Any],
        decode: Callable[[dict[str, Any]], Any],
        secrets: tuple[str, ...] = (),
    ) -> None:
        self._path = path
        self._encode = encode
        self._secrets = secrets
        self._written = _digest(path.read_bytes() if path.exists() else b"{}")
        self._loaded: dict[str, Any] = read_document(path, decode) if path.exists() else {}

    def state_of(self, service: str) -> Any:
        """Return the state of a service at the last snapshot, once; None when there is none."""
        return self._loaded.pop(service, None)

    def serialize(self, states: Mapping[str, Any]) -> bytes:
        """Return the bytes of a snapshot of these states."""
        text = json.dumps(states, default=self._encode)
        for secret in self._secrets:
            text = text.replace(json.dumps(secret)[1:-1], "left-out-of-the-snapshot")
        return text.encode()

    def write(self, content: bytes) -> None:
        """Replace the snapshot on disk unless nothing changed; raises DiskFull."""
        digest = _digest(content)
        if digest != self._written:
            write_atomically(self._path, content)
            self._written = digest


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


class SnapshotSchedule:
    """Takes a snapshot soon after a change; idle when nothing changes.

    ``capture`` runs on the event loop, where the services change their state, and returns a
    snapshot's bytes; ``write`` runs beside it.
    """

    def __init__(self, capture: Callable[[], bytes], write: Callable[[bytes], None]) -> None:
        self._capture = capture
        self._write = write
        self._changed = asyncio.Event()

    def mark(self) -> None:
        """Note that something changed."""
        self._changed.set()

    async def run(self) -> None:
        """Take snapshots until cancelled; one that a full disk prevented is taken again."""
        late = False
        while True:
            await self._changed.wait()
            await asyncio.sleep(_SETTLE_SECONDS)
            self._changed.clear()
            try:
                await self.take()
            except DiskFull as full:
                if not late:
                    _log.warning("%s It is written as soon as there is room.", full)
                self._changed.set()
            late = self._changed.is_set()

    async def take(self) -> None:
        """Take a snapshot now; raises DiskFull."""
        await asyncio.to_thread(self._write, self._capture())
