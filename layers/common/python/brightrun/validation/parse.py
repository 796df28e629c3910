"""The slower way through a line: parses it exactly and names what is wrong with it as JSON."""

import json
from typing import Any

import msgspec

from brightrun.formats.rules import pointer
from brightrun.validation.facts import UNUSUAL
from brightrun.validation.notes import Notes
from brightrun.validation.pointers import depth, walk

MOST_VALUES = 200_000  # commas: bounds what parsing a hostile line can allocate
DEEPEST = 32
_TOO_LARGE = 1 << 64  # what strict parsers take for an integer; a larger float is infinite here
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class _Constant(str):
    """NaN, Infinity or -Infinity where a number should be."""

    __slots__ = ()


class _Repeated(dict[str, Any]):
    """An object in which a key stood more than once."""

    twice: str = ""


def parse_object(line: bytes, note: Notes) -> dict[str, Any] | None:
    """Return the line's JSON object, or None after noting every reason why it is none."""
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
    except UNUSUAL as error:
        _explain(text, str(error), note)
        return None
    if line.count(b'"') != _encode(value).count(b'"') or b"\\u0022" in line:
        _note_repeated_keys(text, note)
    brackets = line.count(b"[") + line.count(b"{")
    if brackets > DEEPEST and (nested := depth(value)) > DEEPEST:
        note("deep_nesting", detail=f"{nested} levels, at most {DEEPEST}")
        return None
    if not isinstance(value, dict):
        note("not_an_object", detail=type(value).__name__)
        return None
    return value


def _explain(text: str, reason: str, note: Notes) -> None:
    """Name what a strict parser refused, by parsing once more leniently."""
    try:
        value = json.loads(text, parse_constant=_Constant)
    except json.JSONDecodeError as error:
        note("invalid_json", detail=f"{error.msg} at character {error.pos + 1}")
        return
    except RecursionError:
        note("deep_nesting", detail=f"at most {DEEPEST} levels")
        return
    except ValueError:
        note("number_out_of_range", detail="an integer of thousands of digits")
        return
    oddities = [place for place, found in walk(value) if _note_oddity(place, found, note)]
    if not oddities:
        note("invalid_json", detail=reason)


def _note_oddity(place: str, found: Any, note: Notes) -> bool:
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


def _note_repeated_keys(text: str, note: Notes) -> None:
    for place, found in walk(json.loads(text, object_pairs_hook=_gather)):
        if isinstance(found, _Repeated):
            note("duplicate_key", place + pointer(found.twice))
