"""Tables as records: CSV with the names of its columns on top, and Parquet by pyarrow."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from brightrun.formats.containers import BYTE_ORDER_MARK, Readable
from brightrun.formats.errors import UnreadableFileError
from brightrun.formats.fields import METADATA, RECORD_FLAGS, TURN_NAMES
from brightrun.formats.strict_json import UNUSUAL, compact

LONGEST_CELL = 2 << 20
"""Characters of a cell, as of a record."""
_DELIMITERS = (",", "\t", ";", "|")
_MOST_COLUMNS = 100
_COLUMN = re.compile(r"[^{}\[\]<>]{0,64}")
_LETTER = re.compile(r"[^\W\d]")
_BLOCK = 256 << 10
_STRUCTURED = frozenset({METADATA, "history", "conversation_history"})
_MARKS: dict[str, Any] = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": False, "true": True}
"""What marks of what to train look like in a table, where everything is text."""
_JSON_OPENINGS = ("[", "{")


def delimiter_of(head: bytes) -> str:
    """What parts the columns of a CSV file; empty for what is none.

    The first two rows have the same number of columns, at least two, and the first holds names.
    """
    text = head.removeprefix(BYTE_ORDER_MARK).decode(errors="replace")
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
        if fits and len(set(names)) == len(names) and all(map(_is_name, names)):
            return delimiter
    return ""


def _names(row: list[str]) -> list[str]:
    """The names of columns; the first one has none where pandas wrote its index."""
    names = [name.strip() for name in row]
    return ["index", *names[1:]] if names and not names[0] else names


def _is_name(column: str) -> bool:
    return bool(_COLUMN.fullmatch(column) and _LETTER.search(column))


def csv_records(source: Readable, delimiter: str) -> Iterator[tuple[int, str]]:
    """Each row as a JSON object, with the line that it begins on.

    An empty cell is absent, turns and marks of what to train are read as JSON. Raises
    UnreadableFileError, with its line as details, for a row that does not fit the names, or is no
    UTF-8.
    """
    csv.field_size_limit(LONGEST_CELL)
    rows = csv.reader(_text_lines(source), delimiter=delimiter, strict=True)
    number = line = 0
    try:
        names, line = _names(next(rows, [])), rows.line_num
        for number, row in enumerate(rows, 1):
            if any(row[len(names) :]):
                detail = f"row {number}, line {line + 1}: {len(row)} cells, {len(names)} columns"
                raise UnreadableFileError(detail, code="broken_table", details=line + 1)
            if any(row):
                cells = zip(names, row, strict=False)
                yield line + 1, compact({name: _cell(name, cell) for name, cell in cells if cell})
            line = rows.line_num
    except csv.Error as error:
        detail = f"row {number + 1}, line {line + 1}: a quote that opens there is not closed"
        raise UnreadableFileError(detail, code="broken_table", details=line + 1) from error
    except UnicodeDecodeError as error:
        detail = f"somewhere after row {number}"
        raise UnreadableFileError(detail, code="invalid_utf8", details=line + 1) from error


def _cell(name: str, cell: str) -> Any:
    if name in RECORD_FLAGS:
        return _MARKS.get(cell.strip().casefold(), cell)
    if cell.lstrip()[:1] in _JSON_OPENINGS:
        import msgspec

        try:
            value = msgspec.json.decode(cell)
        except UNUSUAL:
            return cell
        return value if name in _STRUCTURED or _are_turns(value) else cell
    return cell


def _are_turns(value: Any) -> bool:
    """True for turns; an answer may be JSON too, which is learned as the text that it is."""
    first = value[0] if isinstance(value, list) and value else None
    return isinstance(first, dict) and not TURN_NAMES.isdisjoint(first)


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

    Raises UnreadableFileError without it, and for a file that it cannot read.
    """
    try:
        from pyarrow import ArrowException, BufferReader  # type: ignore[import-not-found]
        from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found]
    except ImportError as error:
        raise UnreadableFileError("pyarrow is not installed", code="file_is_parquet") from error
    try:
        for batch in ParquetFile(BufferReader(data)).iter_batches(1000):
            for row in batch.to_pylist():
                yield compact({name: _plain(value) for name, value in row.items()})
    except (ArrowException, OSError, ValueError) as error:
        raise UnreadableFileError("it is no sound Parquet", code="file_is_damaged") from error


def _plain(value: Any) -> Any:
    """A value of a table as JSON has it; times and decimals become text, NaN is absent."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float):
        return value if value - value == 0 else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
