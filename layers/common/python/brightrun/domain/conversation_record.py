"""The row of a stored conversation, and the parsed file beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from brightrun.errors import VersionConflictError

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
    """One conversation as the lists show it; bodies are objects, the row holds their keys.

    Statuses are the original's: `status` is the review, `processing_status` the writing,
    `enrichment_status` the enrichment. Sizes in bytes, money in millionths of a dollar.
    `enrichment_stages` holds a {status, started_at, completed_at, error} by stage; `revisions`
    the {version, file_path, edited_by, edited_at, reason, turn_number} of each edit, oldest first;
    `version` counts the row's writes. An imported conversation has no batch job and no item.
    `judgement` is advice by another model (domain/judgement.py); nothing is decided by it.
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
    origin: Origin = "generated"
    reviewed_by: str | None = None
    reviewed_at: str | None = None
    review_notes: str | None = None
    revisions: list[dict[str, Any]] = field(default_factory=list)
    parse_method_used: str = "direct"
    judgement: dict[str, Any] | None = None
    version: int = 1

    def state(self) -> dict[str, Any]:
        """What somebody whose write met a newer version needs to know."""
        names = ("version", "status", "enrichment_status", "updated_at", "reviewed_by")
        return {name: getattr(self, name) for name in names}


def overtaken(current: ConversationRecord) -> VersionConflictError:
    """Say that the row is no longer at the version that was seen, and what it is now."""
    return VersionConflictError(
        f"The conversation '{current.conversation_id}' was changed meanwhile; it is at version "
        f"{current.version} now. Read it again and repeat the change.",
        details=current.state(),
    )


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
