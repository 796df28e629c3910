"""Reads a binary stream in pieces of whole lines, in constant memory, and hashes it on the way."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple, Protocol

BLOCK_BYTES = 1 << 20  # asked for at once
PIECE_BYTES = 32 << 10  # checked at once: fits a processor's second cache


class Readable(Protocol):
    """Whatever has `read(size) -> bytes`: a file, BytesIO, the body of an S3 object.

    It may give less than was asked for, nothing only at its end.  To show progress, hand in a
    wrapper that counts what its `read` returns.
    """

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


class TooLong(NamedTuple):
    """Stands for a line of more bytes than are kept, its newline not counted."""

    length: int


class PieceReader:
    """Yields every line of a stream in order: whole lines together, or one that is `TooLong`.

    A piece ends with a newline unless the stream ends without one.  At the end `size` and `sha256`
    are those of the whole stream.  (Measured: hashing in a thread of its own makes it slower by the
    clock even with a second core, for it waits for the interpreter after every block.)
    """

    def __init__(self, source: Readable, limit: int) -> None:
        self._source = source
        self._limit = limit
        self._piece = min(PIECE_BYTES, limit + 1)
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes | TooLong]:
        rest, skipped = b"", 0  # what the last block left unfinished; its length once too long
        for block in self._blocks():
            start = block.find(b"\n") + 1
            if not start and (skipped or len(rest) + len(block) > self._limit):
                rest, skipped = b"", skipped + len(rest) + len(block)
                continue
            if not start:
                rest += block
                continue
            if skipped or len(rest) + start - 1 > self._limit:
                yield TooLong(skipped + len(rest) + start - 1)
            else:
                yield rest + block[:start]
            end = block.rfind(b"\n") + 1
            yield from self._pieces(block, start, end)
            rest, skipped = block[end:], 0
        if skipped or len(rest) > self._limit:
            yield TooLong(skipped + len(rest))
        elif rest:
            yield rest

    def _pieces(self, block: bytes, start: int, end: int) -> Iterator[bytes | TooLong]:
        """Cut whole lines into pieces; a line longer than a piece is one by itself."""
        while start < end:
            stop = block.rfind(b"\n", start, start + self._piece) + 1
            if not stop:
                stop = block.find(b"\n", start) + 1
            length = stop - start - 1
            yield TooLong(length) if length > self._limit else block[start:stop]
            start = stop

    def _blocks(self) -> Iterator[bytes]:
        """Yield full blocks, then what is left, each hashed."""
        while block := self._block():
            self._digest.update(block)
            self.size += len(block)
            yield block

    def _block(self) -> bytes:
        """Read until a block is full or the source ends, however little it gives at once."""
        block = self._source.read(BLOCK_BYTES)
        if not block or len(block) == BLOCK_BYTES:
            return block
        parts, size = [block], len(block)
        while size < BLOCK_BYTES and (part := self._source.read(BLOCK_BYTES - size)):
            parts.append(part)
            size += len(part)
        return b"".join(parts)

    def sha256(self) -> str:
        """The digest of everything read so far, as hex."""
        return self._digest.hexdigest()


def lines_of(piece: bytes) -> list[memoryview]:
    """The lines of a piece without their newlines; nothing is copied."""
    view, find, lines = memoryview(piece), piece.find, []
    start, stop = 0, find(b"\n")
    while stop >= 0:
        lines.append(view[start:stop])
        start = stop + 1
        stop = find(b"\n", start)
    if start < len(piece):
        lines.append(view[start:])
    return lines
