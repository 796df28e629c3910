"""brightrun-lora-v4 pairs: one dictionary per turn, the target null when the turn is the user's.

Two quirks of the files in the wild are read and not written: the history may end with the current
user turn once more, and a target may be null or blank (stored, not trainable).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec

from brightrun.formats.errors import RecordError
from brightrun.formats.model import Example, Record, Row, RowTurn, Turn, system_turn
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
    note_extra,
    note_missing,
    note_order,
)

VERSION = "4.0.0"
FORMAT_SPEC = "brightrun-lora-v4"
_TURN_SUFFIX = re.compile(r"_turn\d+$")
CARRIED = ("id", "turn_number", "conversation_metadata", "emotional_context", "training_metadata")


class HistoryTurn(msgspec.Struct):
    """One earlier turn; what else it carries (turn, emotional_state) is not needed to train."""

    role: Literal["user", "assistant"]
    content: str


class Pair(msgspec.Struct):
    """The fields of a pair that training depends on."""

    conversation_history: list[HistoryTurn]
    current_user_input: str
    target_response: str | None
    system_prompt: str = ""
    conversation_id: str = ""


_NotEmpty = Annotated[str, msgspec.Meta(min_length=1)]


class _HistoryRowTurn(msgspec.Struct):
    """An earlier turn as the trainer takes it."""

    role: Literal["system", "user", "assistant"]
    content: _NotEmpty
    weight: Literal[0, 1] = 1


class _PairRow(msgspec.Struct):
    """The fields of a pair that the trainer reads: it forgives a missing history and nulls."""

    conversation_id: _NotEmpty
    target_response: str | None
    system_prompt: str | None = None
    conversation_history: list[_HistoryRowTurn] = []
    current_user_input: str | None = None


def is_trainable(pair: Mapping[str, Any]) -> bool:
    """True when the pair has a target with something in it."""
    target = pair.get("target_response")
    return isinstance(target, str) and bool(target.strip())


def clean_history(history: list[HistoryTurn], user_input: str) -> list[HistoryTurn]:
    """Drop the current user turn where the history repeats it as its last entry."""
    if history and history[-1].role == "user" and history[-1].content == user_input:
        return history[:-1]
    return history


def example_of(record: Mapping[str, Any]) -> Example:
    """Read one pair; raises RecordError naming the path of a field that is missing or mistyped."""
    try:
        pair = msgspec.convert(record, Pair)
    except msgspec.ValidationError as error:
        raise RecordError(str(error)) from error
    history = clean_history(pair.conversation_history, pair.current_user_input)
    turns = [Turn(turn.role, turn.content) for turn in history]
    if pair.current_user_input:
        turns.append(Turn("user", pair.current_user_input))
    if is_trainable(record):
        turns.append(Turn("assistant", pair.target_response or "", trains=True))
    return Example(
        turns=tuple(turns),
        system=pair.system_prompt,
        conversation_id=pair.conversation_id,
        fields={key: record[key] for key in CARRIED if key in record},
    )


def row_of(record: Record) -> Row:
    """Read one pair for the trainer: its target trains, its history never does.

    Raises RecordError naming the path of a field that is missing or mistyped.
    """
    try:
        pair = msgspec.convert(record, _PairRow)
    except msgspec.ValidationError as error:
        raise RecordError(str(error)) from error
    if not pair.target_response or not pair.target_response.strip():
        return Row([], pair.conversation_id, untrained="without_target")
    if not pair.current_user_input or not pair.current_user_input.strip():
        return Row([], pair.conversation_id, untrained="without_prompt")
    history = [RowTurn(turn.role, turn.content) for turn in pair.conversation_history]
    prompt = RowTurn("user", pair.current_user_input)
    last = history[-1:]
    repeats = bool(last) and (last[0].role, last[0].content) == ("user", prompt.content)
    context = [*system_turn(pair.system_prompt or ""), *(history[:-1] if repeats else history)]
    return Row(
        [*context, prompt, RowTurn("assistant", pair.target_response)],
        pair.conversation_id,
        context=len(context) + 1,
        repeats_user_turn=repeats,
    )


def lines_of(example: Example, position: int) -> Iterator[dict[str, Any]]:
    """Write one JSONL line per trained answer; `position` names a conversation that has no id."""
    conversation_id = example.conversation_id or f"conversation_{position:06d}"
    own = example.fields if example.trainable == 1 else {}
    for at, answer in enumerate(example.turns):
        if not answer.trains:
            continue
        earlier = example.turns[: at - 1]
        yield {
            "id": own.get("id", f"{conversation_id}_turn{at + 1}"),
            "conversation_id": conversation_id,
            "turn_number": own.get("turn_number", at + 1),
            "conversation_metadata": example.fields.get("conversation_metadata", {}),
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
    "system_prompt": str,
    "conversation_history": list,
    "emotional_context": dict,
    "training_metadata": dict,
}


def _check(record: dict[str, Any], note: Note) -> list[Message]:
    """Note every problem of a pair and return its texts, the target last if it trains."""
    return _system(record) + _turns(record, note)


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
        turns.pop()  # v1 writes the current user turn into the history as well
    turns.append(Message(place, "user", user_input, False))
    note_order(turns, note)
    return turns + _target(record["target_response"], note)


def _note_fields(record: dict[str, Any], note: Note) -> bool:
    """Note fields that are missing, unknown or mistyped; True if one needed is absent."""
    note_extra(record, (*_REQUIRED, *_CUSTOMARY), "", note)
    note_missing(record, tuple(_CUSTOMARY), "", note, code="missing_metadata")
    for name in ("id", "conversation_id"):
        if name in record:
            has_name(record[name], f"/{name}", note)
    for name, expected in _TYPES.items():
        if name in record:
            has_type(record[name], expected, f"/{name}", note)
    return note_missing(record, _REQUIRED, "", note)


def _system(record: dict[str, Any]) -> list[Message]:
    """The system prompt as a turn, for the checks of its text; none when it is blank."""
    prompt = record.get("system_prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        return []
    return [Message("/system_prompt", "system", prompt, False)]


def _target(target: Any, note: Note) -> list[Message]:
    place = "/target_response"
    if target is None or (isinstance(target, str) and not target.strip()):
        note("null_target", place)
        return []
    if not has_type(target, str, place, note):
        return []
    return [Message(place, "assistant", target, True)]


def _turn(turn: Any, index: int, note: Note) -> Message | None:
    place = f"/conversation_history/{index}"
    if not has_type(turn, dict, place, note):
        return None
    note_extra(turn, tuple(_HISTORY.fields), place, note)
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
