"""brightrun-lora-v4 pairs: one dictionary per turn, the target null when the turn is the user's.

Two quirks of the files in the wild are read and not written: the history may end with the current
user turn once more, and a target may be null or blank (stored, not trainable).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from brightrun.formats.errors import RecordError
from brightrun.formats.model import Example, Turn

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

    Key order and every other field stay as they came (original-system 1.5).
    """
    line_id = f"{pair.get('id', 'pair')}_{conversation_id[:8]}"
    return {**pair, "id": line_id, "conversation_id": conversation_id}


def pair_of_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a JSONL line back into a stored pair, the inverse of `line_of_pair`."""
    suffix = f"_{str(line.get('conversation_id', ''))[:8]}"
    pair_id = str(line.get("id", "pair")).removesuffix(suffix)
    return {**line, "id": pair_id, "conversation_id": _TURN_SUFFIX.sub("", pair_id)}
