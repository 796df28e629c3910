"""What the validator checks of a record: a format's declared shape and its rules.

The rules take a parsed record and hand every problem to a Note, by its code in
brightrun.validation's table and by the JSON pointer (RFC 6901) of the place.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from brightrun.formats.text import is_blank

Kind = Literal["text", "string", "name", "integer", "object", "any", "role", "weight"]
"""What a field holds: a `text` must not be blank and a `string` may be, both are said by someone; a
`name` is an identifier, `any` is not checked; `role` and `weight` stand in turns."""

_TYPE_NAMES = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


class Note(Protocol):
    """Takes the problems of one record."""

    def __call__(self, code: str, place: str = "", detail: Any = "") -> None:
        """Note a problem at a JSON pointer; the detail never holds the text of a turn."""


class Detail:
    """The detail of a problem that is worked out only where the problem is shown."""

    def __init__(self, tell: Callable[..., str], *found: Any) -> None:
        self._tell, self._found = tell, found

    def __str__(self) -> str:
        return self._tell(*self._found)


ADDITION = "addition"
"""The role of a text that goes on with the user's turn before it, after a newline."""


class Message(NamedTuple):
    """One text in canonical terms: where it stands, who speaks, what, and whether it trains."""

    place: str
    role: str
    text: str
    trains: bool


Check = Callable[[dict[str, Any], Note], list[Message]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnShape:
    """The turns of a record: the field that lists them, and what a turn holds.

    A turn has a `role` field with one of `roles`; fields not in `optional` are in every turn.
    """

    field: str
    fields: Mapping[str, Kind]
    roles: Sequence[str]
    optional: Collection[str] = ()

    @property
    def role(self) -> str:
        """The field that says who speaks."""
        return next(name for name, kind in self.fields.items() if kind == "role")

    @property
    def text(self) -> str:
        """The field that holds what is said."""
        return next(name for name, kind in self.fields.items() if kind == "text")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowShape:
    """The fields of a record without a fault, from which the validator decodes it straight.

    `fields` are those besides the turns.  A record that lacks one not in `optional`, or that has
    any other, is parsed and explained by the rules.
    """

    fields: Mapping[str, Kind]
    optional: Collection[str] = ()
    turns: TurnShape | None = None

    @property
    def known(self) -> Sequence[str]:
        """All fields of the format."""
        return (*self.fields, *((self.turns.field,) if self.turns else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is checked of a format's records.

    `check` takes a record without nulls, notes every problem of it and returns the texts that could
    be read, in the order in which they are said.  Of the texts it may ask whether they are blank,
    and whether the last turn says the same as a field beside the turns, but nothing else: then one
    verdict serves all records in which the same roles speak in turn
    (brightrun.validation.fast_path). Without `shape` every record is parsed and explained one at a
    time, at less than half the speed.

    `group` is the `name` field of the shape that says which conversation a record belongs to, where
    one may be spread over several.  `warnings` are codes that are errors elsewhere.
    """

    check: Check
    shape: RowShape | None = None
    group: str = ""
    warnings: Collection[str] = field(default=frozenset())


def pointer(*parts: str | int) -> str:
    """Join parts into a JSON pointer: `/messages/3/content`."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def type_name(value: Any) -> str:
    """What JSON calls the type of a decoded value."""
    return _TYPE_NAMES.get(type(value), "number")


def note_missing(
    record: Mapping[str, Any],
    required: Collection[str],
    place: str,
    note: Note,
    code: str = "missing_field",
) -> bool:
    """Note all absent fields of a record as one problem; return True if there are any."""
    missing = [name for name in required if name not in record]
    if missing:
        note(code, place, "Missing " + ", ".join(missing))
    return bool(missing)


def has_type(value: Any, expected: type, place: str, note: Note) -> bool:
    """Note a value of another type than expected; return True when it is of that type.

    2.0 is an integer: beside nulls, tables write integers so.
    """
    if expected is int:
        right = not isinstance(value, bool) and (
            isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        )
    else:
        right = isinstance(value, expected)
    if not right:
        found = "JSON text in a string" if _is_json_text(value) else type_name(value)
        note("wrong_type", place, f"{found} instead of {_TYPE_NAMES[expected]}")
    return right


def _is_json_text(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip()[:1] in ("[", "{")


def has_name(value: Any, place: str, note: Note) -> bool:
    """Note an identifier that is neither text nor a whole number, or blank and names nothing."""
    if not isinstance(value, str):
        return has_type(value, int, place, note)
    if is_blank(value):
        note("missing_field", place, "it is empty")
        return False
    return True


def has_text(value: Any, place: str, note: Note) -> bool:
    """Note a turn's text that is no string or blank; return True when there is something in it."""
    if not has_type(value, str, place, note):
        return False
    if is_blank(value):
        note("empty_turn", place)
        return False
    return True


def note_order(turns: Sequence[Message], note: Note) -> None:
    """Note a system message that is not first and turns that do not alternate from the user."""
    previous: Message | None = None
    for position, turn in enumerate(turns):
        if turn.role == "system":
            if position:
                is_second = any(one.role == "system" for one in turns[:position])
                note("misplaced_system", turn.place, "one stands before it" if is_second else "")
            continue
        if previous is None and turn.role != "user":
            note("first_turn_not_user", turn.place, f"it is {turn.role}")
        elif previous is not None and previous.role == turn.role:
            note("roles_do_not_alternate", turn.place, f"{turn.role} after {turn.role}")
        previous = turn


def note_answers(turns: Sequence[Message], place: str, note: Note) -> None:
    """Note a conversation that nobody answers at its end, or that trains nothing."""
    if turns and turns[-1].role == "user":
        note("ends_without_answer", turns[-1].place)
    if not any(turn.trains for turn in turns):
        note("no_trainable_answer", place)
