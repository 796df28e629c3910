"""Takes a JSON document apart into its records, one at a time, in constant memory.

Three shapes: an array of records, an object that wraps a list of them, and objects one after the
other that stretch over several lines.
"""

import re
from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from brightrun.formats.containers import Readable
from brightrun.formats.rules import pointer

MOST_BYTES = 8 << 20
"""Of one item: a conversation with all its pairs; what is longer is cut there, and refused."""
_BLOCK = 256 << 10
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_TOKEN = re.compile(rb'"[^"]*"|["{}\[\],]')
_KEY = re.compile(rb'\s*"((?:[^"\\]|\\.)*)"\s*:\s*', re.DOTALL)
_SPACES = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\r\n]', re.DOTALL)
_LONGEST_KEY = 1024  # bytes of the key of the list, with the spaces around it
VALUES, ARRAY, WRAPPED = 0, 1, 2
"""The shapes, by how many brackets stand open around an item."""
_NOTHING, _OPENED, _ENDED, _VALUE = range(4)
"""What a bracket or a comma does: nothing; open the items; end one before it; end one with it."""


class Place(NamedTuple):
    """Where something stands in a file: lines and columns count from 1."""

    line: int
    column: int


class Item(NamedTuple):
    """One value of a document, as it stands there, where it begins, and its JSON pointer."""

    text: bytes
    start: Place
    pointer: str


class DocumentReader:
    """Yields the items of a document of one shape.

    `key` is the field with the list where the document wraps one. After the last item, `fault` says
    what is wrong with the brackets around the items, with line and column, and `fields` holds the
    small fields beside the list.
    """

    def __init__(self, source: Readable, shape: int, key: str = "") -> None:
        self._source = source
        self._shape = shape
        self._key = key
        self._in_list = shape != WRAPPED
        self._had_list = self._in_list
        self._depth = 0
        self._in_string = self._after_comma = self._is_closed = False
        self._parts: list[bytes] = []  # of the item that is being read
        self._size = 0
        self._line, self._column = 1, 1  # where that item begins
        self._count = 0
        self.fields: dict[str, Any] = {}
        self.fault = ""
        self.fault_at = Place(1, 1)

    def __iter__(self) -> Iterator[Item]:
        carry = b""
        while block := self._source.read(_BLOCK):
            block = carry + block
            slashes = len(block) - len(block.rstrip(b"\\"))
            carry = block[-1:] if slashes % 2 else b""
            yield from self._items(block[: len(block) - len(carry)])
            if self._is_closed and self.fault:
                return
        yield from self._last(carry)

    def _items(self, block: bytes) -> Iterator[Item]:
        masked = _ESCAPE.sub(b"__", block) if b"\\" in block else block
        start = 0
        for mark, at in self._marks(masked):
            event = self._take(mark, block[start:at] if at - start <= _LONGEST_KEY else b"")
            if event == _NOTHING:
                continue
            upto = at + 1 if event == _VALUE else at
            self._hold(block[start:upto])
            start = at + 1
            if event == _OPENED:
                self._forget()
                self._after_comma = False
            else:
                yield from self._item(mark)
            self._column += start - upto
        self._hold(block[start:])
        if self._is_closed and block[start:].strip():
            self._blame("more follows the end of the document", b"".join(self._parts))

    def _marks(self, masked: bytes) -> Iterator[tuple[bytes, int]]:
        """The brackets and commas outside of strings, with their places."""
        at = 0
        if self._in_string:
            at = masked.find(b'"') + 1
            self._in_string = at == 0
        if self._in_string:
            return
        for token in _TOKEN.finditer(masked, at):
            if len(token[0]) > 1:
                continue
            if token[0] == b'"':
                self._in_string = True
                return
            if self._is_closed:
                return
            yield token[0], token.start()

    def _take(self, mark: bytes, before: bytes) -> int:
        """Count a bracket or a comma; says what it ends or opens."""
        level = self._shape if self._in_list else 1
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
        opening = b"".join([*self._parts, before]) if self._size < _LONGEST_KEY else b""
        named = _KEY.fullmatch(opening)
        return named is not None and named[1].decode(errors="replace") == self._key

    def _hold(self, part: bytes) -> None:
        room = max(MOST_BYTES + 1 - self._size, 0)
        self._parts.append(part[:room])
        self._line += part[room:].count(b"\n")
        self._size += len(part)

    def _forget(self) -> bytes:
        """Go on after what was held; returns it."""
        held = b"".join(self._parts)
        self._line, self._column = after(held, Place(self._line, self._column))
        self._parts, self._size = [], 0
        return held

    def _item(self, mark: bytes) -> Iterator[Item]:
        """What ends at a comma or a bracket: a record in the list, a field beside it."""
        start = Place(self._line, self._column)
        held = self._forget()
        if not self._in_list:
            self._keep_field(held)
        elif held.strip():
            yield self._found(held, start)
        elif mark == b"," or self._after_comma:
            self._blame("a comma stands where a record is due")
        self._after_comma = mark == b","
        if self._shape == VALUES or mark == b",":
            return
        self._is_closed = self._depth == 0
        self._in_list = self._after_comma = False

    def _found(self, held: bytes, start: Place) -> Item:
        place = {WRAPPED: pointer(self._key, self._count), ARRAY: pointer(self._count)}
        self._count += 1
        return Item(held.strip(), _begin(held, start), place.get(self._shape, ""))

    def _keep_field(self, held: bytes) -> None:
        named = _KEY.match(held)
        if named is None or len(held) > MOST_BYTES:
            return
        try:
            value = msgspec.json.decode(held[named.end() :])
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return
        self.fields[named[1].decode(errors="replace")] = value

    def _last(self, carry: bytes) -> Iterator[Item]:
        """What stands at the end of the file, where nothing should be left open."""
        self._hold(carry)
        start = Place(self._line, self._column)
        held = self._forget()
        if self._in_list and held.strip():
            yield self._found(held, start)
        if self._shape != VALUES and not self._is_closed:
            self._blame("the document ends before its last bracket; it was cut off")

    def _blame(self, reason: str, held: bytes = b"") -> None:
        """Remember the first fault; it stands where the text begins that is held."""
        if not self.fault:
            self.fault_at = _begin(held, Place(self._line, self._column))
            self.fault = f"{reason}, line {self.fault_at.line}, column {self.fault_at.column}"


def _begin(held: bytes, start: Place) -> Place:
    """Where a text begins behind the spaces at its start, which stand at a place."""
    return after(held[: len(held) - len(held.lstrip())], start)


def after(text: bytes, start: Place) -> Place:
    """The place behind a text that stands at a place."""
    newlines = text.count(b"\n")
    if not newlines:
        return Place(start.line, start.column + len(text))
    return Place(start.line + newlines, len(text) - text.rfind(b"\n"))


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


def _without_break(found: re.Match[bytes]) -> bytes:
    return found[0].translate(_IN_TEXT if len(found[0]) > 1 else _AROUND_TEXT)


LINE_BREAK = "\r"
_IN_TEXT = bytes.maketrans(b"\r\n", b"\x01\r")
_AROUND_TEXT = bytes.maketrans(b"\r\n", b" \r")


class Places:
    """Where the items of a document begin, by their number from 1."""

    def __init__(self) -> None:
        self._lines, self._columns = array("Q"), array("Q")

    def add(self, place: Place) -> None:
        """Remember the next item's place."""
        self._lines.append(place.line)
        self._columns.append(place.column)

    def of(self, number: int) -> Place:
        """The place of an item; the first line for what is no item."""
        if 0 < number <= len(self._lines):
            return Place(self._lines[number - 1], self._columns[number - 1])
        return Place(1, 1)
