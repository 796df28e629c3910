"""Tables as records: CSV with the names of its columns on top, and Parquet by pyarrow."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from brightrun.formats.containers import BYTE_ORDER_MARK, Readable
from brightrun.formats.errors import UnreadableFileError
from brightrun.formats.strict_json import UNUSUAL, compact

LONGEST_CELL = 2 << 20
"""Characters of a cell, as of a record."""
_DELIMITERS = (",", "\t", ";", "|")
_MOST_COLUMNS = 100
_COLUMN = re.compile(r"[^{}\[\]<>]{0,64}")
_LETTER = re.compile(r"[^\W\d]")
_BLOCK = 256 << 10
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
        names = [name.strip() for name in first]
        fits = 2 <= len(names) <= _MOST_COLUMNS and len(second) in (0, len(names))
        if fits and len(set(names)) == len(names) and all(map(_is_name, names)):
            return delimiter
    return ""


def _is_name(column: str) -> bool:
    return bool(_COLUMN.fullmatch(column) and _LETTER.search(column))


def csv_records(source: Readable, delimiter: str) -> Iterator[str]:
    """Each row as a JSON object; an empty cell is absent, and a list in JSON is read as one.

    Raises UnreadableFileError for a row that does not fit the names, or is no UTF-8.
    """
    csv.field_size_limit(LONGEST_CELL)
    rows = csv.reader(_text_lines(source), delimiter=delimiter, strict=True)
    number = 0
    try:
        names = [name.strip() for name in next(rows, [])]
        for number, row in enumerate(rows, 1):
            if len(row) > len(names):
                detail = f"row {number} has {len(row)} cells for {len(names)} columns"
                raise UnreadableFileError(detail, code="broken_document")
            if any(row):
                yield compact({name: _cell(cell) for name, cell in zip(names, row) if cell})  # noqa: B905
    except csv.Error as error:
        detail = f"row {number + 1} is no CSV: a quote or a cell does not end"
        raise UnreadableFileError(detail, code="broken_document") from error
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"after row {number}", code="invalid_utf8") from error


def _cell(cell: str) -> Any:
    if cell.lstrip()[:1] in _JSON_OPENINGS:
        import msgspec

        try:
            return msgspec.json.decode(cell)
        except UNUSUAL:
            return cell
    return cell


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
