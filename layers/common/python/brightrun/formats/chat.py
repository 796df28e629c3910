"""The formats that hold a conversation as a list of turns: they differ in names only.

`messages`, conversation lines and ShareGPT.  A turn's `weight` 0 marks an answer that is context
only (the fine-tuning APIs' own field); it is written only where it is needed, so that files without
such answers stay plain.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import msgspec

from brightrun.formats.errors import RecordError
from brightrun.formats.model import Example, Format, Record, Row, RowTurn, Turn, system_turn
from brightrun.formats.rules import (
    Message,
    Note,
    RowShape,
    Rules,
    TurnShape,
    has_name,
    has_text,
    has_type,
    note_answers,
    note_extra,
    note_missing,
    note_order,
)

Role = Literal["system", "user", "assistant"]
ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
_TOOL_ROLES = frozenset({"tool", "function", "function_call", "observation"})
_NOT_EMPTY = "of length >= 1"


@dataclass(frozen=True)
class ChatNames:
    """The names that one chat format uses; its reader, writer and rules follow from them.

    `roles` maps the names of speakers to what they mean; the first of each meaning is written.
    What a conversion keeps besides texts, roles and weights: the conversation's id in
    `conversation_id`, else among the fields of `metadata`, and all other fields in `metadata`; a
    format that has neither loses them.  `is_named` if every record must have its id, `system` if a
    system prompt may stand beside the turns.
    """

    turns: str
    role: str = "role"
    text: str = "content"
    roles: Mapping[str, Role] = field(default_factory=lambda: ROLES)
    conversation_id: str = ""
    is_named: bool = False
    metadata: str = ""
    system: str = ""

    @cached_property
    def shape(self) -> RowShape:
        """The fields of a record."""
        optional = [name for name in (self.system, self.metadata) if name]
        if self.conversation_id and not self.is_named:
            optional.append(self.conversation_id)
        kinds: Mapping[str, Any] = {
            self.conversation_id: "name" if self.is_named else "any",
            self.system: "string",
            self.metadata: "any",
        }
        return RowShape(
            fields={name: kind for name, kind in kinds.items() if name},
            optional=optional,
            turns=TurnShape(
                field=self.turns,
                fields={self.role: "role", self.text: "text", "weight": "weight"},
                roles=tuple(self.roles),
                optional=("weight",),
            ),
        )

    def read(self, record: Record) -> Example:
        """Read a record; raises RecordError naming the path of what is missing or mistyped."""
        row = self._decoded(record, self._whole)
        fields: dict[str, Any] = dict(getattr(row, "metadata", {}))
        in_metadata = None if self.conversation_id else fields.pop("conversation_id", "")
        name = row.conversation_id if in_metadata is None else in_metadata
        return _example(self._turns(row), str(name), fields)

    def read_row(self, record: Record) -> Row:
        """Read a record for the trainer, which looks at the turns alone; raises RecordError."""
        row = self._decoded(record, self._plain)
        if not row.turns:
            raise RecordError(f"Expected `array` {_NOT_EMPTY} - at `$.{self.turns}`")
        for at, turn in enumerate(row.turns):
            if not turn.content:
                place = f"$.{self.turns}[{at}].{self.text}"
                raise RecordError(f"Expected `str` {_NOT_EMPTY} - at `{place}`")
        if self.is_named and not row.conversation_id:
            raise RecordError(f"Expected `str` {_NOT_EMPTY} - at `$.{self.conversation_id}`")
        name = row.conversation_id if self.is_named else ""
        return Row(self._turns(row), name)

    def write(self, example: Example, position: int) -> Iterator[dict[str, Any]]:
        """Write one record; a conversation that must have an id and has none gets its position."""
        name, fields = example.conversation_id, dict(example.fields)
        if self.is_named and not name:
            name = f"conversation_{position:06d}"
        if name and not self.conversation_id:
            fields = {"conversation_id": name, **fields}
        yield {
            **({self.conversation_id: name} if name and self.conversation_id else {}),
            self.turns: self._written(example),
            **({self.metadata: fields} if fields and self.metadata else {}),
        }

    def _written(self, example: Example) -> list[dict[str, Any]]:
        names = {meaning: name for name, meaning in reversed(list(self.roles.items()))}
        system = example.system
        opening = [{self.role: names["system"], self.text: system}] if system.strip() else []
        return opening + [
            {
                self.role: names[turn.role],
                self.text: turn.content,
                **({} if turn.trains or turn.role == "user" else {"weight": 0}),
            }
            for turn in example.turns
        ]

    def _decoded(self, record: Record, struct: Any) -> Any:
        try:
            return msgspec.convert(record, struct)
        except msgspec.ValidationError as error:
            raise RecordError(str(error)) from error

    def _turns(self, row: Any) -> list[RowTurn]:
        return system_turn(getattr(row, "system", "")) + [
            RowTurn(self.roles[turn.role], turn.content, turn.weight) for turn in row.turns
        ]

    @cached_property
    def _whole(self) -> Any:
        """The type of a record with all that a conversion keeps."""
        return self._struct(name=str if self.is_named else str | int, metadata=dict[str, Any])

    @cached_property
    def _plain(self) -> Any:
        """The type of a record of which only the turns are looked at, and an id that is needed."""
        return self._struct(name=str if self.is_named else Any, metadata=Any)

    def _struct(self, *, name: Any, metadata: Any) -> Any:
        turn = msgspec.defstruct(
            "Turn",
            [("role", Literal[*self.roles]), ("content", str), ("weight", Literal[0, 1], 1)],
            rename={"role": self.role, "content": self.text},
        )
        name_field = ("conversation_id", name) if self.is_named else ("conversation_id", name, "")
        fields: list[tuple[str, Any]] = [
            (self.conversation_id, name_field),
            (self.turns, ("turns", list[turn])),  # type: ignore[valid-type]
            (self.metadata, ("metadata", metadata, {})),
            (self.system, ("system", str, "")),
        ]
        own = [(key, field) for key, field in fields if key]
        return msgspec.defstruct(
            "Record",
            [field for _, field in own],
            rename={field[0]: key for key, field in own},
            kw_only=True,
        )

    def check(self, record: dict[str, Any], note: Note) -> list[Message]:
        """Note every problem of a record and return the turns that could be read."""
        required = ([self.conversation_id] if self.is_named else []) + [self.turns]
        note_extra(record, self.shape.known, "", note)
        if self.is_named and self.conversation_id in record:
            has_name(record[self.conversation_id], f"/{self.conversation_id}", note)
        if note_missing(record, required, "", note):
            return []
        place = f"/{self.turns}"
        if not has_type(record[self.turns], list, place, note):
            return []
        if not record[self.turns]:
            note("empty_turns", place)
            return []
        read = [
            self._checked_turn(turn, f"{place}/{index}", note)
            for index, turn in enumerate(record[self.turns])
        ]
        turns = self._opening(record, note) + [turn for turn in read if turn is not None]
        if None not in read:  # with a broken turn nobody knows who should speak next
            note_order(turns, note)
            note_answers(turns, place, note)
        return turns

    def _opening(self, record: dict[str, Any], note: Note) -> list[Message]:
        """Read the system prompt that may stand beside the turns."""
        if not self.system or self.system not in record:
            return []
        prompt, place = record[self.system], f"/{self.system}"
        if not has_type(prompt, str, place, note) or not prompt.strip():
            return []
        return [Message(place, "system", prompt, False)]

    def _checked_turn(self, turn: Any, place: str, note: Note) -> Message | None:
        if not has_type(turn, dict, place, note):
            return None
        note_extra(turn, (self.role, self.text, "weight"), place, note)
        if note_missing(turn, (self.role, self.text), place, note):
            return None
        role = self._checked_role(turn[self.role], f"{place}/{self.role}", note)
        text_place = f"{place}/{self.text}"
        has_words = has_text(turn[self.text], text_place, note)
        weight = turn.get("weight", 1)
        if weight not in (0, 1) or isinstance(weight, bool | float):
            note("invalid_weight", place + "/weight")
        elif "weight" in turn and role not in (None, "assistant"):
            note("invalid_weight", place + "/weight", f"on a {role} message")
        if role is None or not has_words:
            return None
        trains = role == "assistant" and weight != 0
        return Message(text_place, role, turn[self.text], trains)

    def _checked_role(self, name: Any, place: str, note: Note) -> Role | None:
        if not has_type(name, str, place, note):
            return None
        role = self.roles.get(name)
        if role is None:
            code = "tool_calls" if name in _TOOL_ROLES else "unknown_role"
            note(code, place, f"it is {name[:40]!r}")
        return role


def _example(turns: list[RowTurn], conversation_id: str, fields: Record) -> Example:
    system = ""
    if turns and turns[0].role == "system":
        system, turns = turns[0].content, turns[1:]
    read = []
    for turn in turns:
        if turn.role == "system":
            raise RecordError("a system message stands after the first message")
        trains = turn.role == "assistant" and turn.weight == 1
        read.append(Turn(turn.role, turn.content, trains))
    return Example(tuple(read), system, conversation_id, fields)


def chat_format(names: ChatNames, *, warnings: tuple[str, ...] = (), **entry: Any) -> Format:
    """The entry of a format whose reader, writer and rules follow from its names."""
    rules = Rules(
        check=names.check,
        shape=names.shape,
        group=names.conversation_id if names.is_named else "",
        warnings=warnings,
    )
    return Format(read=names.read, write=names.write, read_row=names.read_row, rules=rules, **entry)


MESSAGES = chat_format(
    ChatNames(turns="messages", metadata="metadata"),
    name="messages",
    title="messages JSONL",
    keys={"messages": 0},
    described="'messages'",
    api_names=("messages",),
)
CONVERSATIONS = chat_format(
    ChatNames(turns="turns", conversation_id="conversation_id", is_named=True, metadata="metadata"),
    name="conversations",
    title="conversation lines",
    keys={"turns": 1, "conversation_id": 2},
    described="'turns'",
    api_names=("conversation",),
    joins_pairs=True,
    warnings=("ends_without_answer", "no_trainable_answer"),
)
SHAREGPT = chat_format(
    ChatNames(
        turns="conversations",
        role="from",
        text="value",
        roles={
            "system": "system",
            "human": "user",
            "user": "user",
            "gpt": "assistant",
            "assistant": "assistant",
            "chatgpt": "assistant",
        },
        conversation_id="id",
        system="system",
    ),
    name="sharegpt",
    title="ShareGPT",
    keys={"conversations": 0},
    described="'conversations' (ShareGPT)",
    api_names=("sharegpt",),
    joins_pairs=True,
)
