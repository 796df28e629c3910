"""The row of a stored conversation, and the parsed file beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

ReviewStatus = Literal["pending_review", "approved", "rejected", "archived"]


@dataclass(frozen=True, slots=True)
class ConversationRecord:
    """One conversation as the lists show it; bodies are objects, the row holds their keys.

    Statuses are the original's: `status` is the review, `processing_status` the writing,
    `enrichment_status` the enrichment. Sizes in bytes, money in millionths of a dollar.
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
    scaffolding_snapshot: dict[str, Any]
    created_at: str
    updated_at: str
    created_by: str
    status: ReviewStatus = "pending_review"
    processing_status: str = "completed"
    enrichment_status: str = "not_started"
    parse_method_used: str = "direct"
    version: int = 1


def parsed_document(
    checked_text: str, *, client_persona: str, input_parameters: dict[str, str]
) -> dict[str, Any]:
    """Make conversation.json: Claude's answer under our persona's name, with what was asked for.

    Takes a text that `read_conversation` has passed and keeps its numbers and order as they came.
    Claude likes to invent names; the record's wins (part 1.2 of the original's formats).
    """
    document: dict[str, Any] = json.loads(checked_text)
    document["conversation_metadata"]["client_persona"] = client_persona
    document["input_parameters"] = input_parameters
    return document
