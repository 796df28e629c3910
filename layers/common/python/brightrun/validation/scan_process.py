"""A forked process that scans blocks of a file beside the one that reads it.

Blocks go through memory that both share; results come back through a pipe.  Nothing is lost if the
process dies: its blocks are still in that memory, and are scanned by the reader.
"""

import signal
from collections import deque
from mmap import mmap
from multiprocessing import get_context
from multiprocessing.connection import Connection

import msgspec

from brightrun.formats import BLOCK_BYTES, Block
from brightrun.validation.block_result import BlockResult
from brightrun.validation.block_scanner import BlockScanner, Order

_SLOTS = 4  # blocks that a process holds, so that it never waits for the next one
_SLOT_BYTES = 2 * BLOCK_BYTES  # the reader scans longer ones


class _Sent(msgspec.Struct, frozen=True):
    """Where a block lies in the shared memory, and how it is to be scanned."""

    start: int
    end: int
    order: Order

    def block(self, memory: mmap) -> Block:
        """The block, not copied."""
        return Block(data=memory, start=self.start, end=self.end)


_encode = msgspec.msgpack.Encoder().encode
_sent_in = msgspec.msgpack.Decoder(_Sent).decode
_result_in = msgspec.msgpack.Decoder(BlockResult).decode


class ScanProcess:
    """Takes blocks and returns their results in the same order; ends with its context."""

    def __init__(self, scanner: BlockScanner) -> None:
        self._scanner = scanner
        self._memory = mmap(-1, _SLOTS * _SLOT_BYTES)
        self._sent = deque[_Sent]()
        self._count = 0
        self._is_lost = False
        context = get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(scanner, self._memory, theirs, self._pipe), daemon=True
        )
        self._process.start()
        theirs.close()

    def takes(self, block: Block) -> bool:
        """Tell whether a block can be sent now."""
        fits = not block.too_long and block.size <= _SLOT_BYTES
        return fits and len(self._sent) < _SLOTS and not self._is_lost

    def send(self, block: Block, order: Order) -> "ScanProcess":
        """Send a block to be scanned; there must be room for it (`takes`)."""
        start = self._count % _SLOTS * _SLOT_BYTES
        body, end = start + len(block.head), start + block.size
        self._memory[start:body] = block.head
        self._memory[body:end] = memoryview(block.data)[block.start : block.end]
        sent = _Sent(start, end, order)
        self._sent.append(sent)
        self._count += 1
        try:
            self._pipe.send_bytes(_encode(sent))
        except OSError:
            self._is_lost = True
        return self

    def has_answered(self) -> bool:
        """Tell whether the next result can be had without waiting for it."""
        return self._is_lost or self._pipe.poll()

    def answer(self) -> BlockResult:
        """Return the result of the earliest block that was sent; waits for it."""
        sent = self._sent.popleft()
        try:
            if not self._is_lost:
                return _result_in(self._pipe.recv_bytes())
        except (OSError, EOFError):
            self._is_lost = True
        return self._scanner.scan(sent.block(self._memory), sent.order)

    def __enter__(self) -> "ScanProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()
        self._memory.close()


def _work(scanner: BlockScanner, memory: mmap, pipe: Connection, theirs: Connection) -> None:
    """Scan what comes through the pipe, until its other end is closed or gone."""
    theirs.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the whole group
    while True:
        try:
            sent = _sent_in(pipe.recv_bytes())
        except EOFError:
            return
        pipe.send_bytes(_encode(scanner.scan(sent.block(memory), sent.order)))
