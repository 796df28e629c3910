"""The fast path through sound lines: typed decoding, a few comparisons, nothing copied but texts.

There is no rule here.  A line is decoded straight into the fields that its format declares; which
of its texts count, and whether anything is wrong with it, depends only on its outline: who speaks
in turn, with which weights, and which texts are there.  So the format's own rules are asked once
for each outline, about a record made of it, and their verdict serves all lines that have it.

A check takes the lines of a chunk and returns the summary of each, or None when anything at all is
unusual; None means "parse it and let the rules explain", never "wrong".  Repeated keys of a record
or a turn are found by length: a line has exactly the bytes that writing its fields again takes,
plus one space per separator where the writer put spaces.  (A line crafted to leave out just as many
spaces as its repeated key adds would pass; then the last value counts, as in every JSON parser.)
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from brightrun.formats import (
    ID_FIELDS,
    METADATA,
    UNUSUAL,
    Format,
    Kind,
    RowShape,
    Rules,
    conversation_id_of,
)
from brightrun.validation.raw_fields import raw_fields_check
from brightrun.validation.record_summary import FastCheck, Line, RecordSummary
from brightrun.validation.report import ProblemRecorder, Report

_LONGEST_OUTLINE = 200  # more turns are explained one line at a time
_MOST_OUTLINES = 512  # bounds the memory for a hostile file's outlines
_EMPTY = Raw(b'""')
_ABSENT, _SAID, _BLANK = 0, 1, 2  # a text beside the turns
_UNSEEN: Any = object()
_TEXTS = frozenset({"text", "string"})
_encode = msgspec.json.Encoder().encode
_value = msgspec.json.Decoder().decode
_ID_IN_METADATA = ID_FIELDS[0].encode()

# Metadata of bounded depth: what nests deeper is parsed, where depth is counted.
_Scalar = str | int | float | bool | None
_Flat = _Scalar | list[_Scalar]
_Nested = _Flat | dict[str, _Flat]
_Deeper = _Flat | dict[str, _Nested]
_Metadata = dict[str, _Deeper]
Name = Annotated[str, Meta(pattern=r"\S")]
_RAW_KINDS: Mapping[Kind, Any] = {
    "name": Name,
    "integer": int,
    "object": _Metadata,
    "any": _Scalar | _Metadata,
}
_PLACEHOLDERS: Mapping[Kind, Any] = {"name": "x", "integer": 1, "object": {}, "any": {}}


class _Outline(NamedTuple):
    """The rules' verdict on all records of one outline.

    `kept` says which texts count, those of the turns first; None if they are just these.
    """

    kept: Sequence[int] | None
    trained: Sequence[int]
    turns: int
    pairs: int


@cache
def fast_check(format_: Format) -> FastCheck:
    """Return the check of a format; it is built once and keeps nothing of a file but outlines."""
    if format_.rules is None or format_.rules.shape is None:
        return lambda lines: [None] * len(lines)
    return _FastPath(format_, format_.rules, format_.rules.shape).check


class _FastPath:
    """Decodes lines of one format and checks their small fields together."""

    def __init__(self, format_: Format, rules: Rules, shape: RowShape) -> None:
        self._summarize = _RowReader(format_, rules, shape).summarize
        self._decode = msgspec.json.Decoder(_row_struct(shape, rules.group)).decode
        self._raw_checks = [
            (gather, raw_fields_check(type_))
            for kind, type_ in _RAW_KINDS.items()
            if (gather := _gather(shape, kind, rules.group))
        ]

    def check(self, lines: Sequence[Line]) -> list[RecordSummary | None]:
        """Take the lines of a chunk."""
        try:
            rows = list(map(self._decode, lines))
        except UNUSUAL:
            rows = list(map(self._decoded, lines))
        if self._are_sound([row for row in rows if row is not None]):
            return [
                None if row is None else self._summarize(line, row)
                for line, row in zip(lines, rows, strict=True)
            ]
        return list(map(self._summary_if_sound, lines, rows))

    def _decoded(self, line: Line) -> Any:
        try:
            return self._decode(line)
        except UNUSUAL:
            return None

    def _are_sound(self, rows: Sequence[Any]) -> bool:
        return all(check(gather(rows)) for gather, check in self._raw_checks)

    def _summary_if_sound(self, line: Line, row: Any) -> RecordSummary | None:
        sound = row is not None and self._are_sound((row,))
        return self._summarize(line, row) if sound else None


class _RowReader:
    """Summarizes decoded lines of one format; remembers the verdicts on their outlines."""

    def __init__(self, format_: Format, rules: Rules, shape: RowShape) -> None:
        self._check = rules.check
        self._shape = shape
        self._whole_conversations = format_.one_record_per_conversation
        self._outlines: dict[Any, _Outline | None] = {}
        self._own_names = [name for name, kind in shape.fields.items() if kind in _TEXTS]
        self._own = _getters(shape.fields, self._own_names)
        self._group = _getters(shape.fields, {rules.group})
        ids = [name for name in shape.fields if name in (*ID_FIELDS, METADATA)]
        self._ids = [] if self._group else list(zip(ids, _getters(shape.fields, ids), strict=True))
        self._optional = _getters(shape.fields, shape.optional)
        self._separators = 2 * len(shape.known) - 1
        turns = shape.turns
        self._has_turns = turns is not None
        if turns is not None:
            self._has_weights = "weight" in turns.fields.values()
            others = [name for name in turns.optional if turns.fields[name] != "weight"]
            self._optional_in_turns = _getters(turns.fields, others)
            self._turn_separators = 2 * (len(turns.fields) - len(turns.optional))

    def summarize(self, line: Line, row: Any) -> RecordSummary | None:
        """The summary of a line decoded into `row`; None where the rules have to explain it."""
        texts: list[Raw] = []
        roles: Sequence[str] = ()
        weights: Sequence[Any] = ()
        states: Sequence[int] = ()
        own: list[Any] = []
        if self._has_turns:
            turns = row.turns
            texts = [turn.text for turn in turns]
            roles = tuple([turn.role for turn in turns])
            if self._has_weights:
                weights = tuple([turn.weight for turn in turns])
        if self._own:
            own = [get(row) for get in self._own]
            states = _states(own, texts)
        outline = self._outlines.get((roles, weights, states), _UNSEEN)
        if outline is _UNSEEN:
            outline = self._judged(roles, weights, states)
        beyond = len(line) - len(_encode(row))
        if outline is None or (beyond and beyond != self._spaces(row, weights)):
            return None
        if outline.kept is not None:
            every = texts + own
            texts = [every[at] for at in outline.kept]
        group = self._group[0](row) if self._group else self._id_of(row)
        joined = b"".join(texts)
        return RecordSummary(texts, outline.trained, joined, outline.turns, outline.pairs, group)

    def _id_of(self, row: Any) -> str:
        """The id of the conversation, where one may stand; decoded only if it does."""
        held = {name: raw for name, get in self._ids if (raw := get(row)) is not UNSET}
        if METADATA in held and _ID_IN_METADATA not in bytes(held[METADATA]):
            del held[METADATA]
        if not held:
            return ""
        return conversation_id_of({name: _value(raw) for name, raw in held.items()})

    def _spaces(self, row: Any, weights: Sequence[Any]) -> int:
        """Commas and colons outside the Raw fields of a line, where a writer may put a space."""
        count = self._separators
        for get in self._optional:
            count -= 2 * (get(row) is UNSET)
        if self._has_turns and row.turns:
            count += len(row.turns) * self._turn_separators - 1
            count += 2 * (len(weights) - weights.count(UNSET))
            for get in self._optional_in_turns:
                count += 2 * sum([get(turn) is not UNSET for turn in row.turns])
        return count

    def _judged(
        self, roles: Sequence[str], weights: Sequence[Any], states: Sequence[int]
    ) -> _Outline | None:
        """Ask the rules about an outline, and remember what they say; None if they object."""
        if len(roles) > _LONGEST_OUTLINE:
            return None
        if len(self._outlines) >= _MOST_OUTLINES:
            self._outlines.clear()
        report = Report(cap=0)
        record, places = self._record(roles, weights, states)
        messages = self._check(record, ProblemRecorder(report, 1))
        outline = None
        if not report.summary():
            kept = [places.index(message.place) for message in messages]
            turns = sum(message.role in {"user", "assistant"} for message in messages)
            outline = _Outline(
                kept=None if kept == list(range(len(roles))) else kept,
                trained=[at for at, message in enumerate(messages) if message.trains],
                turns=turns,
                pairs=turns if self._whole_conversations else 1,
            )
        self._outlines[roles, weights, states] = outline
        return outline

    def _record(
        self, roles: Sequence[str], weights: Sequence[Any], states: Sequence[int]
    ) -> tuple[dict[str, Any], list[str]]:
        """Make a record of an outline, and say where its texts stand."""
        record: dict[str, Any] = {
            name: _PLACEHOLDERS[kind]
            for name, kind in self._shape.fields.items()
            if kind in _PLACEHOLDERS
        }
        own = dict(zip(self._own_names, states, strict=False))
        record |= {name: f"{name}." * (state == _SAID) for name, state in own.items() if state}
        places = [f"/{name}" for name in own]
        turn = self._shape.turns
        if turn is None:
            return record, places
        said = [f"turn {at}" for at in range(len(roles))]
        if len(states) > len(own):  # the last turn says the same as one of the fields
            said[-1] = record[self._own_names[states[-1]]]
        others = {n: _PLACEHOLDERS[kind] for n, kind in turn.fields.items() if kind == "any"}
        made = [
            {**others, turn.role: role, turn.text: text}
            for role, text in zip(roles, said, strict=True)
        ]
        for one, weight in zip(made, weights, strict=False):
            if weight is not UNSET:
                one["weight"] = weight
        record[turn.field] = made
        return record, [f"/{turn.field}/{at}/{turn.text}" for at in range(len(roles))] + places


def _states(own: Sequence[Any], texts: Sequence[Raw]) -> tuple[int, ...]:
    """Which texts beside the turns are there, and which of them the last turn repeats, if any."""
    states = [_ABSENT if text is UNSET else _BLANK if text == _EMPTY else _SAID for text in own]
    if texts and texts[-1] in own:
        states.append(own.index(texts[-1]))
    return tuple(states)


def _row_struct(shape: RowShape, group: str) -> Any:
    """The type of a record: its texts and small fields stay Raw, neither unescaped nor copied."""
    fields: list[tuple[str, str, Any, bool]] = [
        (_attribute(at), name, Name if name == group else Raw, name in shape.optional)
        for at, name in enumerate(shape.fields)
    ]
    if shape.turns is not None:
        types: Mapping[Kind, Any] = {"role": Literal[*shape.turns.roles], "weight": Literal[0, 1]}
        turn: Any = _struct(
            (
                kind if kind in ("role", "text", "weight") else _attribute(at),
                name,
                types.get(kind, Raw),
                name in shape.turns.optional,
            )
            for at, (name, kind) in enumerate(shape.turns.fields.items())
        )
        fields.append(("turns", shape.turns.field, list[turn], False))
    return _struct(fields)


def _struct(fields: Iterable[tuple[str, str, Any, bool]]) -> Any:
    """A type of fields given by attribute, key, type, and whether they may be left out."""
    ordered = sorted(fields, key=lambda field: field[3])
    return msgspec.defstruct(
        "Row",
        [
            (attribute, type_ | UnsetType, UNSET) if optional else (attribute, type_)
            for attribute, _, type_, optional in ordered
        ],
        rename={attribute: key for attribute, key, _, _ in ordered},
        forbid_unknown_fields=True,
        gc=False,
    )


def _attribute(at: int) -> str:
    return f"field_{at}"


def _getters(fields: Iterable[str], chosen: Collection[str]) -> list[Callable[[Any], Any]]:
    return [attrgetter(_attribute(at)) for at, name in enumerate(fields) if name in chosen]


def _gather(shape: RowShape, kind: Kind, group: str) -> Callable[[Sequence[Any]], list[Raw]] | None:
    """What collects the Raw fields of one kind from rows and their turns, if it has any."""
    named = {name for name, found in shape.fields.items() if found == kind and name != group}
    own, in_turns = _getters(shape.fields, named), []
    if shape.turns is not None:
        fields = shape.turns.fields
        in_turns = _getters(fields, {name for name, found in fields.items() if found == kind})
    if not own and not in_turns:
        return None

    def gather(rows: Sequence[Any]) -> list[Raw]:
        turns = [turn for row in rows for turn in row.turns] if in_turns else []
        values = [value for get in own for value in map(get, rows)]
        values += [value for get in in_turns for value in map(get, turns)]
        return [value for value in values if value is not UNSET]

    return gather
