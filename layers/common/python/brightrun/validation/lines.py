"""Reads a binary stream line by line in constant memory and hashes it on the way."""

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import Protocol, cast

BLOCK_BYTES = 1 << 20
_SKIP_BYTES = 1 << 16


class Readable(Protocol):
    """Whatever has `read(size) -> bytes`: a file, BytesIO, the body of an S3 object."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


class _HashingReader(io.RawIOBase):
    """Hands blocks on and hashes them on the way.

    Measured with the hashing in a thread of its own: no gain on one or two busy cores.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.digest = hashlib.sha256()
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # the base says Buffer
        block = self._source.read(len(buffer))
        buffer[: len(block)] = block
        self.digest.update(block)
        self.size += len(block)
        return len(block)


class LineReader:
    """Yields `(number, line)`, newline included, number counting physical lines from 1.

    A line longer than `limit` bytes is not kept: `too_long(number, its length)` is told instead.
    After the last line `size`, `sha256` and `lines` are those of the whole stream.
    """

    def __init__(self, source: Readable, limit: int, too_long: Callable[[int, int], None]) -> None:
        self._raw = _HashingReader(source)
        self._reader = io.BufferedReader(cast("io.RawIOBase", self._raw), BLOCK_BYTES)
        self._limit = limit
        self._too_long = too_long
        self.lines = 0

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        readline, most = self._reader.readline, self._limit + 1
        while line := readline(most):
            self.lines += 1
            if line.endswith(b"\n"):
                yield self.lines, line
            elif len(line) <= self._limit:
                yield self.lines, line  # the last one, without a newline
            else:
                self._too_long(self.lines, self._skip(len(line)))

    def _skip(self, length: int) -> int:
        """Read on to the end of an over-long line, keeping nothing; return its whole length."""
        while part := self._reader.readline(_SKIP_BYTES):
            if part.endswith(b"\n"):
                return length + len(part) - 1
            length += len(part)
        return length

    @property
    def size(self) -> int:
        """Bytes read so far."""
        return self._raw.size

    def sha256(self) -> str:
        """The digest of everything read so far, as hex."""
        return self._raw.digest.hexdigest()
