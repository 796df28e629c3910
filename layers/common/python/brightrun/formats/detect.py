"""Says which training format a file or a record is in, and by what it was recognised."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from brightrun.formats.documents import ARRAY, VALUES, WRAPPED
from brightrun.formats.fields import TURN_NAMES
from brightrun.formats.format import META, format_of, ranked_keys
from brightrun.formats.model import Format
from brightrun.formats.strict_json import UNUSUAL
from brightrun.formats.v4_files import V4_JSONL

LOOKED_AT = 200
"""Records that have a say in what the file is."""
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Detection:
    """What a file was taken for and why; `shape` is that of its document, None for lines."""

    format: Format
    reason: str
    shape: int | None = None

    @property
    def record_format(self) -> Format:
        """The format of the records: a whole file of ours holds pairs."""
        return V4_JSONL if self.format.is_whole_file else self.format

    @property
    def is_array(self) -> bool:
        """True when the records stand in one JSON array."""
        return self.shape == ARRAY

    def __str__(self) -> str:
        """A sentence for people."""
        return f"{self.format.title}: {self.reason}"


def is_raw_conversation(record: Mapping[str, Any]) -> bool:
    """True for a conversation as it was generated: it has no pairs before enrichment."""
    return "conversation_metadata" in record and "turns" in record


def is_meta(record: Mapping[str, Any]) -> bool:
    """True for a line that is about the file: it has `_meta`, and nothing that a record has."""
    return record.get(META) is not None and classify(record) is None


def classify(record: Mapping[str, Any]) -> tuple[Format, str] | None:
    """Name a record's format and the key that gave it away; None when no known key is there."""
    if META in record:  # says what a line is only where nothing else does
        record = {name: value for name, value in record.items() if name != META}
    return None if is_raw_conversation(record) else format_of(record)


def are_turns(value: Any) -> bool:
    """True for a list of turns, which is a conversation without a name."""
    return isinstance(value, list) and bool(value) and _is_turn(value[0])


def _is_turn(value: Any) -> bool:
    return isinstance(value, dict) and not TURN_NAMES.isdisjoint(value) and classify(value) is None


def is_server_row(value: Any) -> bool:
    """True for a row as the Hugging Face datasets server gives it, around the record."""
    return isinstance(value, dict) and "row_idx" in value and isinstance(value.get("row"), dict)


def vote(lines: Iterable[bytes]) -> tuple[Format, str] | None:
    """What most of some records are, and by which key; None when none is known.

    Of two formats with as many records the first one counts. A `_meta` line has a say where no
    record is known.
    """
    found: Counter[Format] = Counter()
    key_of: dict[Format, str] = {}
    first: Format | None = None
    known, meta = 0, None
    for line in lines:
        record = _record(line)
        if record is None:
            continue
        if is_meta(record):
            meta = format_of({META: True})
            continue
        known += 1
        entry, key = classify(record) or (None, "")
        if entry is not None and not entry.is_whole_file:
            found[entry] += 1
            key_of.setdefault(entry, key)
        if known == 1:
            first = entry
    if not found:
        return meta and (meta[0], f"the first line has the key '{meta[1]}'")
    entry, count = found.most_common(1)[0]
    if entry is first:
        return entry, f"the first record has the key '{key_of[entry]}'"
    return entry, f"{count} of the first {known} records have the key '{key_of[entry]}' or its kin"


def _record(line: bytes) -> Mapping[str, Any] | None:
    try:
        value = _decode(line)
    except UNUSUAL:
        return None
    return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class Shape:
    """How the records of a file stand in it; `key` is the list that an object wraps.

    `lists` are the names of several such lists, of which nothing says which one is meant; those
    `beside` the one that is read hold no records.
    """

    shape: int | None
    key: str = ""
    lists: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


LINES = Shape(None)


def shape_of(head: bytes, is_all: bool) -> Shape:
    """Tell a JSON document from JSON Lines by its beginning; `is_all` if nothing follows."""
    text = head.decode(errors="replace").lstrip("\ufeff \t\r\n")
    if text.startswith("["):
        return _shape_of_array(text, is_all)
    return _shape_of_object(text, is_all) if text.startswith("{") else LINES


def _shape_of_array(text: str, is_all: bool) -> Shape:
    first, _, rest = text.partition("\n")
    if rest.strip() and _are_lines(text, is_all):
        return LINES
    if _is_turn(_first_item(text, 0)):
        return Shape(VALUES)
    return LINES if _has_values(rest) and _is_json(first) else Shape(ARRAY)


def _shape_of_object(text: str, is_all: bool) -> Shape:
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        return LINES if _are_lines(text, is_all) else _unfinished(text, error.pos)
    except (ValueError, RecursionError):
        return LINES
    several_lines, is_alone = "\n" in text[:end], is_all and not _has_values(text[end:])
    wrapped = _wrapped(value) if several_lines or is_alone else None
    if wrapped:
        return wrapped
    whole = format_of(value)
    is_value = several_lines or (whole and whole[0].is_whole_file) or is_server_row(value)
    return Shape(VALUES) if is_value else LINES


def _has_values(text: str) -> bool:
    """True when a line begins an object or an array; anything else is no record."""
    return any(line.lstrip().startswith(("{", "[")) for line in text.split("\n"))


def _are_lines(text: str, is_all: bool) -> bool:
    """True when most lines after the first that begin with an object hold all of it.

    Then the first line may be broken, and the file is JSON Lines all the same. In a document an
    object is indented, ends on a later line, or has a comma or a bracket behind it.
    """
    lines = [line for line in text.split("\n")[: LOOKED_AT + 2] if line.strip()]
    followers = [*lines[2:], ""] if is_all else lines[2:]
    opened = whole = 0
    for line, follower in zip(lines[1:], followers, strict=False):
        if line.startswith("{"):
            opened += 1
            whole += follower.lstrip()[:1] not in _GOING_ON and _is_json(line)
    return whole * 2 > opened


_GOING_ON = ("]", "}", ",")


def _opens_more_lines(text: str) -> bool:
    """True for an indented document, whose first line the second goes on with."""
    first, _, rest = text.partition("\n")
    second = rest.partition("\n")[0].strip()
    return first.rstrip()[-1:] in ("{", "[", ",", ":") and second != "" and not _is_json(second)


def _is_json(text: str) -> bool:
    try:
        _decode(text.encode())
    except UNUSUAL:
        return False
    return True


def _wrapped(value: Mapping[str, Any]) -> Shape | None:
    """The shape of an object around lists of records; None for one that is a record itself.

    Of several lists the one that holds records of a known format is meant.
    """
    known = format_of(value)
    if is_raw_conversation(value) or (known and known[0].is_whole_file):
        return None
    if known and not _holds_records(value[known[1]]):
        return None
    lists = [name for name, held in value.items() if _may_hold_records(name, held)]
    filled = [name for name in lists if value[name]] or lists[:1]
    records = [name for name in filled if any(map(_is_record, value[name][:1]))] or filled
    if len(records) > 1:
        return Shape(None, lists=tuple(records))
    beside = tuple(name for name in filled if name not in records)
    return Shape(WRAPPED, records[0], beside=beside) if records else None


def _is_record(item: Any) -> bool:
    """True for a record of a known format, by itself or as a row of the datasets server."""
    if is_server_row(item):
        return _is_record(item["row"])
    if not isinstance(item, dict):
        return are_turns(item)
    return classify(item) is not None or is_raw_conversation(item)


def _may_hold_records(name: str, held: Any) -> bool:
    """True for a list of objects or of lists of turns, but not of turns, whatever its name."""
    if not isinstance(held, list) or not held:
        return isinstance(held, list)
    if _is_turn(held[0]) or (
        classify({name.strip().casefold(): True}) and not _holds_records(held)
    ):
        return False
    return isinstance(held[0], dict) or are_turns(held[0])


def _holds_records(held: Any) -> bool:
    """True for a list, by the name of one of turns, whose items have lists of turns themselves."""
    if not isinstance(held, list) or not held or _is_turn(held[0]):
        return False
    first = held[0]["row"] if is_server_row(held[0]) else held[0]
    if not isinstance(first, dict):
        return are_turns(first)
    return any(isinstance(first.get(key), list) for key, _ in ranked_keys())


_WHOLE_LISTS = (("training_file_metadata", "conversations"),)
"""Large files of the product: what gives them away, and the list that they hold."""


def _unfinished(text: str, fault: int) -> Shape:
    """An object that goes on past the head, or is broken in it at a place."""
    for mark, key in _WHOLE_LISTS:
        if f'"{mark}"' in text[:4096]:
            return Shape(WRAPPED, key)
    if wrapped := _wrapped(_fields_until_broken(text)):
        return wrapped
    several_lines = "\n" in text[:fault] or _opens_more_lines(text)
    return Shape(VALUES) if several_lines else LINES


def _fields_until_broken(text: str) -> dict[str, Any]:
    """The fields of an object as far as they can be read; of a list that breaks, its first item."""
    decoder, fields, at = json.JSONDecoder(), dict[str, Any](), 1
    try:
        while True:
            key, at = decoder.raw_decode(text, _skip(text, at))
            at = _skip(text, at)
            if text[at : at + 1] != ":":
                return fields
            at = _skip(text, at + 1)
            if text[at : at + 1] == "[":
                fields[key] = [_first_item(text, at)]
            fields[key], at = decoder.raw_decode(text, at)
            at = _skip(text, at)
            if text[at : at + 1] != ",":
                return fields
            at += 1
    except (ValueError, RecursionError):
        return fields


def _first_item(text: str, at: int) -> Any:
    """The first item of a list that opens at a place, empty for a broken object; or None."""
    at = _skip(text, at + 1)
    try:
        return json.JSONDecoder().raw_decode(text, at)[0]
    except (ValueError, RecursionError):
        return {} if text[at : at + 1] == "{" else None


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n") and text[at : at + 1]:
        at += 1
    return at
