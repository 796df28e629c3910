"""What the validator keeps of one sound line; texts stay as they stand in the line."""

from collections.abc import Callable, Sequence

import msgspec

Line = bytes | memoryview  # without its newline
# JSON strings as they stand in the line, quotes and escapes included
Texts = Sequence[msgspec.Raw | bytes]


class RecordSummary(msgspec.Struct, gc=False):
    """A line's texts in order, which of them train, and its counts.

    `trained` are positions in `texts`; `joined` is the texts one after the other, equal for records
    with the same texts and no others; `turns` are the user and assistant turns; `pairs` is what
    total_training_pairs counts; `group` names the conversation where one may be spread over lines.
    """

    texts: Texts
    trained: Sequence[int]
    joined: bytes
    turns: int
    pairs: int
    group: str = ""


FastCheck = Callable[[Sequence[Line]], list[RecordSummary | None]]
"""Summaries of the lines that are plainly sound; None for each that takes the slow path."""
