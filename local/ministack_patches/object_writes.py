"""Answers a request for S3 with an error when the disk had no room for what it stores.

Reason: ministack logs a warning and answers 200, so that an object which is only in memory counts
as stored and is gone after a restart, perhaps with the version that it displaced.
"""

import os
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from local.durability.room import DiskFull, naming_a_full_disk

_STATUS = 500
"""InternalError, which SDKs try again; S3 has no error for a full disk."""

_failures: ContextVar[list[DiskFull] | None] = ContextVar("failures", default=None)


class _PatientOs:
    """The module os, but a folder for which there is no room is left to the write into it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def makedirs(self, path: str, **options: Any) -> None:
        """Make a folder and those above it."""
        with suppress(DiskFull), naming_a_full_disk(Path(path)):
            os.makedirs(path, **options)  # noqa: PTH103 - stands in for it


class ObjectWrites:
    """Ministack's writes of objects, in their order: what has no room waits for it.

    A file that could not be written, and each after it, is kept in memory and written before the
    next request is served, so that memory and disk never differ for longer than the disk is full.
    """

    def __init__(self) -> None:
        from ministack.services import s3

        self._s3 = s3
        self._write = s3._atomic_write
        self._remove = s3._remove_key_files
        self._handle = s3.handle_request
        self._waiting: dict[str, tuple[Any, bool]] = {}

    def install(self) -> None:
        """Check every write from now on."""
        self._s3.os = _PatientOs()
        self._s3._atomic_write = self._write_in_order
        self._s3._remove_key_files = self._remove_and_forget
        self._s3.handle_request = self._handle_checked

    def write_waiting(self) -> None:
        """Write what had no room; raises DiskFull where there still is none."""
        while self._waiting:
            path, (content, is_text) = next(iter(self._waiting.items()))
            waits = False
            try:
                with naming_a_full_disk(Path(path)):
                    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    self._write(path, content, text=is_text)
            except DiskFull:
                waits = True
                raise
            finally:
                if not waits:
                    del self._waiting[path]

    def _write_in_order(self, path: str, content: Any, *, text: bool = False) -> None:
        self._waiting.pop(path, None)
        self._waiting[path] = (content, text)
        try:
            self.write_waiting()
        except DiskFull as full:
            failures = _failures.get()
            if failures is not None:
                failures.append(full)
            raise

    def _remove_and_forget(self, path: str | None) -> None:
        if path:
            for name in (path, f"{path}.meta.json"):
                self._waiting.pop(name, None)
        self._remove(path)

    async def _handle_checked(self, *request: Any, **named: Any) -> Any:
        failures: list[DiskFull] = []
        token = _failures.set(failures)
        try:
            with suppress(DiskFull):  # reading goes on, a write is refused when it comes to it
                self.write_waiting()
            response = await self._handle(*request, **named)
        except DiskFull as full:
            failures.append(full)
        finally:
            _failures.reset(token)
        if failures:
            return self._s3._error("InternalError", str(failures[0]), _STATUS)
        return response
