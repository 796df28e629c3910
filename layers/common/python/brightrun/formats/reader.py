"""Reads records as every tool reads them: strictly, by the rules of their file's format."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from brightrun.formats.chat import MESSAGES
from brightrun.formats.codes import Severity, codes, message_of
from brightrun.formats.containers import BYTE_ORDER_MARK, Readable
from brightrun.formats.detect import (
    Detection,
    are_turns,
    classify,
    is_meta,
    is_raw_conversation,
    is_server_row,
)
from brightrun.formats.fields import note_preference, present
from brightrun.formats.format import META, format_of, is_shared
from brightrun.formats.lines import LONGEST_LINE, BlockReader, TooLong, numbered_lines
from brightrun.formats.model import Format, Reading
from brightrun.formats.rules import Detail, Message, Note, Rules, pointer
from brightrun.formats.source import RecordSource
from brightrun.formats.strict_json import column_behind, parse_object
from brightrun.formats.text import MEDIA_PLACEHOLDERS, ends_cut
from brightrun.formats.v4_files import missing_part

_SEVERAL_TURNS = "roles_do_not_alternate"


class RecordReader:
    """Reads the records of one file.

    `format` is the file's, or that of the first record that shows one; `records` counts those read,
    broken ones included. `merges_turns` joins neighbouring turns of one role by an empty line.
    `where` says in words where a fault stands, from a record's number and what stands before it.
    """

    def __init__(
        self,
        found: Detection | None = None,
        *,
        merges_turns: bool = False,
        where: Callable[[int, str], str] = lambda _, before: column_behind(before),
    ) -> None:
        self.format = found.record_format if found else None
        self.detected_by = found.reason if found else "nothing: no record was recognised"
        self.records = 0
        self.meta: dict[str, Any] | None = None
        self._merges_turns = merges_turns
        self._where = where

    def read(self, line: bytes, note: Note, number: int = 0) -> Reading | None:
        """Note every problem of a line; None for a blank one, `_meta`, and what cannot be read.

        What was noted decides whether a record that is returned may be used.
        """
        if line.startswith(BYTE_ORDER_MARK):
            note("byte_order_mark")
            while line.startswith(BYTE_ORDER_MARK):  # joined files have several
                line = line[len(BYTE_ORDER_MARK) :]
        line = line.removesuffix(b"\n")
        if not line.strip():
            note("blank_line")
            return None
        self.records += 1
        record = parse_object(line, note, where=partial(self._where, number))
        if record is None:
            return None
        if is_meta(record):
            self._take_meta(record, note)
            return None
        return self._read(record, note)

    def too_long(self, length: int, limit: int, note: Note) -> None:
        """Count and note a record of more bytes than one may have."""
        self.records += 1
        note("line_too_long", "", f"{length} bytes, at most {limit}")

    def _take_meta(self, record: dict[str, Any], note: Note) -> None:
        """Remember what `_meta` says of the file."""
        meta, found = record[META], format_of({META: True})
        if self.records > 1 or self.meta is not None or not isinstance(meta, dict):
            note("misplaced_meta", pointer(META))
            return
        self.records = 0  # it is no record, unless it is refused as one
        self.meta = meta
        if found is not None and self.format is None:
            self._use_format(*found)

    def _read(self, record: dict[str, Any], note: Note) -> Reading | None:
        found = classify(record)
        if self.format is None and found is not None and not found[0].is_whole_file:
            self._use_format(*found)
        reads_preference = self.format is not None and self.format.untrained_because
        if not reads_preference and note_preference(record, note):
            return None
        if self._note_other(record, found, note):
            return None
        if self.format is None or self.format.rules is None:
            return None
        messages = self._checked(self.format, self.format.rules, record, note)
        return Reading(self.format, record, messages)

    def _note_other(
        self, record: dict[str, Any], found: tuple[Format, str] | None, note: Note
    ) -> bool:
        """Note a record that is none of the file's format; without a known key it may be one."""
        if found is None:
            if is_raw_conversation(record):
                note("raw_conversation")
            elif is_server_row(record) and (cells := record.get("truncated_cells")):
                note("truncated_row", pointer("truncated_cells"), ", ".join(map(str, cells)))
            elif self.format is None:
                note("unknown_format", "", Detail(_fields_of, record))
            else:
                return False
        elif found[0].is_whole_file:
            note("missing_field", "", missing_part(record))
        elif self.format is not None and found[0] is not self.format and not is_shared(found[1]):
            note("mixed_formats", "", f"{found[0].title} among {self.format.title}")
        else:
            return False
        return True

    def _use_format(self, format_: Format, key: str) -> None:
        self.format = format_
        self.detected_by = f"the first record has the key '{key}'"

    def _checked(
        self, format_: Format, rules: Rules, record: dict[str, Any], note: Note
    ) -> list[Message]:
        there = present(record, format_.nullable)
        if not self._merges_turns:
            return _marked(rules.check(there, note), note)
        return _marked(merged_turns(rules.check(there, _but(note, _SEVERAL_TURNS)), note), note)


def _fields_of(record: dict[str, Any]) -> str:
    """The fields of a record of no known format, and the one that may be meant."""
    names = ", ".join(list(record)[:5])
    if not record:
        return "it is empty"
    if all(value is None for value in record.values()):
        return f"all its fields are null: {names}"
    said = f"its fields: {names}"
    for name, value in record.items():
        meant = name.strip().casefold()
        if meant != name and classify({meant: True}):
            return f"{said}; did you mean '{meant}'?"
        if value is None and classify({name: True}):
            return f"{said}; '{name}' is null"
    for name, value in record.items():
        if are_turns(value):
            return f"{said}; '{name}' holds turns: did you mean '{MESSAGES.name}'?"
    return said


def _marked(messages: list[Message], note: Note) -> list[Message]:
    """Note an image's place in a text, and keep an answer that was cut off from training."""
    for at, one in enumerate(messages):
        for placeholder in MEDIA_PLACEHOLDERS:
            if placeholder in one.text:
                note("media", one.place, f"the text has {placeholder}")
        if one.trains and ends_cut(one.text):
            note("cut_text", one.place)
            messages[at] = one._replace(trains=False)
    return messages


def merged_turns(messages: list[Message], note: Note) -> list[Message]:
    """Join neighbouring turns of one role by an empty line; notes answers of different weights."""
    merged: list[Message] = []
    for one in messages:
        last = merged[-1] if merged else None
        if last is None or last.role != one.role or one.role == "system":
            merged.append(one)
        elif last.trains != one.trains:
            note(_SEVERAL_TURNS, one.place, "one trains and the other does not")
        else:
            merged[-1] = last._replace(text=f"{last.text}\n\n{one.text}")
    return merged


def _but(note: Note, silent: str) -> Note:
    def passing(code: str, place: str = "", detail: Any = "") -> None:
        if code != silent:
            note(code, place, detail)

    return passing


class Problem(NamedTuple):
    """One problem of a record: its code, the JSON pointer inside the record, and what was found."""

    code: str
    place: str
    detail: str

    @property
    def message(self) -> str:
        """A sentence for people, without where it is."""
        at = f"{self.place}: " if self.place else ""
        return f"{at}{message_of(self.code, self.detail)}"


class Problems:
    """Gathers the problems of one record; `failed` once one of them is an error."""

    def __init__(self, format_: Format | None) -> None:
        self._format = format_
        self.noted: list[Problem] = []
        self.errors: list[Problem] = []

    @property
    def failed(self) -> bool:
        """True once one of them is an error: the record cannot be used."""
        return bool(self.errors)

    @property
    def codes(self) -> set[str]:
        """The codes of the errors."""
        return {problem.code for problem in self.errors}

    def reason(self) -> str:
        """Why the record cannot be used, in words: its first error, and how to mend it."""
        first = self.errors[0]
        return f"{first.message} {codes()[first.code].hint}"

    def __call__(self, code: str, place: str = "", detail: Any = "") -> None:
        """Note a problem at a JSON pointer."""
        problem = Problem(code, place, str(detail))
        self.noted.append(problem)
        if codes()[code].severity_in(self._format) is Severity.ERROR:
            self.errors.append(problem)


class PlacedRecord(NamedTuple):
    """A record of a file: its number, its bytes, its reading unless refused, and its problems."""

    number: int
    size: int
    reading: Reading | None
    problems: Problems


class RecordFile:
    """All records of a file, one after the other; `refused` counts those left out by their codes.

    `source` knows where records stand and what is wrong with the file as a whole.
    """

    def __init__(
        self, source: Readable, *, merges_turns: bool = False, reads_parquet: bool = False
    ) -> None:
        self.source = RecordSource(source, reads_parquet=reads_parquet)
        self.reader = RecordReader(
            self.source.detection, merges_turns=merges_turns, where=self.source.where_behind
        )
        self.refused: Counter[str] = Counter()
        self._blocks = BlockReader(self.source, LONGEST_LINE)

    @property
    def lines(self) -> int:
        """How many lines were read, or items of a document."""
        return self._blocks.lines

    def __iter__(self) -> Iterator[PlacedRecord]:
        """Every record; lines that are blank or `_meta` are none, unless something is wrong."""
        reader = self.reader
        for number, line in numbered_lines(self._blocks):
            problems = Problems(reader.format)
            reading = None
            if isinstance(line, TooLong):
                reader.too_long(line.length, LONGEST_LINE, problems)
            else:
                reading = reader.read(line, problems, number)
            size = line.length if isinstance(line, TooLong) else len(line)
            if problems.failed:
                self.refused.update(problems.codes)
                yield PlacedRecord(number, size, None, problems)
            elif reading is not None:
                yield PlacedRecord(number, size, reading, problems)

    def file_errors(self) -> list[str]:
        """What is wrong with the file around its records, in sentences; known at its end."""
        return [f"{one.message} {codes()[one.code].hint}" for one in self.source.errors()]
