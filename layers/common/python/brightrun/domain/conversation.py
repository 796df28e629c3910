"""The conversation Claude is asked for: its schema, and what our own checks make of the answer."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brightrun.domain.turn_text import is_cut_off, literal_escape, same_words
from brightrun.errors import ConversationRefusedError

_TEXT = {"type": "string"}

RAW_CONVERSATION_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["conversation_metadata", "turns"],
    "properties": {
        "conversation_metadata": {
            "type": "object",
            "additionalProperties": False,
            "required": ["client_persona", "session_context", "conversation_phase"],
            "properties": {
                "client_persona": {**_TEXT, "description": "Name and archetype of the client."},
                "session_context": {**_TEXT, "description": "When and why they talk: a sentence."},
                "conversation_phase": {**_TEXT, "description": "A short snake_case phase name."},
                "expected_outcome": {**_TEXT, "description": "What the client leaves with."},
            },
        },
        "turns": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["turn_number", "role", "content", "emotional_context"],
                "properties": {
                    "turn_number": {"type": "integer", "description": "1 for the first turn."},
                    "role": {"type": "string", "enum": ["user", "assistant"]},
                    "content": {**_TEXT, "description": "What is said, as plain text."},
                    "emotional_context": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["primary_emotion", "intensity"],
                        "properties": {
                            "primary_emotion": {**_TEXT, "description": "One word."},
                            "secondary_emotion": {**_TEXT, "description": "One word, if any."},
                            "intensity": {"type": "number", "description": "From 0 to 1."},
                        },
                    },
                },
            },
        },
    },
}
"""The structured-output contract of the original (its part 1.1), as the API accepts it: no bounds,
which structured outputs do not support; `read_conversation` holds the bounds."""

Sentence = Annotated[str, Field(min_length=1)]


class EmotionalContext(BaseModel):
    """What the speaker of a turn feels; intensity from 0 to 1."""

    model_config = ConfigDict(extra="forbid", strict=True)

    primary_emotion: Sentence
    secondary_emotion: str | None = None
    intensity: Annotated[float, Field(ge=0, le=1)]


class Turn(BaseModel):
    """One thing said by the client (user) or the consultant (assistant)."""

    model_config = ConfigDict(extra="forbid", strict=True)

    turn_number: int
    role: Literal["user", "assistant"]
    content: str
    emotional_context: EmotionalContext


class ConversationMetadata(BaseModel):
    """Who talks, when and why."""

    model_config = ConfigDict(extra="forbid", strict=True)

    client_persona: Sentence
    session_context: Sentence
    conversation_phase: Sentence
    expected_outcome: str | None = None


class RawConversation(BaseModel):
    """A conversation that passed every check of `read_conversation`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    conversation_metadata: ConversationMetadata
    turns: list[Turn]


def read_conversation(text: str, *, min_exchanges: int, max_exchanges: int) -> RawConversation:
    """Read Claude's answer and hold it to our rules.

    An exchange is a user turn and its answer. Raises ConversationRefusedError with failure_type
    parse_error, truncation or validation_error and a named reason.
    """
    conversation = _parse(text)
    _check_turns(conversation.turns)
    _check_texts(conversation.turns)
    exchanges = len(conversation.turns) // 2
    if not min_exchanges <= exchanges <= max_exchanges:
        _refuse(
            "exchanges_out_of_range",
            f"The conversation has {exchanges} exchanges; its arc asks for "
            f"{min_exchanges} to {max_exchanges}.",
        )
    return conversation


def _parse(text: str) -> RawConversation:
    try:
        document = json.loads(text)
        # JSON can escape half a surrogate pair, which no file can hold.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise ConversationRefusedError(
            "parse_error", "invalid_json", f"The answer is not JSON: {error}."
        ) from error
    try:
        return RawConversation.model_validate(document)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in fault["loc"]) or "the document"
        raise ConversationRefusedError(
            "validation_error", "schema_violation", f"{where}: {fault['msg']}."
        ) from error


def _check_turns(turns: list[Turn]) -> None:
    if not turns:
        _refuse("no_turns", "The conversation has no turns.")
    for index, turn in enumerate(turns):
        where = f"Turn {index + 1}"
        if turn.turn_number != index + 1:
            _refuse("turn_numbers", f"{where} is numbered {turn.turn_number}.")
        if turn.role != ("user", "assistant")[index % 2]:
            _refuse("role_order", f"{where} is by the {turn.role}; roles must alternate from user.")
    if turns[-1].role != "assistant":
        _refuse("ends_on_user_turn", "The conversation ends on a user turn.")


def _check_texts(turns: list[Turn]) -> None:
    seen: dict[str, int] = {}
    for number, turn in enumerate(turns, start=1):
        if not turn.content.strip():
            _refuse("empty_turn", f"Turn {number} is empty.")
        if is_cut_off(turn.content):
            raise ConversationRefusedError(
                "truncation",
                "cut_off_turn",
                f"Turn {number} was cut off: it ends in a backslash.",
                pattern="trailing_backslash",
            )
        if escape := literal_escape(turn.content):
            _refuse("literal_escape", f"Turn {number} holds the escape {escape!r} as text.")
        same = same_words(turn.content)
        if same in seen:
            _refuse("repeated_turn", f"Turn {number} repeats turn {seen[same]}.")
        seen[same] = number


def _refuse(reason: str, message: str) -> None:
    raise ConversationRefusedError("validation_error", reason, message)
