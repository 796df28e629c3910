"""One reader and one writer each for `messages`, conversation lines, ShareGPT and Alpaca.

A message's `weight` 0 marks an answer that is context only (the fine-tuning APIs' own field); it is
written only where it is needed, so that files without such answers stay plain.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from brightrun.formats.errors import RecordError
from brightrun.formats.model import Example, Speaker, Turn

Record = Mapping[str, Any]
_USER: Speaker = "user"
_ASSISTANT: Speaker = "assistant"
SHAREGPT_SPEAKERS: Mapping[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
}


class Message(msgspec.Struct):
    """One message of a `messages` line or one turn of a conversation line."""

    role: Literal["system", "user", "assistant"]
    content: str
    weight: Literal[0, 1] = 1


class MessagesRecord(msgspec.Struct):
    """A `messages` line."""

    messages: list[Message]
    metadata: dict[str, Any] = {}


class ConversationRecord(msgspec.Struct):
    """A conversation line."""

    conversation_id: str
    turns: list[Message]
    metadata: dict[str, Any] = {}


class ShareGptTurn(msgspec.Struct):
    """One turn of a ShareGPT record."""

    speaker: str = msgspec.field(name="from")
    value: str
    weight: Literal[0, 1] = 1


class ShareGptRecord(msgspec.Struct):
    """A ShareGPT record; `id` is the conversation's."""

    conversations: list[ShareGptTurn]
    id: str | int = ""
    system: str = ""


class AlpacaRecord(msgspec.Struct):
    """An Alpaca record: one exchange, with the earlier ones in `history`."""

    instruction: str
    output: str
    input: str = ""
    system: str = ""
    history: list[tuple[str, str]] | None = None


Shape = TypeVar("Shape")


def _shaped(record: Record, shape: type[Shape]) -> Shape:
    try:
        return msgspec.convert(record, shape)
    except msgspec.ValidationError as error:
        raise RecordError(str(error)) from error


def _example(messages: list[Message], conversation_id: str, fields: Record) -> Example:
    system = ""
    if messages and messages[0].role == "system":
        system, messages = messages[0].content, messages[1:]
    turns = []
    for message in messages:
        if message.role == "system":
            raise RecordError("a system message stands after the first message")
        trains = message.role == _ASSISTANT and message.weight == 1
        turns.append(Turn(message.role, message.content, trains))
    return Example(tuple(turns), system, conversation_id, fields)


def _messages(example: Example) -> list[dict[str, Any]]:
    system = [{"role": "system", "content": example.system}] if example.system.strip() else []
    return system + [
        {"role": turn.role, "content": turn.content, **_weight(turn)} for turn in example.turns
    ]


def _weight(turn: Turn) -> dict[str, int]:
    return {"weight": 0} if turn.role == _ASSISTANT and not turn.trains else {}


def read_messages(record: Record) -> Example:
    """Read a `messages` line; its metadata's conversation_id names the conversation."""
    shaped = _shaped(record, MessagesRecord)
    fields = dict(shaped.metadata)
    conversation_id = fields.pop("conversation_id", "")
    return _example(shaped.messages, str(conversation_id), fields)


def write_messages(example: Example, _position: int) -> Iterator[dict[str, Any]]:
    """Write one `messages` line, with `metadata` where there is any."""
    identity = {"conversation_id": example.conversation_id} if example.conversation_id else {}
    metadata = {**identity, **example.fields}
    yield {"messages": _messages(example), **({"metadata": metadata} if metadata else {})}


def read_conversation(record: Record) -> Example:
    """Read a conversation line."""
    shaped = _shaped(record, ConversationRecord)
    return _example(shaped.turns, shaped.conversation_id, shaped.metadata)


def write_conversation(example: Example, position: int) -> Iterator[dict[str, Any]]:
    """Write one conversation line; a conversation without an id is named by its position."""
    name = example.conversation_id or f"conversation_{position:06d}"
    metadata = {"metadata": dict(example.fields)} if example.fields else {}
    yield {"conversation_id": name, "turns": _messages(example), **metadata}


def read_sharegpt(record: Record) -> Example:
    """Read a ShareGPT record; `human`/`user` and `gpt`/`assistant`/`chatgpt` are the speakers."""
    shaped = _shaped(record, ShareGptRecord)
    messages = [Message("system", shaped.system)] if shaped.system.strip() else []
    for at, turn in enumerate(shaped.conversations):
        role = SHAREGPT_SPEAKERS.get(turn.speaker)
        if role is None:
            raise RecordError(f"unknown speaker {turn.speaker!r} - at `$.conversations[{at}].from`")
        messages.append(Message(role, turn.value, turn.weight))
    return _example(messages, str(shaped.id), {})


def write_sharegpt(example: Example, _position: int) -> Iterator[dict[str, Any]]:
    """Write one ShareGPT record."""
    speakers = {_USER: "human", _ASSISTANT: "gpt"}
    system = [{"from": "system", "value": example.system}] if example.system.strip() else []
    turns: list[dict[str, Any]] = [
        {"from": speakers[turn.role], "value": turn.content, **_weight(turn)}
        for turn in example.turns
    ]
    identity = {"id": example.conversation_id} if example.conversation_id else {}
    yield {**identity, "conversations": system + turns}


def read_alpaca(record: Record) -> Example:
    """Read an Alpaca record; instruction and input are joined by a newline, output trains."""
    shaped = _shaped(record, AlpacaRecord)
    asked = "\n".join(part for part in (shaped.instruction, shaped.input) if part.strip())
    earlier = [
        turn
        for user, answer in shaped.history or ()
        for turn in (Turn(_USER, user), Turn(_ASSISTANT, answer))
    ]
    answer = Turn(_ASSISTANT, shaped.output, trains=bool(shaped.output.strip()))
    return Example((*earlier, Turn(_USER, asked), answer), shaped.system)


def write_alpaca(example: Example, _position: int) -> Iterator[dict[str, Any]]:
    """Write one Alpaca record per trained answer, what came before it as `history`."""
    for at, answer in enumerate(example.turns):
        if not answer.trains:
            continue
        earlier = [turn.content for turn in example.turns[: at - 1]]
        history = [[user, reply] for user, reply in zip(earlier[::2], earlier[1::2], strict=True)]
        yield {
            "instruction": example.turns[at - 1].content,
            "input": "",
            "output": answer.content,
            **({"system": example.system} if example.system.strip() else {}),
            **({"history": history} if history else {}),
        }
