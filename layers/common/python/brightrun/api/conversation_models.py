"""How conversations and links to files are shown."""

from __future__ import annotations

from math import ceil
from typing import Any, Literal, Self

from pydantic import AliasPath, Field

from brightrun.api.shapes import Answer, Part, Usd
from brightrun.domain.conversation_list import ConversationStatistics
from brightrun.domain.conversation_record import (
    EnrichmentStatus,
    Origin,
    ReviewStatus,
)
from brightrun.domain.scaffolding import Tier
from brightrun.services.list_conversations import Listed


class VerdictView(Part):
    """A judge's answer to one criterion."""

    score: int
    reason: str


class JudgementView(Part):
    """What another model thinks of a conversation: advice beside the score, never part of it."""

    rubric_version: str
    model: str
    generator_model: str
    score: float
    criteria: dict[str, VerdictView]
    input_tokens: int
    output_tokens: int
    cost_usd: Usd = Field(validation_alias="cost_micro_usd")
    simulated: bool
    judged_at: str
    job_id: str


class ConversationView(Part):
    """A conversation's row; `id` and `conversation_id` are the same value, sizes are in bytes."""

    id: str = Field(validation_alias=AliasPath("conversation_id"))
    conversation_id: str
    conversation_name: str
    batch_job_id: str
    status: ReviewStatus
    processing_status: str
    enrichment_status: EnrichmentStatus
    enrichment_error: str | None
    enriched_file_path: str | None
    enriched_file_size: int | None
    enriched_at: str | None
    quality_score: float | None
    quality_tier: str | None
    quality_reasons: list[str]
    quality_criteria: dict[str, float | None]
    flags: list[str]
    origin: Origin
    tier: Tier
    persona_id: str
    persona_key: str
    emotional_arc_id: str
    emotional_arc_key: str
    training_topic_id: str
    training_topic_key: str
    template_id: str
    turn_count: int
    starting_emotion: str
    ending_emotion: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: Usd = Field(validation_alias="cost_micro_usd")
    simulated: bool
    file_path: str
    file_size: int
    raw_response_path: str
    raw_response_size: int
    parse_method_used: str
    created_at: str
    updated_at: str
    reviewed_by: str | None
    reviewed_at: str | None
    review_notes: str | None
    revisions: list[dict[str, Any]]
    judgement: JudgementView | None
    version: int
    scaffolding_snapshot: dict[str, Any]


class ConversationList(Answer):
    """GET /api/conversations; page, total and totalPages where the list was asked for by page."""

    conversations: list[ConversationView]
    count: int
    limit: int
    page: int | None
    total: int | None
    total_pages: int | None = Field(serialization_alias="totalPages")
    next_cursor: str | None

    @classmethod
    def of(cls, listed: Listed, limit: int) -> Self:
        """Show a page of at most `limit` conversations."""
        shown = [ConversationView.model_validate(record) for record in listed.records]
        return cls(
            conversations=shown,
            count=len(shown),
            limit=limit,
            page=listed.page,
            total=listed.total,
            total_pages=None if listed.total is None else ceil(listed.total / limit),
            next_cursor=listed.next_cursor,
        )


class StatisticsAnswer(Answer):
    """GET /api/conversations/stats; the average is of the `scored` conversations."""

    total: int
    simulated: int
    by_status: dict[str, int]
    by_tier: dict[str, int]
    by_enrichment_status: dict[str, int]
    scored: int
    average_quality_score: float | None

    @classmethod
    def of(cls, sums: ConversationStatistics) -> Self:
        """Show the sums."""
        return cls(
            total=sums.total,
            simulated=sums.simulated,
            by_status=dict(sums.by_status),
            by_tier=dict(sums.by_tier),
            by_enrichment_status=dict(sums.by_enrichment),
            scored=sums.scored,
            average_quality_score=sums.average_quality,
        )


class TurnView(Part):
    """One turn, as the file has it."""

    turn_number: int
    role: Literal["user", "assistant"]
    content: str
    emotional_context: dict[str, Any]


class ConversationAnswer(Answer):
    """GET /api/conversations/{id}; turns with ?includeTurns=true, else null."""

    conversation: ConversationView
    turns: list[TurnView] | None = None


class DownloadAnswer(Answer):
    """A short-lived link to a file."""

    conversation_id: str
    download_url: str
    filename: str
    file_size: int | None
    expires_at: str
    expires_in_seconds: int
