"""JSON as the training formats need it: read strictly, faults told in words, written compactly.

A record is one JSON object in UTF-8, in which every key stands once, every number can be read
exactly, no surrogate stands alone, and nothing nests more deeply than readers can follow.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from brightrun.formats.errors import RecordError
from brightrun.formats.rules import Detail, Note, pointer, type_name

MOST_VALUES = 200_000  # commas: bounds what parsing a hostile record can allocate
DEEPEST = 32
_TOO_LARGE = 1 << 64  # what strict parsers take for an integer; a larger float is infinite here
UNUSUAL = (msgspec.MsgspecError, RecursionError, ValueError)
"""What a strict parser raises for what it cannot read (UnicodeDecodeError is a ValueError)."""
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

_WORDS = {
    "Expecting value": "a value is missing",
    "Expecting property name enclosed in double quotes": "a field's name in double quotes is due",
    "Illegal trailing comma before end of object": "a comma stands before the closing bracket",
    "Illegal trailing comma before end of array": "a comma stands before the closing bracket",
    "Expecting ',' delimiter": "a comma or a closing bracket is due",
    "Expecting ':' delimiter": "a colon is due",
    "Unterminated string starting at": "a text begins that never ends",
    "Invalid control character at": "a line break or another control character stands in a text",
    "Invalid \\escape": "a backslash stands before a character that it cannot escape",
    f"Invalid \\u{'X' * 4} escape": "\\u stands without four hexadecimal digits",
}


class Fault(NamedTuple):
    """Why a text is no JSON, and where: characters counted from 0."""

    reason: str
    position: int


class _Constant(str):
    """NaN, Infinity or -Infinity where a number should be."""

    __slots__ = ()


_lenient = json.JSONDecoder(parse_constant=_Constant).decode


class _Repeated(dict[str, Any]):
    """An object in which a key stood more than once."""

    twice: str = ""


def fault_of(text: str, error: json.JSONDecodeError) -> Fault:
    """Say in our words what a parser refused."""
    rest = text[error.pos :].lstrip()
    if error.msg.startswith("Extra data"):
        what = "a comma" if rest.startswith(",") else "another value"
        return Fault(f"{what} follows the end of the record", error.pos)
    if not rest:
        return Fault("it ends before its last bracket", error.pos)
    if rest.startswith("'"):
        return Fault("single quotes stand where double quotes are due", error.pos)
    if error.msg == "Expecting value" and rest[:1] in ("]", "}"):
        return Fault("a comma stands before the closing bracket", error.pos)
    return Fault(_WORDS.get(error.msg.split(":")[0], "it cannot be read"), error.pos)


def parse_object(line: bytes, note: Note, deepest: int = DEEPEST) -> dict[str, Any] | None:
    """Return the JSON object of a record, or None after noting every reason why it is none."""
    if line.count(b",") > MOST_VALUES:
        note("too_many_values", detail=f"more than {MOST_VALUES}")
        return None
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        note("invalid_utf8", detail=f"byte {error.start + 1} of the line")
        return None
    try:
        value = _decode(line)
    except UNUSUAL:
        _explain(text, note)
        return None
    if line.count(b'"') != _encode(value).count(b'"') or b"\\u0022" in line:
        _note_repeated_keys(text, note)
    brackets = line.count(b"[") + line.count(b"{")
    if brackets > deepest and (nested := depth(value)) > deepest:
        note("deep_nesting", detail=f"{nested} levels, at most {deepest}")
        return None
    if not isinstance(value, dict):
        held = "JSON text in a string" if _is_object_text(value) else type_name(value)
        note("not_an_object", detail=held)
        return None
    return value


def _is_object_text(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("{")


def _explain(text: str, note: Note) -> None:
    """Name what a strict parser refused, by parsing once more leniently."""
    try:
        value = _lenient(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        note("invalid_json", detail=Detail(_fault_and_column, text, error))
        return
    except RecursionError:
        note("deep_nesting", detail=f"at most {DEEPEST} levels")
        return
    except ValueError:
        note("number_out_of_range", detail="an integer of thousands of digits")
        return
    oddities = [place for place, found in walk(value) if _note_oddity(place, found, note)]
    if not oddities:
        note("invalid_json", detail="it cannot be read")


def _fault_and_column(text: str, error: json.JSONDecodeError) -> str:
    fault = fault_of(text, error)
    return f"{fault.reason}, column {fault.position + 1}"


def _note_oddity(place: str, found: Any, note: Note) -> bool:
    if isinstance(found, _Constant):
        note("nan_or_infinity", place, str(found))
    elif isinstance(found, int | float) and abs(found) >= _TOO_LARGE:
        note("number_out_of_range", place)
    elif isinstance(found, str) and _has_lone_surrogate(found):
        note("lone_surrogate", place)
    elif isinstance(found, dict) and any(map(_has_lone_surrogate, found)):
        note("lone_surrogate", place, "in a key")
    else:
        return False
    return True


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _gather(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    repeated = _Repeated(plain)
    keys = [key for key, _ in pairs]
    repeated.twice = next(key for key in keys if keys.count(key) > 1)
    return repeated


def _note_repeated_keys(text: str, note: Note) -> None:
    for place, found in walk(json.loads(text, object_pairs_hook=_gather)):
        if isinstance(found, _Repeated):
            note("duplicate_key", place + pointer(found.twice))


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every value inside, itself included, with its pointer, in no promised order."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        place, found = waiting.pop()
        yield place, found
        if isinstance(found, dict):
            waiting += [(place + pointer(key), item) for key, item in found.items()]
        elif isinstance(found, list):
            waiting += [(place + pointer(index), item) for index, item in enumerate(found)]


def depth(value: Any) -> int:
    """How many objects and arrays are nested in each other."""
    levels, inside = 0, [value]
    while inside := [found for found in inside if isinstance(found, dict | list) and found]:
        levels += 1
        inside = [
            item
            for found in inside
            for item in (found.values() if isinstance(found, dict) else found)
        ]
    return levels


def loads(text: str | bytes) -> Any:
    """Parse a whole JSON document.

    Raises RecordError, with line and column, for broken JSON; for what strict JSON has not (NaN,
    Infinity), and for text that is not UTF-8.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode()
        return json.loads(decoded, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise RecordError(f"it is not UTF-8 at byte {error.start + 1}") from error
    except RecursionError as error:
        raise RecordError("it is nested too deeply") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise RecordError(f"{fault_of(error.doc, error).reason} at {place}") from error
    except ValueError as error:
        raise RecordError("an integer has thousands of digits") from error


def _refuse_constant(name: str) -> Any:
    raise RecordError(f"{name} is not JSON")


def compact(value: Any) -> str:
    """Write one value without spaces, other alphabets as they are: a JSONL line of the product."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def indented(value: Any) -> str:
    """Write one value by two spaces, other alphabets as they are: a JSON file of the product."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
