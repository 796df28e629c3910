"""JSON as the training formats need it: read strictly, faults told in words, written compactly.

A record is one JSON object in UTF-8, in which every key stands once, every number can be read
exactly, no surrogate stands alone, and nothing nests more deeply than readers can follow.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
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

_LAST_COMMA = "a comma stands before the closing bracket"
_WORDS = {
    "Expecting value": "a value is missing",
    "Expecting property name enclosed in double quotes": "a field's name in double quotes is due",
    "Illegal trailing comma": _LAST_COMMA,
    "Expecting ',' delimiter": "a comma or a closing bracket is due",
    "Expecting ':' delimiter": "a colon is due",
    "Unterminated string starting at": "a text begins that never ends",
    "Invalid \\escape": "a backslash stands before a character that it cannot escape",
    f"Invalid \\u{'X' * 4} escape": "\\u stands without four hexadecimal digits",
}
_SPACES = " \t\r\n"
_INSTEAD = {"None": "null", "undefined": "null", "True": "true", "False": "false"}
"""What Python and JavaScript write, and JSON does not."""
_CONTROLS = {"\0": "a NUL byte", "\n": "a line break", "\r": "a line break", "\t": "a tab"}
_QUOTES = {"'": "single quotes", **dict.fromkeys("“”„‟‘’‚«»", "curly quotes")}
_FOREIGN = {"\0": "a NUL byte", **dict.fromkeys(("//", "/*", "#"), "a comment")}
"""What JSON has nowhere, by how it begins."""
_DUE = ("Expecting value", "Expecting property name enclosed in double quotes")
_AFTER_VALUES = ",:]}"
_BARE_WORD = re.compile(r"[^\W\d]\w*")


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
    said, at = error.msg, error.pos
    rest = text[at:].lstrip(_SPACES)
    if said.startswith("Extra data"):
        return Fault(f"{_extra(rest)} follows the end of the record", at)
    if not rest:
        return Fault("it ends before its last bracket", at)
    if said.startswith("Invalid control character"):
        control = _CONTROLS.get(text[at : at + 1], "a control character")
        return Fault(f"{control} stands in a text", at)
    stands = _standing(rest, text[:at].rstrip(_SPACES)[-1:]) if said in _DUE else ""
    if not stands and said == "Expecting value" and rest[0] not in _AFTER_VALUES:
        sign = rest[0] if rest[0].isprintable() and rest[0].isascii() else f"U+{ord(rest[0]):04X}"
        stands = f"{sign} stands where a value is due"
    return Fault(stands or _named(said, _WORDS) or "it cannot be read", at)


def _extra(rest: str) -> str:
    """What stands behind a record."""
    if rest.startswith(("]", "}")):
        return "a closing bracket without an opening one"
    return "a comma" if rest.startswith(",") else _named(rest, _FOREIGN) or "another value"


def _standing(rest: str, before: str) -> str:
    """What stands where a value or a name is due, behind another sign; empty for nothing known."""
    if word := _BARE_WORD.match(rest):
        if due := _INSTEAD.get(word[0]):
            return f"{word[0]} stands where {due} is due"
        return "a word stands without double quotes" if before else "it does not begin with {"
    if rest[0] in "]}":
        closing = {"": "a closing bracket stands without an opening one", ",": _LAST_COMMA}
        return closing.get(before, "")
    if quotes := _QUOTES.get(rest[0]):
        return f"{quotes} stand where double quotes are due"
    foreign = _named(rest, _FOREIGN)
    return foreign and f"{foreign} stands there, and JSON has none"


def _named(text: str, names: Mapping[str, str]) -> str:
    """The name of what a text begins with; empty for what has none."""
    return next((name for start, name in names.items() if text.startswith(start)), "")


def column_behind(before: str) -> str:
    """Where a fault stands behind so much of its line, in words."""
    return f"column {len(before) + 1}"


def parse_object(
    line: bytes, note: Note, deepest: int = DEEPEST, where: Callable[[str], str] = column_behind
) -> dict[str, Any] | None:
    """Return the JSON object of a record, or None after noting every reason why it is none.

    `where` says in words where a fault stands, from what stands before it.
    """
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
        _explain(text, note, where)
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


def _explain(text: str, note: Note, where: Callable[[str], str]) -> None:
    """Name what a strict parser refused, by parsing once more leniently."""
    try:
        value = _lenient(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        note("invalid_json", detail=Detail(_fault_and_place, text, error, where))
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


def _fault_and_place(text: str, error: json.JSONDecodeError, where: Callable[[str], str]) -> str:
    fault = fault_of(text, error)
    return f"{fault.reason}, {where(text[: fault.position])}"


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
