"""brightrun-lora-v4 pairs: one dictionary per turn, the target null when the turn is the user's.

Two quirks of the files in the wild are read and not written: the history may end with the current
user turn once more, and a target may be null or blank (stored, not trainable).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from brightrun.formats.chat import system_beside
from brightrun.formats.fields import (
    RECORD_FLAGS,
    SYSTEM_FIELDS,
    may_train,
    name_of,
    note_fields,
)
from brightrun.formats.model import Example
from brightrun.formats.rules import (
    Kind,
    Message,
    Note,
    RowShape,
    Rules,
    TurnShape,
    has_name,
    has_text,
    has_type,
    note_missing,
    note_order,
)
from brightrun.formats.text import ends_cut, is_blank

VERSION = "4.0.0"
FORMAT_SPEC = "brightrun-lora-v4"
_TURN_SUFFIX = re.compile(r"_turn\d+$")
CARRIED = ("id", "turn_number", "conversation_metadata", "emotional_context", "training_metadata")
NULLABLE = ("target_response",)
"""A pair without a target is null there: it is stored, and not trained on."""
TEXTS = ("system_prompt", "conversation_history", "current_user_input", "target_response")


def is_trainable(pair: Mapping[str, Any]) -> bool:
    """True when the pair has a target with something in it, which was not cut off."""
    target = pair.get("target_response")
    return isinstance(target, str) and not is_blank(target) and not ends_cut(target)


def repeats_user_turn(record: Mapping[str, Any]) -> bool:
    """True when the history ends with the current user turn, as v1 wrote it; it is read once."""
    history = record.get("conversation_history")
    last = history[-1] if isinstance(history, list) and history else None
    return (
        isinstance(last, dict)
        and last.get("role") == "user"
        and last.get("content") == record.get("current_user_input")
    )


def lines_of(example: Example, position: int) -> Iterator[dict[str, Any]]:
    """Write one JSONL line per trained answer; `position` names a conversation that has no id."""
    conversation_id = example.conversation_id or f"conversation_{position:06d}"
    fitting = {name: value for name, value in example.fields.items() if _has_place(name, value)}
    own = fitting if example.trainable == 1 else {}
    about = {name: value for name, value in example.fields.items() if name not in fitting}
    about = {**fitting.get("conversation_metadata", {}), **about}
    for at, answer in enumerate(example.turns):
        if not answer.trains:
            continue
        earlier = example.turns[: at - 1]
        yield {
            "id": own.get("id", f"{conversation_id}_turn{at + 1}"),
            "conversation_id": conversation_id,
            "turn_number": own.get("turn_number", at + 1),
            "conversation_metadata": about,
            "system_prompt": example.system,
            "conversation_history": [
                {"turn": number, "role": turn.role, "content": turn.content}
                for number, turn in enumerate(earlier, 1)
            ],
            "current_user_input": example.turns[at - 1].content,
            "emotional_context": own.get("emotional_context", {}),
            "target_response": answer.content,
            "training_metadata": own.get("training_metadata", {}),
        }


def keeps(example: Example) -> Collection[str]:
    """The fields of an example that its pairs hold: one pair all, several what is true of all."""
    if example.trainable == 1:
        return example.fields.keys()
    return [
        name
        for name, value in example.fields.items()
        if name == "conversation_metadata" or not _has_place(name, value)
    ]


def _has_place(name: str, value: Any) -> bool:
    """True for a field that a pair has too, of a type that it may have there."""
    if name == "id":
        return bool(name_of(value).strip())
    if name == "turn_number":
        return bool(name_of(value)) and not isinstance(value, str)
    return name in CARRIED and isinstance(value, dict)


def line_of_pair(pair: Mapping[str, Any], conversation_id: str) -> dict[str, Any]:
    """Turn a stored pair into its JSONL line: the id gains the conversation's first 8 characters.

    Key order and every other field stay as they came, as in v1.
    """
    line_id = f"{pair.get('id', 'pair')}_{conversation_id[:8]}"
    return {**pair, "id": line_id, "conversation_id": conversation_id}


def pair_of_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a JSONL line back into a stored pair, the inverse of `line_of_pair`."""
    suffix = f"_{str(line.get('conversation_id', ''))[:8]}"
    pair_id = str(line.get("id", "pair")).removesuffix(suffix)
    return {**line, "id": pair_id, "conversation_id": _TURN_SUFFIX.sub("", pair_id)}


_NEEDED: Mapping[str, Kind] = {
    "id": "name",
    "conversation_id": "name",
    "current_user_input": "text",
    "target_response": "text",
}
_CUSTOMARY: Mapping[str, Kind] = {
    "turn_number": "integer",
    "conversation_metadata": "object",
    "system_prompt": "string",
    "emotional_context": "object",
    "training_metadata": "object",
}
_HISTORY = TurnShape(
    field="conversation_history",
    fields={"turn": "any", "role": "role", "content": "text", "emotional_state": "any"},
    roles=("user", "assistant"),
    optional=("turn", "emotional_state"),
)
_REQUIRED = ("id", "conversation_id", _HISTORY.field, "current_user_input", "target_response")
_TYPES: Mapping[str, type] = {
    "turn_number": int,
    "conversation_metadata": dict,
    "conversation_history": list,
    "emotional_context": dict,
    "training_metadata": dict,
}


def _check(record: dict[str, Any], note: Note) -> list[Message]:
    """Note every problem of a pair and return its texts, the target last if it trains."""
    return system_beside(record, note) + _turns(record, note)


def _turns(record: dict[str, Any], note: Note) -> list[Message]:
    incomplete = _note_fields(record, note)
    if incomplete or not isinstance(record["conversation_history"], list):
        return []
    history = [
        _turn(turn, index, note) for index, turn in enumerate(record["conversation_history"])
    ]
    turns = [turn for turn in history if turn is not None]
    if len(turns) < len(history):
        return turns
    user_input, place = record["current_user_input"], "/current_user_input"
    if not has_text(user_input, place, note):
        return turns
    if turns and turns[-1].role == "user" and turns[-1].text == user_input:
        turns.pop()  # see repeats_user_turn
    turns.append(Message(place, "user", user_input, False))
    note_order(turns, note)
    return turns + _target(record, note)


def _note_fields(record: dict[str, Any], note: Note) -> bool:
    """Note fields that are missing, unknown or mistyped; True if one needed is absent."""
    note_fields(record, (*_REQUIRED, *_CUSTOMARY, *SYSTEM_FIELDS, *RECORD_FLAGS), "", note)
    note_missing(record, tuple(_CUSTOMARY), "", note, code="missing_metadata")
    for name in ("id", "conversation_id"):
        if name in record:
            has_name(record[name], f"/{name}", note)
    for name, expected in _TYPES.items():
        if name in record:
            has_type(record[name], expected, f"/{name}", note)
    return note_missing(record, _REQUIRED, "", note)


def _target(record: dict[str, Any], note: Note) -> list[Message]:
    target, place = record["target_response"], "/target_response"
    trains = may_train(record, RECORD_FLAGS, "", note)
    if target is None or (isinstance(target, str) and is_blank(target)):
        note("null_target", place)
        return []
    if not has_type(target, str, place, note):
        return []
    return [Message(place, "assistant", target, trains)]


def _turn(turn: Any, index: int, note: Note) -> Message | None:
    place = f"/conversation_history/{index}"
    if not has_type(turn, dict, place, note):
        return None
    note_fields(turn, tuple(_HISTORY.fields), place, note)
    if note_missing(turn, ("role", "content"), place, note):
        return None
    role = turn["role"]
    if role == "system":
        note("misplaced_system", place + "/role")
    elif role not in ("user", "assistant"):
        note("unknown_role", place + "/role", f"it is {str(role)[:40]!r}")
    if not has_text(turn["content"], place + "/content", note):
        return None
    if role not in ("user", "assistant"):
        return None
    return Message(place + "/content", role, turn["content"], False)


RULES = Rules(
    check=_check,
    shape=RowShape(fields={**_NEEDED, **_CUSTOMARY}, turns=_HISTORY),
    group="conversation_id",
)
