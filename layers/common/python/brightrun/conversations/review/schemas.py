"""Requests and responses of the review routes: decisions, edits and deletions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self, get_args

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field, model_validator

from brightrun.conversations.digests import ConversationFilter
from brightrun.conversations.model import EnrichmentStatus, ReviewStatus
from brightrun.conversations.review.model import (
    LONGEST_REASON,
    LONGEST_TURN,
    AuditAction,
    Decision,
    Deletion,
    ReviewAction,
)
from brightrun.conversations.review.service import (
    MOST_AT_ONCE,
    BulkRequest,
    BulkReviewResult,
    Outcome,
    ReviewResult,
    TurnEdit,
    UndoResult,
)
from brightrun.core.fields import LINES, Flag, Tier
from brightrun.http.schemas import (
    CamelNestedModel,
    CamelRequest,
    Identifier,
    NestedModel,
    PageCount,
    RequestModel,
    ResponseModel,
)

Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON), LINES]
DeletionReason = Annotated[
    Annotated[str, LINES] | None,
    Query(min_length=1, max_length=LONGEST_REASON, description="The reason, for the audit trail."),
]


BulkActionId = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)]


class StatusChange(RequestModel):
    """PATCH /api/conversations/{id}/status; a rejection needs review_notes."""

    status: ReviewStatus
    review_notes: Reason | None = None


class Deleted(ResponseModel):
    """DELETE /api/conversations/{id}."""

    conversation_id: str


class StatusResponse(ResponseModel):
    """The review of one conversation, and its version."""

    conversation_id: str
    status: ReviewStatus
    review_notes: str | None
    reviewed_by: str | None
    reviewed_at: str | None
    enrichment_status: EnrichmentStatus
    updated_at: str
    version: int


class AuditEntryView(NestedModel):
    """One change: who made it, when and why; `version` is that of the conversation after it."""

    entry_id: str
    at: str
    by: str
    action: AuditAction
    from_status: ReviewStatus
    to_status: ReviewStatus
    reason: str | None
    turn_number: int | None
    version: int
    bulk_action_id: str | None


class AuditTrail(ResponseModel):
    """GET /api/conversations/{id}/audit."""

    conversation_id: str
    entries: list[AuditEntryView]
    count: PageCount
    next_cursor: str | None


class TurnChange(RequestModel):
    """PATCH /api/conversations/{id}: the new text of a turn, and the reason."""

    turn_number: Annotated[int, Field(ge=1, le=1000)]
    content: Annotated[str, Field(min_length=1, max_length=LONGEST_TURN)]
    reason: Annotated[str, Field(min_length=1, max_length=500), LINES]

    def to_edit(self) -> TurnEdit:
        """The edit for the service."""
        return TurnEdit(self.turn_number, self.content, self.reason)


Quality = Annotated[float, Field(ge=0, le=5)]


def _require_one_value(schema: dict[str, Any]) -> None:
    """What `_not_empty` checks, for the OpenAPI document: null is no value."""
    schema["anyOf"] = [
        {"required": [name], "properties": {name: {"not": {"type": "null"}}}}
        for name in schema["properties"]
    ]


class BulkFilter(RequestModel):
    """Selects conversations by the fields of the list; at least one must be given."""

    model_config = {"json_schema_extra": _require_one_value}

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
            raise ValueError(
                "Give at least one field; an empty filter would select all conversations."
            )
        return self

    def to_filter(self) -> ConversationFilter:
        """The filter for the service."""
        given = self.model_dump(exclude_none=True)
        others = {name: given.pop(name, None) for name in ("quality_min", "quality_max", "search")}
        return ConversationFilter(given, **others)


class BulkAction(CamelRequest):
    """POST /api/conversations/bulk-action: up to 100 ids, or a filter; a rejection needs a reason.

    `delete` removes conversations permanently; training files keep the copies that they hold.

    By a filter at most 100 are changed at once; `remaining` is the number of further matches. With
    `dryRun` nothing is changed, and the results tell what would be.
    """

    action: ReviewAction | Literal["delete"]
    conversation_ids: (
        Annotated[list[Identifier], Field(min_length=1, max_length=MOST_AT_ONCE)] | None
    ) = None
    filter: BulkFilter | None = None
    reason: Reason | None = None
    dry_run: Flag = False
    bulk_action_id: BulkActionId | None = Field(
        default=None,
        description="The id that the response to an earlier request gave, to undo both as one.",
    )

    @model_validator(mode="after")
    def _require_one(self) -> Self:
        if (self.conversation_ids is None) == (self.filter is None):
            raise ValueError("Give either conversationIds or filter.")
        return self

    def to_request(self) -> BulkRequest:
        """The request for the service; raises InvalidInputError if a rejection has no reason."""
        decision = (
            Deletion(self.reason) if self.action == "delete" else Decision(self.action, self.reason)
        )
        return BulkRequest(decision, self.dry_run, self.bulk_action_id)


class BulkReviewSummary(NestedModel):
    """Counts of the results."""

    total: int = Field(description="Results: the sum of the others.")
    updated: int = Field(description="Changed now, or what a dry run would change.")
    deleted: int = Field(description="Deleted now, or what a dry run would delete.")
    unchanged: int = Field(description="As they were to become already.")
    not_found: int = Field(description="Conversations that do not exist.")
    conflict: int = Field(description="Not changed, since another change came first.")


class ReviewResultView(CamelNestedModel):
    """The result of one conversation, and its current status and version."""

    conversation_id: str
    outcome: Outcome
    status: ReviewStatus | None
    version: int | None


class BulkReviewResponse(NestedModel):
    """One result for each conversation; `success` is false if one was not found or had changed.

    `remaining` counts further matches of the filter; null if ids were given. `bulk_action_id`
    undoes the action; null for a dry run, a deletion, and where nothing was updated.
    """

    success: bool
    summary: BulkReviewSummary
    results: list[ReviewResultView]
    remaining: int | None
    bulk_action_id: str | None

    @classmethod
    def from_domain(cls, bulk: BulkReviewResult) -> Self:
        """Create the response from the results."""
        return cls(
            **_counted(bulk.results),
            remaining=bulk.remaining,
            bulk_action_id=bulk.bulk_action_id,
        )


class UndoResponse(NestedModel):
    """One result for each conversation of the action; `conflict` is one that changed since.

    `next_cursor` goes on with the rest of the action; null if this was all.
    """

    success: bool
    summary: BulkReviewSummary
    results: list[ReviewResultView]
    next_cursor: str | None

    @classmethod
    def from_domain(cls, undone: UndoResult) -> Self:
        """Create the response from the results."""
        return cls(**_counted(undone.results), next_cursor=undone.next_cursor)


def _counted(results: Sequence[ReviewResult]) -> dict[str, Any]:
    """The results and their counts."""
    counts = Counter[str](result.outcome for result in results)
    outcomes = {name: counts[name] for name in get_args(Outcome)}
    return {
        "success": not counts["not_found"] and not counts["conflict"],
        "summary": BulkReviewSummary(total=counts.total(), **outcomes),
        "results": results,
    }
