"""Takes a JSON document apart into its records, one at a time, in constant memory.

Three shapes: an array of records, an object that wraps a list of them, and objects one after the
other that stretch over several lines.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import NamedTuple

import msgspec

from brightrun.formats.chat import MESSAGE_NAMES
from brightrun.formats.containers import Readable
from brightrun.formats.rules import pointer

MOST_BYTES = 8 << 20
"""Of one item: a conversation with all its pairs; what is longer is cut there, and refused."""
_BLOCK = 256 << 10
_DEEPEST = 12  # levels of brackets in items that are read together; deeper ones are read alone
_FEW = 16  # items that are read alone before several are tried together again
_IN_STRING = rb'[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRING_END = re.compile(_IN_STRING, re.DOTALL)
_AROUND = b", \t\n\r\v\f"
_KEY = re.compile(rb'\s*"((?:[^"\\]|\\.)*)"\s*:\s*', re.DOTALL)
_SPACES = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\r\n]', re.DOTALL)
_LONGEST_KEY = 1024  # bytes of the key of the list, with the spaces around it
VALUES, ARRAY, WRAPPED = 0, 1, 2
"""The shapes, by how many brackets stand open around an item."""
_NOTHING, _OPENED, _ENDED, _VALUE = range(4)
"""What a bracket or a comma does: nothing; open the items; end one before it; end one with it."""


_PLAIN = rb'[^"\\{}\[\],]++|"%b|\\.' % _IN_STRING
_MARK = re.compile(rb'(?:%b)*+(["{}\[\],])' % _PLAIN, re.DOTALL)
"""The next bracket or comma, or a quote that opens a text without an end."""


@cache
def _nested() -> bytes:
    """A pattern of brackets with all that stands in them, down to some levels."""
    nested = b""
    for _ in range(_DEEPEST):
        inside = rb"(?:,|%b%b)*+" % (_PLAIN, nested and b"|" + nested)
        nested = rb"[{\[]%b[}\]]" % inside
    return nested


@cache
def _items_pattern(shape: int) -> re.Pattern[bytes]:
    """Finds items as long as one follows the other, each with what ends it; then all the rest."""
    item = rb"(?:%b)*+(?:%b|[}\],])" if shape == VALUES else rb"(?:%b|%b)*+,"
    return re.compile(rb"(%b)|.+" % (item % (_PLAIN, _nested())), re.DOTALL)


@cache
def _bracket_pattern() -> re.Pattern[bytes]:
    """Finds the next bracket that is closed or opened elsewhere, or a quote as `_MARK` does."""
    return re.compile(rb'(?:,|%b|%b)*+(["{}\[\]])' % (_PLAIN, _nested()), re.DOTALL)


_TURNS = pointer(MESSAGE_NAMES.turns)


class OfTurns(str):
    """The JSON pointer of a list of turns, which is read as if `messages` stood before it."""

    __slots__ = ()


class Place(NamedTuple):
    """Where something stands in a file: lines and columns count from 1; and its JSON pointer."""

    line: int
    column: int
    pointer: str = ""

    def pointer_to(self, inside: str) -> str:
        """The JSON pointer of what has one inside of the record that stands here."""
        of_turns = isinstance(self.pointer, OfTurns)
        return self.pointer + (inside.removeprefix(_TURNS) if of_turns else inside)

    def after(self, text: bytes, start: int, end: int) -> "Place":
        """The place that so much text later is."""
        newlines = text.count(b"\n", start, end)
        column = end - text.rfind(b"\n", start, end) if newlines else self.column + end - start
        return Place(self.line + newlines, column, self.pointer)


@dataclass(slots=True, kw_only=True)
class Run:
    """Items of a document one after the other, as they stand there.

    `parts` are they with all around them, from `start` of `text`, which stands at `place` in the
    file. `pointer` is that of their list, None where they are in none, and `first` the number of
    the first of them in it.
    """

    items: list[bytes]
    parts: Sequence[bytes]
    text: bytes
    start: int = 0
    place: Place
    pointer: str | None
    first: int
    starts: Sequence[int] = ()

    def where(self, at: int) -> Place:
        """The place of one of the items, from 0."""
        if not self.starts:
            starts = accumulate(map(len, self.parts), initial=self.start)
            self.starts = [
                start + len(part) - len(part.lstrip())
                for part, start in zip(self.parts, starts, strict=False)
                if part.strip(_AROUND)
            ]
        found = self.place.after(self.text, self.start, self.starts[at])
        if self.pointer is None:
            return found
        return found._replace(pointer=f"{self.pointer}{pointer(self.first + at)}")


class DocumentReader:
    """Yields the items of a document of one shape, those together that stand in one block of it.

    `key` is the field with the list where the document wraps one. After the last item, `fault` says
    what is wrong with the brackets around the items, with line and column.
    """

    def __init__(self, source: Readable, shape: int, key: str = "") -> None:
        self._source = source
        self._shape = shape
        self._key = key
        self._pointer = {ARRAY: "", WRAPPED: pointer(key)}.get(shape)
        self._find = _items_pattern(shape).findall
        self._bracket = _bracket_pattern()
        self._in_list = shape != WRAPPED
        self._had_list = self._in_list
        self._depth = 0
        self._in_string = self._after_comma = self._is_closed = False
        self._parts: list[bytes] = []  # of the item that is being read
        self._size = 0
        self._line, self._column = 1, 1  # where that item begins
        self._count = 0
        self.fault = ""
        self.fault_at = Place(1, 1)

    def __iter__(self) -> Iterator[Run]:
        carry = b""
        while block := self._source.read(_BLOCK):
            block = carry + block
            slashes = len(block) - len(block.rstrip(b"\\"))
            carry = block[-1:] if slashes % 2 else b""
            yield from self._runs(block[: len(block) - len(carry)])
            if self._is_closed and self.fault:
                return
        yield from self._last(carry)

    def _runs(self, block: bytes) -> Iterator[Run]:
        at = alone = 0
        while at < len(block):
            if self._is_between and not alone:
                size, run = self._read_together(block, at)
                at, alone = at + size, 1 if size else _FEW
            else:
                at, run = self._read_alone(block, at)
                alone = max(alone - 1, 0)
            if run is not None:
                yield run

    @property
    def _is_between(self) -> bool:
        """True where an item is due, and nothing of it was read."""
        is_open = self._in_list and not self._in_string and not self._size
        return is_open and self._depth == self._level

    @property
    def _level(self) -> int:
        """How many brackets are open around an item, or around the fields beside the list."""
        return self._shape if self._in_list else 1

    def _read_together(self, block: bytes, start: int) -> tuple[int, Run | None]:
        """Read items as long as nothing is unusual; returns how many bytes of them."""
        parts = self._find(block, start)
        if parts and not parts[-1]:
            parts.pop()  # stands for all the rest
        items = [part.strip(_AROUND) for part in parts]
        if not all(items):
            first = items.index(b"") if not self.fault else len(items)  # it is to be blamed
            parts, items = parts[:first], [item for item in items[:first] if item]
        if not parts:
            return 0, None
        size = sum(map(len, parts))
        run = self._run(items, parts, block, start)
        place = Place(self._line, self._column).after(block, start, start + size)
        self._line, self._column, _ = place
        self._after_comma = parts[-1].endswith(b",")
        return size, run if items else None

    def _run(self, items: list[bytes], parts: Sequence[bytes], text: bytes, start: int = 0) -> Run:
        """Items from where the reader stands."""
        first, self._count = self._count, self._count + len(items)
        return Run(
            items=items,
            parts=parts,
            text=text,
            start=start,
            place=Place(self._line, self._column),
            pointer=self._pointer,
            first=first,
        )

    def _read_alone(self, block: bytes, at: int) -> tuple[int, Run | None]:
        """Read up to the next item's end, or to the block's; returns where that is."""
        start, level = at, self._level
        if self._is_closed:
            return self._read_rest(block, at)
        if self._in_string:
            found = _STRING_END.match(block, at)
            self._in_string = found is None
            at = found.end() if found else len(block)
        innermost = max(level, 1)
        while found := (self._bracket if self._depth > level else _MARK).match(block, at):
            mark, at = found[1], found.end()
            if mark == b'"':
                self._in_string = True
                break
            if self._depth > level and mark in b"{[":
                self._depth += 1
            elif self._depth > innermost and mark != b",":
                self._depth -= 1
            elif event := self._take(mark, block[start : at - 1]):
                return at, self._end(event, mark, block[start : at - (event != _VALUE)])
        self._hold(block[start:])
        return len(block), None

    def _read_rest(self, block: bytes, at: int) -> tuple[int, None]:
        self._hold(block[at:])
        if block[at:].strip():
            self._blame("more follows the end of the document", b"".join(self._parts))
        return len(block), None

    def _end(self, event: int, mark: bytes, part: bytes) -> Run | None:
        """Go on after what was held and a last part of it; the item, if it was one."""
        self._hold(part)
        run = None
        if event == _OPENED:
            self._forget()
            self._after_comma = False
        else:
            run = self._item(mark)
        self._column += event != _VALUE
        return run

    def _take(self, mark: bytes, before: bytes) -> int:
        """Count a bracket or a comma; says what it ends or opens."""
        level = self._level
        if mark == b",":
            return _ENDED if self._depth == level else _NOTHING
        if mark in (b"{", b"["):
            self._depth += 1
            if self._shape != VALUES and self._depth == 1:
                return _OPENED
            if mark == b"[" and self._depth == 2 and not self._had_list and self._is_key(before):
                self._in_list = self._had_list = True
                return _OPENED
            return _NOTHING
        depth, self._depth = self._depth, max(self._depth - 1, 0)
        if self._shape == VALUES:
            return _VALUE if depth <= 1 else _NOTHING
        return _ENDED if depth == level else _NOTHING

    def _is_key(self, before: bytes) -> bool:
        if self._size + len(before) > 2 * _LONGEST_KEY:
            return False
        named = _KEY.fullmatch(b"".join([*self._parts, before]))
        return named is not None and named[1].decode(errors="replace") == self._key

    def _hold(self, part: bytes) -> None:
        room = max(MOST_BYTES + 1 - self._size, 0)
        self._parts.append(part[:room])
        self._line += part[room:].count(b"\n")
        self._size += len(part)

    def _forget(self) -> None:
        """Go on after what was held."""
        held = b"".join(self._parts)
        place = Place(self._line, self._column).after(held, 0, len(held))
        self._line, self._column, _ = place
        self._parts, self._size = [], 0

    def _item(self, mark: bytes) -> Run | None:
        """What ends at a comma or a bracket: a record in the list, or nothing to be read."""
        run = self._held_item()
        if run is None and self._in_list and (mark == b"," or self._after_comma):
            self._blame("a comma stands where a record is due")
        self._after_comma = mark == b","
        if self._shape != VALUES and mark != b",":
            self._is_closed = self._depth == 0
            self._in_list = self._after_comma = False
        return run

    def _held_item(self) -> Run | None:
        held = b"".join(self._parts)
        is_item = self._in_list and held.strip()
        run = self._run([held.strip()], [held], held) if is_item else None
        self._forget()
        return run

    def _last(self, carry: bytes) -> Iterator[Run]:
        """What stands at the end of the file, where nothing should be left open."""
        self._hold(carry)
        run = self._held_item()
        if run is not None:
            yield run
        if self._shape != VALUES and not self._is_closed:
            self._blame("the document ends before its last bracket; it was cut off")

    def _blame(self, reason: str, held: bytes = b"") -> None:
        """Remember the first fault; it stands where the text begins that is held."""
        if not self.fault:
            spaces = len(held) - len(held.lstrip())
            self.fault_at = Place(self._line, self._column).after(held, 0, spaces)
            self.fault = f"{reason}, line {self.fault_at.line}, column {self.fault_at.column}"


def on_one_line(text: bytes) -> bytes:
    """A value without line breaks; what is no JSON stays as long as it was, so that places count.

    There each line break becomes LINE_BREAK, which JSON takes for a space, and allows in no text.
    """
    if b"\n" not in text and b"\r" not in text:
        return text
    try:
        return msgspec.json.format(text, indent=-1)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return _SPACES.sub(_without_break, text.replace(b"\r\n", b" \n"))


def on_one_line_each(texts: Sequence[bytes]) -> list[bytes]:
    """The same for each of some items that stand in one list; those that are JSON all at once."""
    lines = list(texts)
    several = [at for at, text in enumerate(texts) if b"\n" in text or b"\r" in text]
    try:
        written = msgspec.json.format(b"[%b]" % b",".join([texts[at] for at in several]), indent=-1)
    except (msgspec.DecodeError, RecursionError, ValueError):
        found = []
    else:
        found = [part[:-1] for part in _items_pattern(ARRAY).findall(written[1:-1] + b",")]
    if len(found) != len(several) or not all(found):  # one is no JSON, or very deep
        found = [on_one_line(texts[at]) for at in several]
    for at, line in zip(several, found, strict=True):
        lines[at] = line
    return lines


def _without_break(found: re.Match[bytes]) -> bytes:
    return found[0].translate(_IN_TEXT if len(found[0]) > 1 else _AROUND_TEXT)


LINE_BREAK = "\r"
_IN_TEXT = bytes.maketrans(b"\r\n", b"\x01\r")
_AROUND_TEXT = bytes.maketrans(b"\r\n", b" \r")


Where = Callable[[int], Place]
"""Gives the place of each of some records, counted from 0."""


class Places:
    """Where the first record of a file stands, and those that were added last."""

    def __init__(self) -> None:
        self._first = Place(1, 1)
        self._count = self._size = 0
        self._numbers: list[int] = []  # of the first record of each group that is remembered
        self._ends: list[int] = []  # bytes up to the end of each
        self._groups: list[Where] = []

    def add(self, count: int, size: int, where: Where) -> None:
        """Remember where the next so many records stand, which take so many bytes."""
        if not self._count:
            self._first = where(0)
        self._numbers.append(self._count + 1)
        self._groups.append(where)
        self._count += count
        self._size += size
        self._ends.append(self._size)

    def forget(self, size: int) -> None:
        """Forget all in the first so many bytes but the very first record, and the last group."""
        gone = min(bisect_right(self._ends, size), len(self._ends) - 1)
        if gone > 0:
            del self._numbers[:gone], self._ends[:gone], self._groups[:gone]

    def of(self, number: int) -> Place:
        """The place of a record by its number from 1; of the first one for those after the last."""
        if number < 1:
            return Place(1, 1)
        group = bisect_right(self._numbers, number) - 1
        if group < 0 or number > self._count:
            return self._first
        return self._groups[group](number - self._numbers[group])
