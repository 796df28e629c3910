"""Parts a file into training and validation by conversation, in one pass and bounded memory.

Every conversation gets a mark of 18 bits from its text (from its id, where it has several rows), so
that it mostly stays on its side when the file grows or is put in another order.  Conversations that
repeat each other are joined, and so are, harmlessly, the few whose marks are equal by chance: what
is put on a side is a mark, with every record under it.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import compress
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from brightrun.validation.block_result import BlockResult

SEED, FRACTION = 42, 0.1
MOST_LINES = 1 << 20  # 8 MiB: what is remembered of the lines
_MARKS = 1 << 18
_LOW = 2 * _MARKS - 1  # a mark is 1 to _MARKS, 0 is none
_OPENS = 1 << 31  # beside the mark: the record is the first of its conversation


class Split(msgspec.Struct, frozen=True):
    """Which lines validate, counted from 1 in ascending order; all other records train.

    The counts say how many conversations and trainable pairs a side has.
    """

    seed: int
    fraction: float
    validation_lines: list[int]
    training_conversations: int
    validation_conversations: int
    training_pairs: int
    validation_pairs: int

    def as_dict(self) -> dict[str, Any]:
        """The split as plain JSON values: the file that a training container reads."""
        return {"version": 1, **msgspec.to_builtins(self)}


class Splitter:
    """Remembers the marks of a file's records while it is read, then parts them.

    Records after line 1,048,576 are not remembered, but train; `beyond` counts them.
    """

    def __init__(self) -> None:
        self._marks = array("I")  # by line; 0 where no record is
        self._conversations = _zeros(_MARKS + 1)  # by mark
        self._pairs = _zeros(_MARKS + 1)  # by mark: those that train
        self._parents = _zeros(_MARKS + 1)  # of joined marks
        self._joined: set[int] = set()
        self._group, self._group_mark = "", 0
        self._conversations_beyond = self._pairs_beyond = self.beyond = 0

    def add(self, result: BlockResult) -> None:
        """Remember the records of a result, which are on later lines than those before."""
        marks = [value % _MARKS + 1 | _OPENS for value in result.hashes]
        if result.groups:
            named = zip(result.groups, marks, strict=True)
            marks = [self._mark_of_row(group) if group else own for group, own in named]
        room = bisect_right(result.lines, MOST_LINES)
        _put(self._marks, result.lines[:room], marks[:room])
        conversations, pairs = self._conversations, self._pairs
        for mark, trained in zip(marks[:room], result.answers, strict=False):
            conversations[mark & _LOW] += mark >= _OPENS
            pairs[mark & _LOW] += trained
        self.beyond += len(marks[room:])
        self._conversations_beyond += sum(mark >= _OPENS for mark in marks[room:])
        self._pairs_beyond += sum(result.answers[room:])

    def _mark_of_row(self, group: str) -> int:
        if group == self._group:
            return self._group_mark
        self._group = group
        self._group_mark = xxh3_64_intdigest(group.encode()) % _MARKS + 1
        return self._group_mark | _OPENS

    def join(self, line: int, earlier: int) -> None:
        """Keep the records of two lines on one side; a line beyond is left where it is."""
        marks = self._marks
        if line <= len(marks) and (marks[line - 1] ^ marks[earlier - 1]) & _LOW:
            one, other = (self._root(marks[at - 1] & _LOW) for at in (line, earlier))
            if one != other:
                self._parents[max(one, other)] = min(one, other)
                self._joined.add(max(one, other))

    def _root(self, mark: int) -> int:
        parents = self._parents
        while parent := parents[mark]:
            parents[mark] = parents[parent] or parent  # so that the next look goes half as far
            mark = parent
        return mark

    def split(self, seed: int, fraction: float) -> Split:
        """Part the records; the same file, seed and fraction always give the same split.

        As many conversations validate as the fraction says, as nearly as whole groups allow: one at
        least if there are two groups with something to train, none otherwise.
        """
        conversations, pairs = self._conversations[:], self._pairs[:]
        opened, trained = sum(conversations), sum(pairs)
        roots = {mark: self._root(mark) for mark in self._joined}
        for mark, root in roots.items():
            conversations[root] += conversations[mark]
            pairs[root] += pairs[mark]
            pairs[mark] = 0
        groups = list(compress(range(_MARKS + 1), pairs))
        chosen = _choose(groups, conversations, seed, fraction)
        validating = bytearray(_MARKS + 1)
        for mark in chosen:
            validating[mark] = 1
        for mark, root in roots.items():
            validating[mark] = validating[root]
        there = sum(conversations[mark] for mark in chosen)
        pairs_there = sum(pairs[mark] for mark in chosen)
        return Split(
            seed=seed,
            fraction=fraction,
            validation_lines=[n for n, e in enumerate(self._marks, 1) if validating[e & _LOW]],
            training_conversations=opened + self._conversations_beyond - there,
            validation_conversations=there,
            training_pairs=trained + self._pairs_beyond - pairs_there,
            validation_pairs=pairs_there,
        )


def _put(kept: "array[int]", lines: Sequence[int], values: Sequence[int]) -> None:
    """Put values at their lines, all beyond those kept; the lines between get zeros."""
    if not lines:
        return
    start = len(kept) + 1
    if lines[0] == start and lines[-1] == start + len(lines) - 1:
        kept.extend(values)
        return
    kept.extend(_zeros(lines[-1] - len(kept)))
    for line, value in zip(lines, values, strict=True):
        kept[line - 1] = value


def _zeros(count: int) -> "array[int]":
    return array("I", bytes(4 * max(count, 0)))


def _choose(groups: Sequence[int], sizes: Sequence[int], seed: int, fraction: float) -> list[int]:
    """Take groups in an order that the seed decides while they fit; the smallest if none fits."""
    if len(groups) < 2:
        return []
    total = sum(sizes[mark] for mark in groups)
    wanted = min(max(round(fraction * total), 1), total - 1)
    factor = xxh3_64_intdigest(str(seed).encode()) | 1
    back = pow(factor, -1, _MARKS)
    places = sorted((mark - 1) * factor % _MARKS for mark in groups)
    chosen, left = [], wanted
    for place in places:
        mark = place * back % _MARKS + 1
        if sizes[mark] <= left:
            chosen.append(mark)
            left -= sizes[mark]
        if not left:
            break
    return chosen or [min(groups, key=sizes.__getitem__)]
