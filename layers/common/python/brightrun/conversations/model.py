"""A conversation: Claude's answer and its checks, the stored row, and lists of rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from brightrun.conversations.quality.model import SEVERITIES
from brightrun.core.errors import ConversationRefusedError, VersionConflictError
from brightrun.core.json_text import require_encodable

# v1's constrained decoder ended a string at its first quote, and left a backslash.
_CUT_OFF = re.compile(r"\\\s*$")
_LITERAL_ESCAPE = re.compile(r"\\(?:[nrt\"]|u[0-9a-fA-F]{4})")
_GOES_ON = frozenset(",-\u2013\u2014([{<\\/&")
"""Marks that do not end a sentence; any other mark can, including an emoji."""


def is_cut_off(text: str) -> bool:
    """Whether the text ends in a backslash, like text that was cut off at a quote."""
    return bool(_CUT_OFF.search(text))


def is_finished(text: str) -> bool:
    """Whether the text ends in a mark that can end a sentence, rather than in a word."""
    last = text.rstrip()[-1:]
    return bool(last) and not last.isalnum() and last not in _GOES_ON


def literal_escape(text: str) -> str | None:
    """The first escape sequence in the text itself, as in text that was escaped twice."""
    match = _LITERAL_ESCAPE.search(text)
    return match[0] if match else None


def same_words(text: str) -> str:
    """The text with case and spacing normalised, to find repetitions."""
    return " ".join(text.split()).casefold()


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
"""v1's schema for structured outputs, without bounds, which structured outputs do not support;
`read_conversation` checks the bounds."""
Sentence = Annotated[str, Field(min_length=1)]
LONGEST_EMOTION = 100
"""Characters of an emotion, which is asked for as one word and stored in the row."""


class EmotionalContext(BaseModel):
    """The speaker's emotions in a turn; intensity from 0 to 1."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    primary_emotion: Annotated[str, Field(min_length=1, max_length=LONGEST_EMOTION)]
    secondary_emotion: str | None = None
    intensity: Annotated[float, Field(ge=0, le=1)]


class Turn(BaseModel):
    """One message of the client (user) or the consultant (assistant)."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    turn_number: int
    role: Literal["user", "assistant"]
    content: str
    emotional_context: EmotionalContext


class ConversationMetadata(BaseModel):
    """The client, and the context of the conversation."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    client_persona: Sentence
    session_context: Sentence
    conversation_phase: Sentence
    expected_outcome: str | None = None


class RawConversation(BaseModel):
    """A conversation as Claude writes it; `read_conversation` checks it."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    conversation_metadata: ConversationMetadata
    turns: list[Turn]


def parse_json(text: str) -> Any:
    """Parse JSON that can be stored as UTF-8; raises ValueError or RecursionError."""
    document = json.loads(text)
    require_encodable(text, document)
    return document


def read_conversation(text: str, *, min_exchanges: int, max_exchanges: int) -> RawConversation:
    """Parse and check Claude's answer.

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
        document = parse_json(text)
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


ReviewStatus = Literal["pending_review", "approved", "rejected", "archived"]
EnrichmentStatus = Literal[
    "not_started",
    "validation_failed",
    "validated",
    "enrichment_in_progress",
    "enriched",
    "normalization_failed",
    "completed",
]
Origin = Literal["generated", "imported"]


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """The row of a conversation; its bodies are objects, whose keys the row holds.

    The statuses are v1's: `status` of the review, `processing_status` of the generation,
    `enrichment_status` of the enrichment. Sizes in bytes, money in millionths of a dollar.
    `enrichment_stages` holds {status, started_at, completed_at, error} by stage, `revisions` a
    {version, file_path, edited_by, edited_at, reason, turn_number} for each edit, oldest first;
    `version` counts the writes of the row. An imported conversation has no batch job and no item.
    `flags` holds the codes of flags, `flag_details` a {code, severity, turn_number, message} for
    each turn. `judgement` is another model's advice (quality/judgement.py); it changes no score or
    status. `variation` is that of its item: above 0, the prompt had a hint. The scaffolding that it
    was made with is read from the plan of its batch, or from the
    source of an imported one (batches/plan.py).
    """

    owner_id: str
    conversation_id: str
    conversation_name: str
    batch_job_id: str
    item_id: str
    persona_id: str
    persona_key: str
    emotional_arc_id: str
    emotional_arc_key: str
    training_topic_id: str
    training_topic_key: str
    template_id: str
    tier: str
    turn_count: int
    starting_emotion: str
    ending_emotion: str
    file_path: str
    file_size: int
    raw_response_path: str
    raw_response_size: int
    model: str
    input_tokens: int
    output_tokens: int
    cost_micro_usd: int
    simulated: bool
    created_at: str
    updated_at: str
    created_by: str
    status: ReviewStatus = "pending_review"
    processing_status: str = "completed"
    enrichment_status: EnrichmentStatus = "not_started"
    enrichment_stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    enrichment_error: str | None = None
    enriched_file_path: str | None = None
    enriched_file_size: int | None = None
    enriched_at: str | None = None
    enrichment_version: str | None = None
    validation_report: dict[str, Any] | None = None
    quality_score: float | None = None
    quality_tier: str | None = None
    quality_reasons: list[str] = field(default_factory=list)
    quality_criteria: dict[str, float | None] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    flag_details: list[dict[str, Any]] = field(default_factory=list)
    origin: Origin = "generated"
    reviewed_by: str | None = None
    reviewed_at: str | None = None
    review_notes: str | None = None
    revisions: list[dict[str, Any]] = field(default_factory=list)
    parse_method_used: str = "direct"
    judgement: dict[str, Any] | None = None
    variation: int = 0
    version: int = 1

    @property
    def severe_flags(self) -> list[str]:
        """The codes of flags that a person must see before the conversation is trained on."""
        return [code for code in self.flags if SEVERITIES.get(code) == "severe"]

    def object_keys(self) -> frozenset[str]:
        """The keys of all objects that the row points to."""
        revised = (revision["file_path"] for revision in self.revisions)
        keys = (self.file_path, self.raw_response_path, self.enriched_file_path, *revised)
        return frozenset(key for key in keys if key)

    def state(self) -> dict[str, Any]:
        """The fields that a caller needs after a version conflict."""
        names = ("version", "status", "enrichment_status", "updated_at", "reviewed_by")
        return {name: getattr(self, name) for name in names}


def version_conflict(current: ConversationRecord) -> VersionConflictError:
    """Create the error for a row that changed since it was read, with its current state."""
    return VersionConflictError(
        f"The conversation '{current.conversation_id}' changed since it was read; it is now at "
        f"version {current.version}. Read it again and repeat the change.",
        details=current.state(),
    )


def parsed_document(
    checked_text: str, *, client_persona: str, input_parameters: dict[str, str]
) -> dict[str, Any]:
    """Create conversation.json: Claude's answer with the persona's name and the input parameters.

    `checked_text` must have passed `read_conversation`; its numbers and order stay as they are. The
    persona's name replaces that of the answer, since Claude tends to invent names.
    """
    document: dict[str, Any] = json.loads(checked_text)
    document["conversation_metadata"]["client_persona"] = client_persona
    document["input_parameters"] = input_parameters
    return document


def imported_snapshot(source: Mapping[str, Any]) -> dict[str, Any]:
    """The `scaffolding_snapshot` of an imported conversation, from the source that is stored of it.

    `system_prompt` is that of its first pair, empty if the source has none.
    """
    pairs = source.get("training_pairs")
    if not isinstance(pairs, list) or not pairs:
        return {"system_prompt": "", "imported_from": "raw"}
    shape = "training_json" if "conversation_metadata" in source else "enriched"
    return {"system_prompt": system_prompts(pairs)[0], "imported_from": shape}


def system_prompts(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The different system prompts of a conversation's pairs, in their order."""
    return list(dict.fromkeys(str(pair.get("system_prompt") or "") for pair in pairs))
