"""The fast way through sound lines: typed decoding, a few comparisons, nothing copied but texts.

Each check takes the lines of a piece and returns the Facts of each, or None when anything at all is
unusual; None means "look closer", never "wrong".  Repeated keys of a record or a turn are found by
length: a line has exactly the bytes of its texts and of what must stand around them, plus one space
per separator where the writer put spaces.  (A line crafted to leave out just as many spaces as its
repeated key adds would pass; what counts then is the last value, as in every JSON parser.)
"""

from collections.abc import Sequence
from functools import cache

from brightrun.formats.model import Format
from brightrun.validation.facts import Facts, FastCheck, Line
from brightrun.validation.fast_chat import conversation_check, messages_check, sharegpt_check
from brightrun.validation.fast_pairs import alpaca_check, v4_check


def _never(lines: Sequence[Line]) -> list[Facts | None]:
    return [None] * len(lines)


@cache
def fast_check(form: Format) -> FastCheck:
    """Return the check of a format; it is built once and keeps no state of a file."""
    build = {
        "messages": messages_check,
        "conversations": conversation_check,
        "sharegpt": sharegpt_check,
        "v4-jsonl": v4_check,
        "alpaca": alpaca_check,
    }
    return build[form.name]() if form.name in build else _never
