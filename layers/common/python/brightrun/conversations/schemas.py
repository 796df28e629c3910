"""Requests and responses of the routes that list, read and import conversations."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, Literal, Self

from pydantic import AliasPath, Field

from brightrun.conversations.import_conversations import ImportResult
from brightrun.conversations.model import (
    ConversationRecord,
    EnrichmentStatus,
    Origin,
    ReviewStatus,
)
from brightrun.conversations.quality.model import Severity
from brightrun.conversations.service import ConversationPage
from brightrun.core.fields import Tier
from brightrun.http.schemas import (
    NestedModel,
    PageCount,
    RequestModel,
    ResponseModel,
    Usd,
)


class VerdictView(NestedModel):
    """A judge's score of one criterion, and its reason."""

    score: int
    reason: str


class JudgementView(NestedModel):
    """Another model's judgement of a conversation; advice that is not part of the score."""

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


class FlagView(NestedModel):
    """What a person must see of a turn; turns are counted from 1.

    A severe flag limits the score to 2.4, a major one to 3.4, and one for review to 4.4.
    """

    code: str
    severity: Severity
    turn_number: int
    message: str


class ConversationSummary(NestedModel):
    """What lists show of a conversation, in about a kilobyte; sizes are in bytes.

    `id` and `conversation_id` have the same value; `flags` holds the codes of all flags and
    `severe_flags` those that a person must see before the conversation is trained on.
    """

    id: str = Field(validation_alias=AliasPath("conversation_id"))
    conversation_id: str
    conversation_name: str
    batch_job_id: str
    status: ReviewStatus
    processing_status: str
    enrichment_status: EnrichmentStatus
    enriched_at: str | None
    quality_score: float | None
    quality_tier: str | None
    flags: list[str]
    severe_flags: list[str]
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
    file_size: int
    created_at: str
    updated_at: str
    reviewed_by: str | None
    reviewed_at: str | None
    version: int


class ConversationView(ConversationSummary):
    """A conversation's row: its summary, its quality with reasons, and the keys of its files."""

    enrichment_error: str | None
    file_path: str
    enriched_file_path: str | None
    enriched_file_size: int | None
    raw_response_path: str
    raw_response_size: int
    parse_method_used: str
    quality_reasons: list[str]
    quality_criteria: dict[str, float | None]
    flag_details: list[FlagView]
    review_notes: str | None
    revisions: list[dict[str, Any]]
    judgement: JudgementView | None


class ConversationDetail(ConversationView):
    """A conversation's row, and the scaffolding that it was made with, as far as it is known."""

    scaffolding_snapshot: dict[str, Any] = Field(default_factory=dict)


class ConversationList(ResponseModel):
    """GET /api/conversations; page is null after a cursor."""

    conversations: list[ConversationSummary]
    count: PageCount
    limit: int
    page: int | None
    total: int = Field(description="How many match, on all pages.")
    total_pages: int = Field(serialization_alias="totalPages")
    next_cursor: str | None

    @classmethod
    def from_domain(cls, found: ConversationPage, limit: int) -> Self:
        """Create the response of a page of at most `limit` conversations."""
        return cls(
            conversations=found.records,
            count=len(found.records),
            limit=limit,
            page=found.page,
            total=found.total,
            total_pages=ceil(found.total / limit),
            next_cursor=found.next_cursor,
        )


class StatisticsResponse(ResponseModel):
    """GET /api/conversations/stats; the average is that of the `scored` conversations."""

    total: int = Field(description="All conversations.")
    simulated: int
    by_status: dict[str, int]
    by_tier: dict[str, int]
    by_enrichment_status: dict[str, int]
    scored: int
    average_quality_score: float | None


class CombinationView(NestedModel):
    """The conversations of one persona, arc and topic, and how many have each review status."""

    persona_key: str
    emotional_arc_key: str
    training_topic_key: str
    total: int = Field(description="The sum over the statuses.")
    by_status: dict[str, int]


class CoverageResponse(ResponseModel):
    """GET /api/conversations/coverage; `omitted` is the number of combinations left out."""

    total: int = Field(description="Conversations of all combinations, also those left out.")
    combinations: list[CombinationView]
    omitted: int


class TurnView(NestedModel):
    """One turn of the conversation's file."""

    turn_number: int
    role: Literal["user", "assistant"]
    content: str
    emotional_context: dict[str, Any]


class ConversationResponse(ResponseModel):
    """A conversation after a change."""

    conversation: ConversationView


class ConversationDetailResponse(ResponseModel):
    """GET /api/conversations/{id}; `turns` are null without ?includeTurns=true."""

    conversation: ConversationDetail
    turns: list[TurnView] | None = None

    @classmethod
    def from_domain(
        cls,
        record: ConversationRecord,
        scaffolding_snapshot: dict[str, Any],
        turns: list[dict[str, Any]] | None,
    ) -> Self:
        """Create the response that shows a conversation."""
        conversation = ConversationDetail.model_validate(record).model_copy(
            update={"scaffolding_snapshot": scaffolding_snapshot}
        )
        return cls(conversation=conversation, turns=turns)


class DownloadResponse(ResponseModel):
    """A short-lived link to a file."""

    conversation_id: str
    download_url: str
    filename: str
    file_size: int | None
    expires_at: str
    expires_in_seconds: int


class ImportRequest(RequestModel):
    """POST /api/conversations."""

    document: dict[str, Any] = Field(
        max_length=50,
        description="A raw conversation, an enriched file or a training.json; up to 5 MB.",
    )


class ImportResultView(NestedModel):
    """One conversation of the document: stored with warnings, or rejected with an error."""

    place: str
    conversation: ConversationView | None = Field(validation_alias="record")
    warnings: list[str]
    error: str | None
    code: str | None = Field(
        description="Why it was rejected: a code of docs/dataset-codes.md, or already_imported."
    )


class ImportResponse(ResponseModel):
    """The result of every conversation of the document, in its order."""

    imported: int
    refused: int
    results: list[ImportResultView]

    @classmethod
    def from_domain(cls, results: Sequence[ImportResult]) -> Self:
        """Create the response to an import."""
        imported = sum(one.record is not None for one in results)
        return cls(imported=imported, refused=len(results) - imported, results=results)
