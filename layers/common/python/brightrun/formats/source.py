"""A file as one stream of JSON Lines, whatever it is: every tool reads records from here.

JSON Lines pass through as they are. Arrays, documents that wrap a list, indented objects, the
product's own whole files, CSV and gzip are taken apart on the way, in constant memory. What cannot
be read is told as a problem of the file, and gives no line.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from brightrun.formats.codes import Severity, codes, message_of
from brightrun.formats.containers import (
    BYTE_ORDER_MARK,
    MOST_PACKINGS,
    Gunzip,
    Peeked,
    Readable,
    Translated,
    is_gzip,
    kind_of,
)
from brightrun.formats.detect import (
    LOOKED_AT,
    Detection,
    are_turns,
    is_server_row,
    shape_of,
    vote,
)
from brightrun.formats.documents import (
    LINE_BREAK,
    DocumentReader,
    OfTurns,
    Place,
    Places,
    Run,
    Where,
    on_one_line,
    on_one_line_each,
)
from brightrun.formats.errors import UnreadableFileError
from brightrun.formats.lines import LONGEST_LINE
from brightrun.formats.model import Format
from brightrun.formats.rules import pointer
from brightrun.formats.strict_json import DEEPEST, UNUSUAL, column_behind, compact, parse_object
from brightrun.formats.tables import csv_records, delimiter_of, parquet_records
from brightrun.formats.v4_files import ENRICHED, V4_JSON, stored_pairs

HEAD_BYTES = 256 << 10
"""What is looked at before a file is read."""
_AROUND_PAIRS = 4  # levels of a whole file of ours around each of its pairs
_WHOLE_FILE_MARKS = (b'"training_pairs"', b'"training_file_metadata"')


class FileProblem(NamedTuple):
    """What is wrong with a file around its records, at which record or line; 0 is none of them."""

    code: str
    number: int
    detail: str = ""

    @property
    def message(self) -> str:
        """What it is, in a sentence, without how to mend it."""
        return message_of(self.code, self.detail)


class RecordSource:
    """The records of a file as JSON Lines, to be read once from beginning to end.

    `detection` says what most of the first records are, None while none is known. `problems` grow
    while it is read; one that `is_refused` gives no record at all. `size` (bytes) and `sha256` are
    those of the file itself. `reads_parquet` asks for pyarrow, and holds the file in memory.
    `keeps_conversations` gives conversations of the product whole, not pair by pair.
    """

    def __init__(
        self, source: Readable, *, reads_parquet: bool = False, keeps_conversations: bool = False
    ) -> None:
        self.problems: list[FileProblem] = []
        self.is_refused = False
        self.detection: Detection | None = None
        self._file = _Hashed(source)
        self._packing = ""
        self._keeps_conversations = keeps_conversations
        self._whole: Format | None = None
        self._places: Places | None = None
        self._rest, self._delivered, self._number = memoryview(b""), 0, 0
        self._records: Iterator[bytes] | None = None  # some at a time, each with a newline
        self._peeked = Peeked(self._file, HEAD_BYTES)
        self._text: Readable = self._peeked
        try:
            self._open(reads_parquet)
        except UnreadableFileError as error:
            self._refuse(error.code, error.message)

    @property
    def is_lines(self) -> bool:
        """True for JSON Lines, whose numbers are those of the file's lines."""
        return self._records is None

    @property
    def unit(self) -> str:
        """What numbers count: lines of the file, or its items."""
        return "line" if self.is_lines else "item"

    @property
    def size(self) -> int:
        """Bytes of the file that were read."""
        return self._file.size

    def sha256(self) -> str:
        """The digest of what was read of the file, as hex."""
        return self._file.digest.hexdigest()

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes of JSON Lines, none at the end."""
        if self._records is None:
            return self._read_text(size)
        parts, missing = [self._rest], size - len(self._rest)
        while missing > 0 and (lines := self._next_lines(self._records)):
            parts.append(memoryview(lines))
            missing -= len(lines)
        rest = parts[0] if len(parts) == 1 else memoryview(b"".join(parts))
        block, self._rest = bytes(rest[:size]), rest[size:]
        if block and self._places:
            self._places.forget(self._delivered)
            self._delivered += len(block)
        return block

    def _read_text(self, size: int) -> bytes:
        try:
            return self._text.read(size) if not self.is_refused else b""
        except UnreadableFileError as error:
            self._end_at(error)
            return b""

    def _next_lines(self, records: Iterator[bytes]) -> bytes:
        try:
            return next(records, b"")
        except UnreadableFileError as error:
            self._end_at(error)
            return b""

    def _end_at(self, error: UnreadableFileError) -> None:
        self.problems.append(FileProblem(error.code, max(self._number, 1), error.message))
        self._records = iter(())

    def errors(self) -> list[FileProblem]:
        """What keeps the file around its records from use; known at its end."""
        return [one for one in self.problems if codes()[one.code].severity is Severity.ERROR]

    def where(self, number: int) -> str:
        """Where a record stands, in words."""
        place = self.place(number)
        if self.is_lines:
            return f"line {number}"
        return f"item {number}, line {place.line}, column {place.column}"

    def where_behind(self, number: int, before: str) -> str:
        """Where something stands in the file behind so much of a record, in words."""
        if self.is_lines:
            return column_behind(before)
        lines, start = before.split(LINE_BREAK), self.place(number)
        column = len(lines[-1]) + (start.column if len(lines) == 1 else 1)
        return f"line {start.line + len(lines) - 1}, column {column}"

    def place(self, number: int) -> Place:
        """Where a record begins in the file, the first one or one of the block that was read last.

        Its JSON pointer is empty where the file is no document.
        """
        return self._places.of(number) if self._places else Place(number, 1)

    def finish(self) -> None:
        """Read the rest of the file, so that its size and digest are those of all of it."""
        while self._file.read(HEAD_BYTES):
            pass

    def _open(self, reads_parquet: bool) -> None:
        for _ in range(MOST_PACKINGS):
            if not is_gzip(self._peeked.head):
                break
            self._packing = ", packed by gzip"
            self._text = self._peeked = Peeked(Gunzip(self._text), HEAD_BYTES)
        head = self._peeked.head
        kind = "file_is_archive" if is_gzip(head) else kind_of(head)
        if kind == "file_is_parquet" and reads_parquet:
            data = b"".join(iter(lambda: self._text.read(HEAD_BYTES), b""))
            self._records = (f"{line}\n".encode() for line in parquet_records(data))
            self._detect_streamed(None, "in Parquet, ")
        elif kind:
            self._refuse(kind, "packed by gzip, to be unpacked first" if self._packing else "")
        else:
            self._open_text(head)

    def _open_text(self, head: bytes) -> None:
        if b"\r" in head and b"\n" not in head:
            self.problems.append(FileProblem("cr_line_ends", 1))
            self._text = Translated(self._text, lambda block: block.replace(b"\r", b"\n"))
            head = head.replace(b"\r", b"\n")
        if delimiter := delimiter_of(head):
            self._places = Places()
            self._records = self._rows(delimiter, self._places)
            self._detect_streamed(None, "in CSV, ")
            return
        is_open = self._text is self._peeked and not self._peeked.is_all
        if is_open and b"\n" not in head.strip():
            head = self._peeked.extend(LONGEST_LINE)
        is_no_line = len(head) > LONGEST_LINE  # what stands alone in it is a document
        shape = shape_of(head, self._peeked.is_all or is_no_line)
        for name in shape.beside:
            detail = f"the list '{name}' beside '{shape.key}'"
            self.problems.append(FileProblem("extra_field", 0, detail))
        if shape.lists:
            self._refuse("several_lists", ", ".join(shape.lists))
        elif shape.shape is not None:
            self._open_document(head, shape.shape, shape.key)
        else:
            self._detect_lines(head)

    def _open_document(self, head: bytes, shape: int, key: str) -> None:
        self.problems.append(FileProblem("whole_json_document", 0))
        if head.startswith(BYTE_ORDER_MARK):
            self.problems.append(FileProblem("byte_order_mark", 0))
            self._text.read(len(BYTE_ORDER_MARK))
        self._places = Places()
        self._records = self._items(DocumentReader(self._text, shape, key), self._places)
        self._detect_streamed(shape, {1: "in a JSON array, "}.get(shape, "in the document, "))

    def _rows(self, delimiter: str, places: Places) -> Iterator[bytes]:
        try:
            for starts, rows in csv_records(self._text, delimiter):
                where = partial(_start_of_row, starts)
                yield self._lines(rows, len(starts), where, places)
        except UnreadableFileError as error:
            places.add(1, 0, partial(_start_of_row, [error.details or 1]))
            self.problems.append(FileProblem(error.code, self._number + 1, error.message))

    def _items(self, document: DocumentReader, places: Places) -> Iterator[bytes]:
        for run in document:
            joined = b"\n".join(run.items)
            if not self._keeps_conversations and _may_expand(run, joined):
                yield from self._expanded(run, places)
                continue
            if len(joined) > LONGEST_LINE and not self._keeps_conversations:
                joined = on_one_line(joined[: LONGEST_LINE + 1])  # of one item, if it is so long
            elif joined.count(b"\n") >= len(run.items) or b"\r" in joined:
                joined = b"\n".join(on_one_line_each(run.items))
            yield self._lines(joined, len(run.items), run.where, places)
        if document.fault:
            places.add(1, 0, lambda _: document.fault_at)
            self.problems.append(FileProblem("broken_document", self._number + 1, document.fault))

    def _lines(self, joined: bytes, count: int, where: Where, places: Places) -> bytes:
        self._number += count
        places.add(count, len(joined) + 1, where)
        return joined + b"\n"

    def _expanded(self, run: Run, places: Places) -> Iterator[bytes]:
        """The records of items: the pairs of a conversation of ours, or the item itself."""
        for at, item in enumerate(run.items):
            whole, records = _expanded(item)
            if self._number < LOOKED_AT:
                self._whole = self._whole or whole
            lines = [line for _, line in records]
            if lines:
                place = run.where(at)
                found = [place._replace(pointer=_joined(place.pointer, one)) for one, _ in records]
                yield self._lines(b"\n".join(lines), len(lines), found.__getitem__, places)

    def _first_lines(self) -> Iterator[bytes]:
        for lines in self._records or ():
            self._rest = memoryview(bytes(self._rest) + lines)
            yield from lines.split(b"\n")[:-1]

    def _detect_streamed(self, shape: int | None, where: str) -> None:
        first: list[bytes] = []
        size = 0
        for line in islice(self._first_lines(), LOOKED_AT):
            first.append(line)
            size += len(line)
            if size > HEAD_BYTES:
                break
        found = vote(first)
        if found and self._whole:
            found = (self._whole, found[1])
        self._set_detection(found, where, shape)

    def _detect_lines(self, head: bytes) -> None:
        lines = head.removeprefix(BYTE_ORDER_MARK).split(b"\n")
        self._set_detection(vote(lines[:LOOKED_AT]), "", None)

    def _set_detection(self, found: Any, where: str, shape: int | None) -> None:
        if found:
            self.detection = Detection(found[0], f"{where}{found[1]}{self._packing}", shape)

    def _refuse(self, code: str, detail: str) -> None:
        self.problems.append(FileProblem(code, 1, detail))
        self.is_refused = True
        self._records = None


class _Hashed:
    """Counts and digests what is read of a file."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self.digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int, /) -> bytes:
        block = self._source.read(size)
        self.digest.update(block)
        self.size += len(block)
        return block


def _may_expand(run: Run, joined: bytes) -> bool:
    """True for items of which one may be something around its record, or around several."""
    marks = (*_WHOLE_FILE_MARKS, _SERVER_ROW)
    return any(mark in joined for mark in marks) or any(item.startswith(b"[") for item in run.items)


def _unwrapped(item: bytes) -> tuple[str, bytes]:
    """The record in an item, with its pointer there: turns get a name, a row loses its number.

    A row of which the datasets server left out a part stays as it is, and is refused by that.
    """
    if not item.startswith(b"[") and _SERVER_ROW not in item:
        return "", item
    try:
        value = msgspec.json.decode(item)
    except UNUSUAL:
        return "", item
    if are_turns(value):
        return OfTurns(), b'{"messages":%b}' % item
    if is_server_row(value) and not value.get("truncated_cells"):
        return pointer("row"), bytes(msgspec.json.decode(item, type=_ServerRow).row)
    return "", item


class _ServerRow(msgspec.Struct):
    row: msgspec.Raw


_SERVER_ROW = b'"row_idx"'


def _start_of_row(lines: Sequence[int], at: int) -> Place:
    return Place(lines[at], 1)


def _expanded(item: bytes) -> tuple[Format | None, Sequence[tuple[str, bytes]]]:
    """The records of an item with their pointers inside it.

    For a conversation of ours also the whole file that holds such conversations.
    """
    around, item = _unwrapped(item)
    if any(mark in item for mark in _WHOLE_FILE_MARKS):
        problems: list[Any] = []
        take = lambda *found, **more: problems.append((found, more))  # noqa: E731
        value = parse_object(item, take, DEEPEST + _AROUND_PAIRS)
        pairs = None if problems or value is None else stored_pairs(value)
        if pairs is not None:
            whole = ENRICHED if value and "dataset_metadata" in value else V4_JSON
            return whole, [(around + place, compact(pair).encode()) for place, pair in pairs]
    text = item if len(item) <= LONGEST_LINE else item[: LONGEST_LINE + 1]
    return None, [(around, on_one_line(text))]


def _joined(of_item: str, inside: str) -> str:
    return OfTurns(of_item) if isinstance(inside, OfTurns) else of_item + inside
