"""Scans a file's blocks in order, with the help of extra processes where that is asked for."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from brightrun.formats import BLOCK_BYTES, BlockReader
from brightrun.validation.block_result import BlockResult
from brightrun.validation.block_scanner import BlockScanner, Order

if TYPE_CHECKING:
    from brightrun.validation.scan_process import ScanProcess

_MOST_WAITING = 64  # results held because an earlier one is not there yet; bounds memory


def scan_blocks(
    reader: BlockReader,
    scanner: BlockScanner,
    order: Callable[[int], Order],
    extra_processes: int = 0,
) -> Iterator[BlockResult]:
    """Yield the result of each block in order; `order` gives the Order of a block's first line.

    The first block is scanned here: it shows the format, and whether the file is large enough for
    extra processes.  They are forked before its result is yielded.  Each later block goes to a
    process with room for one, and is scanned here while there is none.
    """
    processes: list[ScanProcess] = []
    waiting: deque[BlockResult | ScanProcess] = deque()
    with ExitStack() as closing:
        for first_line, block in reader:
            free = next((one for one in processes if one.takes(block)), None)
            if free is None:
                waiting.append(scanner.scan(block, order(first_line)))
            else:
                waiting.append(free.send(block, order(first_line)))
            if first_line == 1 and scanner.format and 2 * block.size > BLOCK_BYTES:
                processes = [
                    closing.enter_context(_process(scanner)) for _ in range(extra_processes)
                ]
            while waiting and (len(waiting) > _MOST_WAITING or _is_there(waiting[0])):
                yield _taken(waiting.popleft())
        yield from map(_taken, waiting)


def _process(scanner: BlockScanner) -> "ScanProcess":
    from brightrun.validation.scan_process import ScanProcess  # takes 25 ms, and few need it

    return ScanProcess(scanner)


def _is_there(one: "BlockResult | ScanProcess") -> bool:
    return isinstance(one, BlockResult) or one.has_answered()


def _taken(one: "BlockResult | ScanProcess") -> BlockResult:
    return one if isinstance(one, BlockResult) else one.answer()
