"""Tables as records: CSV with the names of its columns on top, and Parquet by pyarrow."""

import csv
import io
import re
from array import array
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from brightrun.formats.alpaca import ALPACA_NAMES, EXCHANGE_NAMES
from brightrun.formats.containers import BYTE_ORDER_MARK, Readable
from brightrun.formats.errors import UnreadableFileError
from brightrun.formats.fields import RECORD_FLAGS, SYSTEM_FIELDS
from brightrun.formats.strict_json import UNUSUAL, compact

LONGEST_CELL = 2 << 20
"""Characters of a cell, as of a record."""
_DELIMITERS = (",", "\t", ";", "|")
_MOST_COLUMNS = 100
_COLUMN = re.compile(r"[^{}\[\]<>]{0,64}")
_LETTER = re.compile(r"[^\W\d]")
_SEPARATOR = re.compile(r'"?sep=([^\w\s"]|\t)"?\r?(?:\n|$)', re.IGNORECASE)
"""What Excel takes for the sign between columns, on a line before their names."""
_BLOCK = 256 << 10
_BATCH = 16 << 10  # characters of the lines that are looked at together
_MARKS: dict[str, Any] = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": False, "true": True}
"""What marks of what to train look like in a table, where everything is text."""
_JSON_OPENINGS = ("[", "{")
_TEXT_COLUMNS = frozenset(
    name
    for names in (ALPACA_NAMES, EXCHANGE_NAMES)
    for name in (*names.question, *names.addition, *names.answer, *SYSTEM_FIELDS)
)
"""Columns whose cells are said or asked: JSON in them is an answer to learn, if no message."""
_MESSAGE_KEYS = ({"role", "content"}, {"role", "parts"}, {"from", "value"})
_ROWS_A_BATCH = 1000
_TOO_LARGE = 1 << 63  # for what strict parsers take for an integer

_encode = msgspec.json.Encoder().encode


def delimiter_of(head: bytes) -> str:
    """What parts the columns of a CSV file; empty for what is none.

    The first line says so (`sep=;`), or the first two rows have the same number of columns, at
    least two, and the first holds names.
    """
    text = head.removeprefix(BYTE_ORDER_MARK).decode(errors="replace")
    if said := _SEPARATOR.match(text):
        return said[1]
    if text.lstrip()[:1] in _JSON_OPENINGS:
        return ""
    for delimiter in _DELIMITERS:
        try:
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
            first, second = next(rows, []), next(rows, [])
        except csv.Error:
            continue
        names = _names(first)
        while len(second) > len(names) and not second[-1]:
            second.pop()
        fits = 2 <= len(names) <= _MOST_COLUMNS and len(second) in (0, len(names))
        if fits and all(map(_is_name, names)):
            return delimiter
    return ""


def _names(row: list[str]) -> list[str]:
    """The names of columns; the first one has none where pandas wrote its index.

    Columns without a name at the end are empty ones of a sheet.
    """
    names = [name.strip() for name in row]
    while names and not names[-1]:
        names.pop()
    return ["index", *names[1:]] if names and not names[0] else names


def _header(rows: Iterator[list[str]]) -> list[str]:
    """The names of columns; raises UnreadableFileError for two of one name."""
    first = next(rows, [])
    if first and first[0].casefold().startswith("sep=") and not any(first[1:]):
        first = next(rows, [])
    names = _names(first)
    _refuse_repeated(names)
    return names


def _is_name(column: str) -> bool:
    return bool(_COLUMN.fullmatch(column) and _LETTER.search(column))


def csv_records(source: Readable, delimiter: str) -> Iterator[tuple[Sequence[int], bytes]]:
    """The rows as JSON objects, many at a time: the lines that they begin on, and one on each line.

    An empty cell is absent, turns and marks of what to train are read as JSON. Raises
    UnreadableFileError, with its line as details, for a row that does not fit the names, or is no
    UTF-8; and for two columns of one name.
    """
    csv.field_size_limit(LONGEST_CELL)
    starts, records, size = array("Q"), list[bytes](), 0
    try:
        for lines, written in _numbered_rows(_Lines(_text_lines(source)), delimiter):
            starts.extend(lines)
            records += written
            size += sum(map(len, written))
            if size > _BLOCK:
                yield starts, b"\n".join(records)
                starts, records, size = array("Q"), [], 0
    except UnreadableFileError:
        if records:
            yield starts, b"\n".join(records)
        raise
    if records:
        yield starts, b"\n".join(records)


class _Lines:
    """The lines of a text, some of which are looked at before they are read; counts those read.

    What cannot be decoded raises UnicodeDecodeError after all lines before it.
    """

    def __init__(self, text: Iterable[str]) -> None:
        self._text = iter(text)
        self._error: UnicodeDecodeError | None = None
        self.ahead = deque[str]()
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self.ahead and not self.look():
            raise StopIteration
        self.read += 1
        return self.ahead.popleft()

    def look(self) -> bool:
        """Look at some more lines; returns False at the end."""
        size = 0
        try:
            for line in self._text if not self._error else ():
                self.ahead.append(line)
                size += len(line)
                if size > _BATCH:
                    break
        except UnicodeDecodeError as error:
            self._error = error
        if self._error and not self.ahead:
            raise self._error
        return bool(self.ahead)

    def skip(self) -> None:
        """Count all those as read that were looked at."""
        self.read += len(self.ahead)
        self.ahead.clear()


def _numbered_rows(lines: _Lines, delimiter: str) -> Iterator[tuple[Iterable[int], list[bytes]]]:
    """The rows with the lines that they begin on; many at once where all is plain."""
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    number = line = 0
    try:
        names, line = _header(rows), lines.read
        written = _row_writer(names)
        while lines.ahead or lines.look():
            records = _written_together(lines.ahead, delimiter, written)
            if records is not None:
                number += len(records)
                starts = [at for at, record in enumerate(records, line + 1) if record]
                lines.skip()
                yield starts, list(filter(None, records))
            while lines.ahead:
                row = next(rows)
                number += 1
                if (record := written(row)) is None:
                    detail = (
                        f"row {number}, line {line + 1}: {len(row)} cells, {len(names)} columns"
                    )
                    raise UnreadableFileError(detail, code="broken_table", details=line + 1)
                if record:
                    yield (line + 1,), [record]
                line = lines.read
            line = lines.read
    except csv.Error as error:
        detail = f"row {number + 1}, line {line + 1}: a quote that opens there is not closed"
        raise UnreadableFileError(detail, code="broken_table", details=line + 1) from error
    except UnicodeDecodeError as error:
        detail = f"somewhere after row {number}"
        raise UnreadableFileError(detail, code="invalid_utf8", details=line + 1) from error


Written = Callable[[list[str]], bytes | None]


def _row_writer(names: Sequence[str]) -> Written:
    """What writes a row as `compact` does: nothing of an empty one, None if it has too many cells.

    It does so at once where no cell can be anything but text.
    """
    flags = frozenset(RECORD_FLAGS)

    def written(row: list[str]) -> bytes | None:
        if len(row) > len(names) and any(row[len(names) :]):
            return None
        cells = dict(zip(names, row, strict=False))
        if "" in row:
            cells = {name: cell for name, cell in cells.items() if cell}
        text = _encode(cells) if cells else b""
        if text.find(b"{", 1) < 0 and b"[" not in text and flags.isdisjoint(cells):
            return text
        return compact({name: _cell(name, cell) for name, cell in cells.items()}).encode()

    return written


def _written_together(
    lines: Collection[str], delimiter: str, written: Written
) -> list[bytes] | None:
    """The rows of lines without a quote, equal ones written once; None if one is unusual."""
    if '"' in "".join(lines):
        return None
    once = list(dict.fromkeys(lines))
    try:
        rows = csv.reader(once, delimiter=delimiter, strict=True)
        record_of = dict(zip(once, map(written, rows), strict=True))
    except (csv.Error, ValueError):
        return None
    records = [record_of[line] for line in lines]
    return None if None in record_of.values() else [record or b"" for record in records]


def _cell(column: str, cell: str) -> Any:
    """A text as it stands, or what it says in JSON where that is messages, or no column of text."""
    if column in RECORD_FLAGS:
        return _MARKS.get(cell.strip().casefold(), cell)
    if cell.lstrip()[:1] not in _JSON_OPENINGS:
        return cell
    try:
        value = msgspec.json.decode(cell)
    except UNUSUAL:
        return cell
    return value if column not in _TEXT_COLUMNS or _is_messages(value) else cell


def _is_messages(value: Any) -> bool:
    turns = value if isinstance(value, list) else [value]
    return bool(turns) and all(
        isinstance(turn, dict) and any(keys <= turn.keys() for keys in _MESSAGE_KEYS)
        for turn in turns
    )


def _text_lines(source: Readable) -> Iterable[str]:
    return io.TextIOWrapper(
        io.BufferedReader(_Raw(source), _BLOCK), encoding="utf-8-sig", newline=""
    )


class _Raw(io.RawIOBase):
    """A source as the standard library takes it."""

    def __init__(self, source: Readable) -> None:
        self._source = source

    def readable(self) -> bool:
        """Yes: it is for nothing else."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as one read goes."""
        block = self._source.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def parquet_records(data: bytes) -> Iterator[str]:
    """Each row of a Parquet file as a JSON object; needs pyarrow, which the product does not bring.

    Text that is JSON is read as in CSV. Raises UnreadableFileError without pyarrow, for a file that
    it cannot read, and for two columns of one name.
    """
    try:
        from pyarrow import ArrowException, BufferReader
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise UnreadableFileError("pyarrow is not installed", code="file_is_parquet") from error
    number = 0
    try:
        file = ParquetFile(BufferReader(data))
        _refuse_repeated(file.schema_arrow.names)
        for batch in file.iter_batches(_ROWS_A_BATCH):
            for row in _rows(batch):
                yield compact({name: _value(name, value) for name, value in row.items()})
            number += batch.num_rows
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"after row {number}", code="invalid_utf8") from error
    except (ArrowException, OSError, ValueError, OverflowError) as error:
        raise UnreadableFileError("pyarrow cannot read it", code="file_is_damaged") from error


def _refuse_repeated(names: list[str]) -> None:
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UnreadableFileError(f"two columns are named '{twice}'", code="duplicate_key")


def _rows(batch: Any) -> list[dict[str, Any]]:
    """The rows of a batch, in values that Python has."""
    import pyarrow

    schema = pyarrow.schema([field.with_type(_readable(field.type)) for field in batch.schema])
    table = pyarrow.Table.from_batches([batch]).cast(schema, safe=False)
    rows: list[dict[str, Any]] = table.to_pylist(maps_as_pydicts="lossy")
    return rows


def _readable(kind: Any) -> Any:
    """A type of pyarrow without times that Python cannot hold: nanoseconds, and the year 10000."""
    from pyarrow import duration, string, types

    if types.is_timestamp(kind) or types.is_date(kind) or types.is_time(kind):
        return string()
    if types.is_duration(kind):
        return duration("us")
    if types.is_dictionary(kind):
        return _readable(kind.value_type)
    return _readable_inside(kind) if types.is_nested(kind) else kind


def _readable_inside(kind: Any) -> Any:
    from pyarrow import list_, map_, struct, types

    if types.is_struct(kind):
        return struct([field.with_type(_readable(field.type)) for field in kind])
    if types.is_map(kind):
        return map_(_readable(kind.key_type), _readable(kind.item_type))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return list_(kind.value_field.with_type(_readable(kind.value_type)))
    return kind


def _value(column: str, value: Any) -> Any:
    plain = _plain(value)
    return _cell(column, plain) if isinstance(plain, str) else plain


def _plain(value: Any) -> Any:
    """A value of a table as JSON has it; times become text, NaN is absent."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, bytes):
        return _text_of(value)
    if isinstance(value, Decimal):
        return _number(value)
    return value if value is None or isinstance(value, str | int | bool) else str(value)


def _text_of(value: bytes) -> Any:
    """Bytes as the text that they nearly always are; as an object where nothing may learn them."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}


def _number(value: Decimal) -> int | float | str:
    """A decimal as a number that is equal to it, or else as text."""
    if value == int(value):
        return int(value) if abs(value) < _TOO_LARGE else str(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
