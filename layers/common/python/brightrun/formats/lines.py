"""Reads a binary stream in blocks of whole lines, in constant memory."""

from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

from brightrun.formats.containers import Readable, read_fully

LONGEST_LINE = 2 << 20
"""Bytes of a record: twice the longest conversation that was seen."""
BLOCK_BYTES = 256 << 10  # asked for at once; a block is at most this and what its first line began
_DENSE = 4096  # bytes that tell whether lines are short
CHUNK_BYTES = 32 << 10  # checked at once: fits a processor's second cache


class TooLong(NamedTuple):
    """Stands for a line of more bytes than are kept, its newline not counted."""

    length: int


class Block(NamedTuple):
    """Whole lines: one that an earlier block began, then `data` from `start` to `end`.

    So nothing has to be copied.  It ends with a newline unless the stream ends without one.
    `too_long` is the length of a line that stands there instead, and was not kept.
    """

    head: bytes = b""
    data: bytes | mmap = b""
    start: int = 0
    end: int = 0
    too_long: int = 0

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self.head) + self.end - self.start


class BlockReader:
    """Yields every line of a stream in order: whole lines together, or one that is too long.

    Each block comes with the number of its first line, from 1.  A block may hold lines of more than
    `limit` bytes, if only a few more.  At the end `lines` is how many there were.
    """

    def __init__(self, source: Readable, limit: int) -> None:
        self._source = source
        self.limit = limit
        self.lines = 0

    def __iter__(self) -> Iterator[tuple[int, Block]]:
        for block in self._whole_lines():
            first = self.lines + 1
            self.lines += _lines_in(block)
            yield first, block

    def _whole_lines(self) -> Iterator[Block]:
        rest, skipped = b"", 0  # what the last block left unfinished; its length once too long
        for data in self._blocks():
            start = 0
            if skipped:
                start = data.find(b"\n") + 1
                if not start:
                    skipped += len(data)
                    continue
                yield Block(too_long=skipped + start - 1)
                skipped = 0
            end = data.rfind(b"\n") + 1
            if end > start:
                stop = data.find(b"\n", start) + 1 if rest else start
                yield Block(rest + data[start:stop], data, stop, end)
                rest = data[end:]
            else:
                rest += data[start:]
            if len(rest) > self.limit:
                rest, skipped = b"", len(rest)
        if skipped:
            yield Block(too_long=skipped)
        elif rest:
            yield Block(rest)

    def _blocks(self) -> Iterator[bytes]:
        """Yield full blocks, then what is left."""
        while block := read_fully(self._source, BLOCK_BYTES):
            yield block


def chunks_of(block: Block, limit: int) -> Iterator[bytes | TooLong]:
    """Cut whole lines into chunks; a line longer than a chunk is one by itself."""
    head, data, start, end, too_long = block
    if too_long:
        yield TooLong(too_long)
    if head:
        length = len(head) - head.endswith(b"\n")
        yield TooLong(length) if length > limit else head
    most = min(CHUNK_BYTES, limit + 1)
    while start < end:
        stop = data.rfind(b"\n", start, min(start + most, end)) + 1
        if not stop:
            stop = data.find(b"\n", start, end) + 1 or end
        length = stop - start - (data[stop - 1 : stop] == b"\n")
        yield TooLong(length) if length > limit else data[start:stop]
        start = stop


def lines_of(chunk: bytes) -> list[memoryview]:
    """The lines of a chunk without their newlines; nothing is copied."""
    view, find, lines = memoryview(chunk), chunk.find, []
    start, stop = 0, find(b"\n")
    while stop >= 0:
        lines.append(view[start:stop])
        start = stop + 1
        stop = find(b"\n", start)
    if start < len(chunk):
        lines.append(view[start:])
    return lines


def _lines_in(block: Block) -> int:
    """How many lines there are.

    `bytes.count` looks at each byte, `find` at many at once: better where lines are long.
    """
    head, data, start, end, too_long = block
    lines, find = int(bool(head or too_long)), data.find
    if isinstance(data, bytes) and data.count(b"\n", start, start + _DENSE) > _DENSE // 64:
        last = int(end > start and data[end - 1 : end] != b"\n")
        return lines + data.count(b"\n", start, end) + last
    while start < end:
        start = find(b"\n", start, end) + 1 or end
        lines += 1
    return lines


def numbered_lines(reader: BlockReader) -> Iterator[tuple[int, bytes | TooLong]]:
    """Every line with its number from 1 and without its newline, or TooLong in its place.

    Long runs of blank lines are left out; the reader counts them.
    """
    for first, block in reader:
        number = first
        for chunk in chunks_of(block, reader.limit):
            if isinstance(chunk, TooLong):
                yield number, chunk
                number += 1
            elif chunk.isspace():
                number += chunk.count(b"\n") or 1
            else:
                for number, line in enumerate(lines_of(chunk), number):  # noqa: B020, PLR1704
                    yield number, bytes(line)
                number += 1
