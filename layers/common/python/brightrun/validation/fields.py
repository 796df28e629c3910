"""Small checks that all formats share: fields present, of the right type, and no others."""

from collections.abc import Collection, Mapping
from typing import Any

from brightrun.validation.notes import Notes
from brightrun.validation.pointers import pointer

_TYPE_NAMES = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_TOOL_FIELDS = frozenset({"tool_calls", "tool_call_id", "function_call", "tools", "functions"})


def type_name(value: Any) -> str:
    """What JSON calls the type of a decoded value."""
    return _TYPE_NAMES.get(type(value), "number")


def note_missing(
    record: Mapping[str, Any],
    required: Collection[str],
    place: str,
    note: Notes,
    code: str = "missing_field",
) -> bool:
    """Note all absent fields of a record as one problem; return True if there are any."""
    missing = [name for name in required if name not in record]
    if missing:
        note(code, place, "Missing " + ", ".join(missing))
    return bool(missing)


def note_extra(record: Mapping[str, Any], known: Collection[str], place: str, note: Notes) -> None:
    """Note each field that the format does not have."""
    for name in record:
        if name not in known:
            code = "tool_calls" if name in _TOOL_FIELDS else "extra_field"
            note(code, place + pointer(name))


def has_type(value: Any, expected: type, place: str, note: Notes) -> bool:
    """Note a value of another type than expected; return True when it is of that type."""
    right = isinstance(value, expected) and not (expected is int and isinstance(value, bool))
    if not right:
        note("wrong_type", place, f"{type_name(value)} instead of {_TYPE_NAMES[expected]}")
    return right


def has_name(value: Any, place: str, note: Notes) -> bool:
    """Note an identifier that is no string or blank, which names nothing."""
    if not has_type(value, str, place, note):
        return False
    if not value.strip():
        note("missing_field", place, "it is empty")
        return False
    return True


def has_text(value: Any, place: str, note: Notes) -> bool:
    """Note a turn's text that is no string or blank; return True when there is something in it."""
    if not has_type(value, str, place, note):
        return False
    if not value.strip():
        note("empty_turn", place)
        return False
    return True
