"""Surveys a file's blocks, in other processes too where there are lanes, and keeps their order."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from brightrun.validation.lines import BLOCK_BYTES, BlockReader
from brightrun.validation.survey import Survey
from brightrun.validation.surveyor import Order, Surveyor

if TYPE_CHECKING:
    from brightrun.validation.lane import Lane

_MOST_WAITING = 64  # surveys held because an earlier one is not there yet; bounds memory


def surveys(
    reader: BlockReader, surveyor: Surveyor, order: Callable[[int], Order], lanes: int = 0
) -> Iterator[Survey]:
    """Yield the survey of each block in order; `order` says what is wanted from a line on.

    The first block is surveyed here: it shows the format, and whether there is enough to do for
    lanes.  They are forked before its survey is handed on.  Later blocks go to a lane with room for
    one; while there is none they are surveyed here.
    """
    crew: list[Lane] = []
    waiting: deque[Survey | Lane] = deque()
    with ExitStack() as closing:
        for first_line, block in reader:
            free = next((lane for lane in crew if lane.takes(block)), None)
            if free is None:
                waiting.append(surveyor.survey(block, order(first_line)))
            else:
                waiting.append(free.send(block, order(first_line)))
            if first_line == 1 and surveyor.form and 2 * block.size > BLOCK_BYTES:
                crew = [closing.enter_context(_lane(surveyor)) for _ in range(lanes)]
            while waiting and (len(waiting) > _MOST_WAITING or _is_there(waiting[0])):
                yield _taken(waiting.popleft())
        yield from map(_taken, waiting)


def _lane(surveyor: Surveyor) -> "Lane":
    from brightrun.validation.lane import Lane  # takes 25 ms, and few need it

    return Lane(surveyor)


def _is_there(one: "Survey | Lane") -> bool:
    return isinstance(one, Survey) or one.has_answered()


def _taken(one: "Survey | Lane") -> Survey:
    return one if isinstance(one, Survey) else one.answer()
