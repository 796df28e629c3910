"""Says which training format a file or a record is in, and by what it was recognised."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from brightrun.formats.documents import ARRAY, VALUES, WRAPPED
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

    `lists` are the names of several such lists, of which nothing says which one is meant.
    """

    shape: int | None
    key: str = ""
    lists: tuple[str, ...] = ()


LINES = Shape(None)


def shape_of(head: bytes, is_all: bool) -> Shape:
    """Tell a JSON document from JSON Lines by its beginning; `is_all` if nothing follows."""
    text = head.decode(errors="replace").lstrip("\ufeff \t\r\n")
    first, _, rest = text.partition("\n")
    if text.startswith("["):
        return LINES if rest.strip() and _is_json(first) else Shape(ARRAY)
    return _shape_of_object(text, is_all) if text.startswith("{") else LINES


def _shape_of_object(text: str, is_all: bool) -> Shape:
    first, _, rest = text.partition("\n")
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        is_cut = "\n" not in text.rstrip()
        if error.pos < len(first) and not is_cut and not _opens_more_lines(first, rest):
            return LINES
        return _unfinished(text, "\n" in text[: error.pos])
    except (ValueError, RecursionError):
        return LINES
    several_lines, is_alone = "\n" in text[:end], is_all and not text[end:].strip()
    lists = _lists_in(value) if several_lines or is_alone else ()
    if lists:
        return Shape(WRAPPED, lists[0]) if len(lists) == 1 else Shape(None, lists=lists)
    whole = format_of(value)
    return Shape(VALUES) if several_lines or (whole and whole[0].is_whole_file) else LINES


def _opens_more_lines(first: str, rest: str) -> bool:
    """True for the first line of an indented document, which the second line goes on with."""
    second = rest.partition("\n")[0]
    return first.rstrip()[-1:] in ("{", "[", ",", ":") and not _is_json(second)


def _is_json(text: str) -> bool:
    try:
        _decode(text.encode())
    except UNUSUAL:
        return False
    return True


def _lists_in(value: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of a record of no known format that hold lists of objects."""
    if format_of(value) is not None or is_raw_conversation(value):
        return ()
    return tuple(
        name
        for name, held in value.items()
        if isinstance(held, list) and (not held or isinstance(held[0], dict))
    )


_WHOLE_LISTS = (("training_file_metadata", "conversations"),)
"""Large files of the product: what gives them away, and the list that they hold."""


def _unfinished(text: str, several_lines: bool) -> Shape:
    """An object that goes on past the head, or is broken in it."""
    for mark, key in _WHOLE_LISTS:
        if f'"{mark}"' in text[:4096]:
            return Shape(WRAPPED, key)
    key = _wrapping_key(text)
    if key:
        return Shape(WRAPPED, key)
    return Shape(VALUES) if several_lines else LINES


def _wrapping_key(text: str) -> str:
    """The first field of an object, if it is no field of a format and lists records."""
    decoder = json.JSONDecoder()
    at, known = 1, {key for key, _ in ranked_keys()}
    while True:
        try:
            at = _skip(text, at)
            key, at = decoder.raw_decode(text, at)
            at = _skip(text, at)
            if text[at : at + 1] != ":" or key in known:
                return ""
            at = _skip(text, at + 1)
            if text[at : at + 1] == "[":
                first, _ = decoder.raw_decode(text, _skip(text, at + 1))
                return key if isinstance(first, dict) else ""
            _, at = decoder.raw_decode(text, at)
            at = _skip(text, at)
            if text[at : at + 1] != ",":
                return ""
            at += 1
        except (ValueError, RecursionError):
            return ""


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\t", "\r", "\n") and text[at : at + 1]:
        at += 1
    return at
