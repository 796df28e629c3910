"""What the validator keeps of one sound line: no text is copied, only where it lies."""

from collections.abc import Callable, Sequence

import msgspec

Line = bytes | memoryview  # without its newline
# JSON strings as they stand in the line, quotes and escapes included
Texts = Sequence[msgspec.Raw | bytes]
# What a strict parser raises for a line it cannot read (UnicodeDecodeError is a ValueError)
UNUSUAL = (msgspec.MsgspecError, RecursionError, ValueError)


class Facts(msgspec.Struct, gc=False):
    """A line's texts in order, which of them train, and its counts.

    `trained` are positions in `texts`; `joined` is the texts one after the other, which tells
    records with the same text and no others; `turns` are the user and assistant turns; `pairs` is
    what total_training_pairs counts; `group` names the conversation where one is spread over
    several lines.
    """

    texts: Texts
    trained: Sequence[int]
    joined: bytes
    turns: int
    pairs: int
    group: str = ""


FastCheck = Callable[[Sequence[Line]], list[Facts | None]]
"""Facts of the lines that are plainly sound; None for each that has to be looked at closely."""
