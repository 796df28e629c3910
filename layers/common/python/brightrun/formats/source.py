"""A file as one stream of JSON Lines, whatever it is: every tool reads records from here.

JSON Lines pass through as they are. Arrays, documents that wrap a list, indented objects, the
product's own whole files, CSV and gzip are taken apart on the way, in constant memory. What cannot
be read is told as a problem of the file, and gives no line.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

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
    shape_of,
    vote,
)
from brightrun.formats.documents import DocumentReader, Item, Place, Places, on_one_line
from brightrun.formats.errors import UnreadableFileError
from brightrun.formats.lines import LONGEST_LINE
from brightrun.formats.model import Format
from brightrun.formats.strict_json import DEEPEST, compact, parse_object
from brightrun.formats.tables import csv_records, delimiter_of, parquet_records
from brightrun.formats.v4_files import ENRICHED, V4_JSON, stored_pairs

HEAD_BYTES = 256 << 10
"""What is looked at before a file is read."""
_AROUND_PAIRS = 4  # levels of a whole file of ours around each of its pairs
_WHOLE_FILE_MARKS = (b'"training_pairs"', b'"training_file_metadata"')


class FileProblem(NamedTuple):
    """What is wrong with a file around its records, at which record or line."""

    code: str
    number: int
    detail: str = ""


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
        self._pointers: list[str] | None = None
        self._rest, self._number = b"", 0
        self._records: Iterator[bytes] | None = None
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
        try:
            if self._records is None:
                return self._text.read(size) if not self.is_refused else b""
            while len(self._rest) < size and (line := next(self._records, b"")):
                self._rest += line + b"\n"
        except UnreadableFileError as error:
            self.problems.append(FileProblem(error.code, max(self._number, 1), error.message))
            self._records = iter(())
        block, self._rest = self._rest[:size], self._rest[size:]
        return block

    def place(self, number: int) -> Place:
        """Where a record begins in the file."""
        return self._places.of(number) if self._places else Place(number, 1)

    def pointer(self, number: int) -> str:
        """The JSON pointer of a record in its document; empty where it is none."""
        if self._pointers is None or not 0 < number <= len(self._pointers):
            return ""
        return self._pointers[number - 1]

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
            self._stream(line.encode() for line in parquet_records(data))
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
            self._places, self._pointers = Places(), []
            self._stream(self._rows(delimiter))
            self._detect_streamed(None, "in CSV, ")
            return
        is_open = self._text is self._peeked and not self._peeked.is_all
        if is_open and b"\n" not in head.strip():
            head = self._peeked.extend(LONGEST_LINE)
        is_no_line = len(head) > LONGEST_LINE  # what stands alone in it is a document
        shape = shape_of(head, self._peeked.is_all or is_no_line)
        if shape.lists:
            self._refuse("several_lists", ", ".join(shape.lists))
        elif shape.shape is not None:
            self._open_document(head, shape.shape, shape.key)
        else:
            self._detect_lines(head)

    def _open_document(self, head: bytes, shape: int, key: str) -> None:
        self.problems.append(FileProblem("whole_json_document", 1))
        if head.startswith(BYTE_ORDER_MARK):
            self.problems.append(FileProblem("byte_order_mark", 1))
            self._text.read(len(BYTE_ORDER_MARK))
        self._places, self._pointers = Places(), []
        self._stream(self._items(DocumentReader(self._text, shape, key)))
        self._detect_streamed(shape, {1: "in a JSON array, "}.get(shape, "in the document, "))

    def _rows(self, delimiter: str) -> Iterator[bytes]:
        try:
            for line, row in csv_records(self._text, delimiter):
                self._number += 1
                self._place(Place(line, 1), "")
                yield row.encode()
        except UnreadableFileError as error:
            self._place(Place(error.details or 1, 1), "")
            self.problems.append(FileProblem(error.code, self._number + 1, error.message))

    def _items(self, document: DocumentReader) -> Iterator[bytes]:
        for item in document:
            whole, records = _kept(item) if self._keeps_conversations else _expanded(item)
            self._whole = self._whole or whole
            for pointer, line in records:
                self._number += 1
                self._place(item.start, pointer)
                yield line
        if document.fault:
            self._place(document.fault_at, "")
            self.problems.append(FileProblem("broken_document", self._number + 1, document.fault))

    def _place(self, start: Place, pointer: str) -> None:
        if self._places is not None and self._pointers is not None:
            self._places.add(start)
            self._pointers.append(pointer)

    def _stream(self, records: Iterator[bytes]) -> None:
        self._records = records

    def _detect_streamed(self, shape: int | None, where: str) -> None:
        records = self._records or iter(())
        first: list[bytes] = []
        size = 0
        for line in islice(records, LOOKED_AT):
            first.append(line)
            size += len(line)
            if size > HEAD_BYTES:
                break
        self._rest = b"".join(line + b"\n" for line in first)
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


def _kept(item: Item) -> tuple[None, Iterable[tuple[str, bytes]]]:
    return None, [(item.pointer, on_one_line(item.text))]


def _expanded(item: Item) -> tuple[Format | None, Iterable[tuple[str, bytes]]]:
    """The records of an item: the pairs of a conversation of ours, or the item itself.

    For the former also the whole file that holds such conversations.
    """
    if any(mark in item.text for mark in _WHOLE_FILE_MARKS):
        problems: list[Any] = []
        take = lambda *found, **more: problems.append((found, more))  # noqa: E731
        value = parse_object(item.text, take, DEEPEST + _AROUND_PAIRS)
        pairs = None if problems or value is None else stored_pairs(value)
        if pairs is not None:
            whole = ENRICHED if value and "dataset_metadata" in value else V4_JSON
            lines = ((item.pointer + place, compact(pair).encode()) for place, pair in pairs)
            return whole, lines
    text = item.text if len(item.text) <= LONGEST_LINE else item.text[: LONGEST_LINE + 1]
    return None, [(item.pointer, on_one_line(text))]
