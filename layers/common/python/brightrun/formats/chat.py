"""The formats that hold a conversation as a list of turns: they differ in names only.

`messages`, conversation lines and ShareGPT.  Files in the wild mix those names, so that each is
read with the names of all; what is written has the format's own.  A turn's `weight` 0 marks an
answer that is context only (the fine-tuning APIs' own field); it is written only where it is
needed, so that files without such answers stay plain.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from brightrun.formats.fields import (
    ID_FIELDS,
    METADATA,
    RECORD_FLAGS,
    SYSTEM_FIELDS,
    TURN_FLAGS,
    folded,
    may_train,
    note_fields,
)
from brightrun.formats.model import Example, Format
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
    note_missing,
    note_order,
)
from brightrun.formats.text import is_blank

Role = Literal["system", "user", "assistant"]
ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
SPEAKERS: Mapping[str, Role] = {
    **ROLES,
    "developer": "system",
    **dict.fromkeys(("human", "prompter"), "user"),
    **dict.fromkeys(
        ("ai", "bard", "bing", "bot", "chatbot", "chatgpt", "gpt", "model"), "assistant"
    ),
}
"""What speakers are called in files, in any case; from OpenAI, ShareGPT, Gemini and their kin."""
_TOOL_ROLES = frozenset(
    {"tool", "tool_call", "tool_response", "function", "function_call", "observation", "ipython"}
)
_ROLE_FIELDS, _TEXT_FIELDS = ("role", "from", "speaker"), ("content", "value", "text", "parts")
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_PARTS = (
    ("media", ("image", "video", "audio", "file", "document", "media", "inline_data")),
    ("tool_calls", ("tool", "function", "executable_code", "code_execution")),
    ("reasoning_field", ("think", "thought", "reasoning")),
)
"""What parts of a content are not text, by a word of their type."""


@dataclass(frozen=True)
class ChatNames:
    """The names that one chat format uses; its writer and rules follow from them.

    `also` are other names of the field with the turns.  `roles` maps the names of speakers to what
    they mean; the first of each meaning is written.  `conversation_id` is where the id is written,
    else it stands among the fields of `metadata`; a format without metadata loses all other fields.
    `is_named` if every record must have its id.
    """

    turns: str
    also: Sequence[str] = ()
    role: str = "role"
    text: str = "content"
    roles: Mapping[str, Role] = field(default_factory=lambda: ROLES)
    conversation_id: str = ""
    is_named: bool = False
    metadata: str = ""
    system: str = ""

    @cached_property
    def shape(self) -> RowShape:
        """The fields of a record that is written as the format says."""
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

    @cached_property
    def texts(self) -> frozenset[str]:
        """The fields that hold what is said."""
        return frozenset({self.turns, *self.also, *SYSTEM_FIELDS})

    @cached_property
    def _speakers(self) -> Mapping[str, Role]:
        return {**SPEAKERS, **{name.casefold(): role for name, role in self.roles.items()}}

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
        opening = [{self.role: names["system"], self.text: system}] if system else []
        return opening + [
            {
                self.role: names[turn.role],
                self.text: turn.content,
                **({} if turn.trains or turn.role == "user" else {"weight": 0}),
            }
            for turn in example.turns
        ]

    def check(self, record: dict[str, Any], note: Note) -> list[Message]:
        """Note every problem of a record and return the turns that could be read."""
        turns = next((name for name in (self.turns, *self.also) if name in record), self.turns)
        known = {turns, self.conversation_id, METADATA, *ID_FIELDS, *SYSTEM_FIELDS, *RECORD_FLAGS}
        known.discard("")
        note_fields(record, known, "", note)
        trains = may_train(record, RECORD_FLAGS, "", note)
        named = self.conversation_id
        if self.is_named and named in record:
            has_name(record[named], f"/{named}", note)
        required = ([named] if self.is_named else []) + [turns]
        if note_missing(record, required, "", note):
            return []
        place = f"/{turns}"
        if not has_type(record[turns], list, place, note):
            return []
        if not record[turns]:
            note("empty_turns", place)
            return []
        read = self.read_turns(record[turns], place, note, trains=trains)
        found = [turn for turn in read if turn is not None]
        found = system_beside(record, note, found[:1]) + found
        if None not in read:  # with a broken turn nobody knows who should speak next
            note_order(found, note)
            note_answers(found, place, note)
        return found

    def read_turns(
        self, turns: Sequence[Any], place: str, note: Note, *, trains: bool = True
    ) -> list[Message | None]:
        """Read a list of turns; None stands for one that is broken.

        A blank system message is none at all. No answer trains unless `trains`.
        """
        read: list[Message | None] = []
        for index, turn in enumerate(turns):
            spot = f"{place}/{index}"
            for part, at in self._parts(turn, spot):
                found = self._read_turn(part, at, note, trains)
                if found is None or found.role != "system" or found.text:
                    read.append(found)
        return read

    def _parts(self, turn: Any, place: str) -> Iterator[tuple[Any, str]]:
        """A turn; two of them where an object holds an exchange by the names of its speakers."""
        if self._is_exchange(turn):
            for name, said in turn.items():
                yield {self.role: name, self.text: said}, place
        else:
            yield turn, place

    def _is_exchange(self, turn: Any) -> bool:
        return (
            isinstance(turn, dict)
            and bool(turn)
            and all(str(name).casefold() in self._speakers for name in turn)
            and all(isinstance(said, str) for said in turn.values())
        )

    def _read_turn(self, turn: Any, place: str, note: Note, trains: bool) -> Message | None:
        if not has_type(turn, dict, place, note):
            return None
        role_field = _first((self.role, *_ROLE_FIELDS), turn)
        text_field = _first((self.text, *_TEXT_FIELDS), turn)
        if note_fields(turn, (role_field, text_field, *TURN_FLAGS), place, note):
            return None
        if note_missing(turn, (role_field, text_field), place, note):
            return None
        role = self._read_role(turn[role_field], f"{place}/{role_field}", note)
        text_place = f"{place}/{text_field}"
        text = read_text(turn[text_field], text_place, note)
        if role == "system" and text is not None and is_blank(text):
            text = ""
        elif text is not None and not has_text(text, text_place, note):
            text = None
        learns = may_train(turn, TURN_FLAGS, place, note, role or "assistant")
        if role is None or text is None:
            return None
        return Message(text_place, role, text, role == "assistant" and learns and trains)

    def _read_role(self, name: Any, place: str, note: Note) -> Role | None:
        if not has_type(name, str, place, note):
            return None
        said = name.strip().casefold()
        role = self._speakers.get(said)
        if role is None:
            code = "tool_calls" if said in _TOOL_ROLES else "unknown_role"
            note(code, place, f"it is {name[:40]!r}")
        return role


def _first(names: Sequence[str], turn: Mapping[str, Any]) -> str:
    """The name under which a turn holds something, the format's own where it has none of them."""
    return next((name for name in names if name in turn), names[0])


def system_beside(
    record: Mapping[str, Any], note: Note, opening: Sequence[Message] = ()
) -> list[Message]:
    """Read the system prompt beside the turns; what is blank, or opens the turns too, is none."""
    found: list[Message] = []
    known = {one.text for one in opening if one.role == "system"}
    for name in SYSTEM_FIELDS:
        text = read_text(record[name], f"/{name}", note) if name in record else None
        if text is None or is_blank(text) or text in known:
            continue
        if found:
            note("misplaced_system", f"/{name}", "there is another one")
        found.append(Message(f"/{name}", "system", text, False))
        known.add(text)
    return found[:1]


def read_text(content: Any, place: str, note: Note) -> str | None:
    """What a content says: a string, or parts that are all text, joined as they stand.

    Notes parts that are something else; None when the content is not text.
    """
    if isinstance(content, dict) and isinstance(content.get("parts"), list):
        content, place = content["parts"], f"{place}/parts"
    if not isinstance(content, list):
        return content if has_type(content, str, place, note) else None
    texts = [_part(part, f"{place}/{index}", note) for index, part in enumerate(content)]
    return None if None in texts else "".join(text for text in texts if text is not None)


def _part(part: Any, place: str, note: Note) -> str | None:
    if isinstance(part, str):
        return part
    if not has_type(part, dict, place, note):
        return None
    there = {name: value for name, value in part.items() if value is not None}
    kind = _kind_of(there)
    if kind in _TEXT_PARTS and isinstance(part.get("text"), str):
        return None if note_fields(there, ("type", "text"), place, note) else part["text"]
    found = f"a part of the type {kind[:40]!r}"
    for code, words in _PARTS:
        if any(word in kind for word in words):
            note(code, place, found)
            return None
    note("wrong_type", place, f"{found} without text")
    return None


def _kind_of(part: Mapping[str, Any]) -> str:
    """The type of a part; Gemini's have none, and are told by the names of their fields."""
    if "type" in part:
        return folded(str(part["type"]))
    return "text" if "text" in part else ", ".join(map(folded, part))


def chat_format(names: ChatNames, *, warnings: tuple[str, ...] = (), **entry: Any) -> Format:
    """The entry of a format whose writer and rules follow from its names."""
    rules = Rules(
        check=names.check,
        shape=names.shape,
        group=names.conversation_id if names.is_named else "",
        warnings=warnings,
    )
    keeps = None if names.metadata else _keeps_nothing
    return Format(write=names.write, keeps=keeps, rules=rules, texts=names.texts, **entry)


def _keeps_nothing(_example: Example) -> Sequence[str]:
    return ()


MESSAGE_NAMES = ChatNames(turns="messages", also=("contents",), metadata=METADATA)
MESSAGES = chat_format(
    MESSAGE_NAMES,
    name="messages",
    title="messages JSONL",
    keys={"messages": 0, "contents": 1},
    described="'messages'",
    api_names=("messages",),
)
CONVERSATIONS = chat_format(
    ChatNames(turns="turns", conversation_id="conversation_id", is_named=True, metadata=METADATA),
    name="conversations",
    title="conversation lines",
    keys={"turns": 1, "conversation_id": 2},
    described="'turns'",
    api_names=("conversation",),
    joins_pairs=True,
    warnings=("no_trainable_answer",),
)
SHAREGPT = chat_format(
    ChatNames(
        turns="conversations",
        also=("conversation",),
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
    keys={"conversations": 0, "conversation": 1},
    described="'conversations' (ShareGPT)",
    api_names=("sharegpt",),
    joins_pairs=True,
)
