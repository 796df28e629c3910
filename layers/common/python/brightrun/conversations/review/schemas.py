"""How reviews, edits and bulk decisions are asked for and shown."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated, Literal, Self, get_args

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, Field, model_validator

from brightrun.conversations.model import (
    ConversationFilter,
    EnrichmentStatus,
    ReviewStatus,
)
from brightrun.conversations.review.model import (
    LONGEST_REASON,
    LONGEST_TURN,
    AuditAction,
    Decision,
    Deletion,
    ReviewAction,
)
from brightrun.conversations.review.service import MOST_AT_ONCE, DecidedMany, Outcome, TurnEdit
from brightrun.http.schemas import (
    INK,
    CamelNestedModel,
    CamelRequest,
    Identifier,
    NestedModel,
    RequestModel,
    ResponseModel,
)
from brightrun.scaffolding.model import Tier


def _said(reason: str) -> str:
    if not re.search(INK, reason):
        raise ValueError("It is blank; say why, or leave it out.")
    return reason


# The pattern is for readers of the OpenAPI document: the validator gives the better sentence.
Reason = Annotated[
    str,
    Field(max_length=LONGEST_REASON, json_schema_extra={"minLength": 1, "pattern": INK}),
    AfterValidator(_said),
]
DeletionReason = Annotated[
    str | None,
    Query(min_length=1, max_length=LONGEST_REASON, description="Why; it goes into the trail."),
]


class StatusChange(RequestModel):
    """PATCH /api/conversations/{id}/status; a rejection needs review_notes."""

    status: ReviewStatus
    review_notes: Reason | None = None


class Deleted(ResponseModel):
    """DELETE /api/conversations/{id}."""

    conversation_id: str


class StatusResponse(ResponseModel):
    """The review of one conversation, and the version that it is at."""

    conversation_id: str
    status: ReviewStatus
    review_notes: str | None
    reviewed_by: str | None
    reviewed_at: str | None
    enrichment_status: EnrichmentStatus
    updated_at: str
    version: int


class AuditEntryView(NestedModel):
    """One change: who made it, when, and why; `version` is the one that it led to."""

    entry_id: str
    at: str
    by: str
    action: AuditAction
    from_status: ReviewStatus
    to_status: ReviewStatus
    reason: str | None
    turn_number: int | None
    version: int


class AuditTrail(ResponseModel):
    """GET /api/conversations/{id}/audit."""

    conversation_id: str
    entries: list[AuditEntryView]
    count: int
    next_cursor: str | None


class TurnChange(RequestModel):
    """PATCH /api/conversations/{id}: what a turn shall say, and why."""

    turn_number: Annotated[int, Field(ge=1, le=1000)]
    content: Annotated[str, Field(min_length=1, max_length=LONGEST_TURN)]
    reason: Annotated[Reason, Field(max_length=500)]

    def edit(self) -> TurnEdit:
        """The edit as the service has it."""
        return TurnEdit(self.turn_number, self.content, self.reason)


Quality = Annotated[float, Field(ge=0, le=5)]


class BulkFilter(RequestModel):
    """Which conversations are meant; the fields are those of the list, and one must be given."""

    status: ReviewStatus | None = None
    tier: Tier | None = None
    persona_id: Identifier | None = None
    emotional_arc_id: Identifier | None = None
    training_topic_id: Identifier | None = None
    batch_job_id: Identifier | None = None
    enrichment_status: EnrichmentStatus | None = None
    quality_min: Quality | None = None
    quality_max: Quality | None = None
    search: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("Name at least one field; an empty filter would mean everything.")
        return self

    def wanted(self) -> ConversationFilter:
        """The filter as the list has it."""
        given = self.model_dump(exclude_none=True)
        others = {name: given.pop(name, None) for name in ("quality_min", "quality_max", "search")}
        return ConversationFilter(given, **others)


class BulkAction(CamelRequest):
    """POST /api/conversations/bulk-action: up to 100 ids, or a filter; a rejection needs a reason.

    `delete` takes the conversations away for good; what training files hold of them stays there.

    By a filter at most 100 are changed at once; `remaining` says how many are left.
    """

    action: ReviewAction | Literal["delete"]
    conversation_ids: (
        Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)] | None
    ) = None
    filter: BulkFilter | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.conversation_ids is None) == (self.filter is None):
            raise ValueError("Give either conversationIds or filter.")
        return self

    def decision(self) -> Decision | Deletion:
        """Say it in the service's words; raises InvalidInputError for a rejection without why."""
        if self.action == "delete":
            return Deletion(self.reason)
        return Decision(self.action, self.reason)


class BulkReviewSummary(NestedModel):
    """How many became what."""

    total: int
    updated: int
    deleted: int
    unchanged: int
    not_found: int
    conflict: int


class BulkReviewResult(CamelNestedModel):
    """What became of one conversation, and what it is now."""

    conversation_id: str
    outcome: Outcome
    status: ReviewStatus | None
    version: int | None


class BulkReviewResponse(NestedModel):
    """One result for each conversation; `success` is false when one was not found or was changed.

    `remaining` counts what the filter still finds to change; null where ids were given.
    """

    success: bool
    summary: BulkReviewSummary
    results: list[BulkReviewResult]
    remaining: int | None

    @classmethod
    def from_domain(cls, decided: DecidedMany) -> Self:
        """Show what became of all."""
        counts = Counter[str](result.outcome for result in decided.results)
        outcomes = {name: counts[name] for name in get_args(Outcome)}
        return cls(
            success=not counts["not_found"] and not counts["conflict"],
            summary=BulkReviewSummary(total=counts.total(), **outcomes),
            results=decided.results,
            remaining=decided.remaining,
        )
