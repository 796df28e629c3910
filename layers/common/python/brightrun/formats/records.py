"""Takes a file apart into its records, one at a time where the format allows."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from brightrun.formats.detect import BYTE_ORDER_MARK
from brightrun.formats.errors import RecordError, UnreadableFileError
from brightrun.formats.format import META
from brightrun.formats.strict_json import compact, loads
from brightrun.formats.tally import Conversion
from brightrun.formats.v4 import line_of_pair
from brightrun.formats.v4_files import V4Document

Placed = tuple[str, dict[str, Any]]


def records_of(source: BinaryIO, tally: Conversion) -> Iterator[Placed]:
    """Yield each record of a JSONL file or a JSON array with the place it stood in.

    A record that cannot be read is counted in `tally` and skipped; blank lines are no records.
    A `_meta` line names the file and is no record either.
    """
    found = _array_items(source, tally) if tally.detected.is_array else _lines(source, tally)
    for place, record in found:
        if META in record:
            tally.meta = record[META]
            tally.file_name = str(tally.meta.get("file_name", tally.file_name))
        else:
            tally.records += 1
            yield place, record


def _lines(source: BinaryIO, tally: Conversion) -> Iterator[Placed]:
    for number, line in enumerate(source, 1):
        text = line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
        if not text.strip():
            continue
        place = f"line {number}"
        try:
            yield place, _as_record(loads(text))
        except RecordError as error:
            tally.leave_out(place, error.message)


def _array_items(source: BinaryIO, tally: Conversion) -> Iterator[Placed]:
    for number, item in enumerate(whole_document(source), 1):
        try:
            yield f"item {number}", _as_record(item)
        except RecordError as error:
            tally.leave_out(f"item {number}", error.message)


def _as_record(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RecordError("not a JSON object")
    if META in value and not isinstance(value[META], dict):
        raise RecordError("_meta is not a JSON object")
    return value


def whole_document(source: BinaryIO) -> Any:
    """Parse a file that is one JSON document; raises UnreadableFileError when it is broken."""
    try:
        return loads(source.read().removeprefix(BYTE_ORDER_MARK))
    except RecordError as error:
        raise UnreadableFileError(f"The file cannot be read as JSON: {error.message}.") from error


def pairs_of_document(document: V4Document, tally: Conversion) -> Iterator[Placed]:
    """Yield every pair of a v4 document as its JSONL line would stand, null targets included."""
    tally.file_name = document.file_name
    for conversation in document.conversations:
        for number, pair in enumerate(conversation.pairs, 1):
            tally.records += 1
            place = f"conversation {conversation.conversation_id}, pair {number}"
            yield place, line_of_pair(pair, conversation.conversation_id)


class LineWriter:
    """Writes JSON Lines as the product does: compact, LF between lines, none after the last."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._between = b""

    def write(self, record: dict[str, Any]) -> None:
        """Append one record."""
        self._out.write(self._between + compact(record).encode())
        self._between = b"\n"
