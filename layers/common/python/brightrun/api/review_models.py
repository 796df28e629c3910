"""How reviews are asked for and shown."""

from __future__ import annotations

from typing import Annotated, Self

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, Field

from brightrun.api.generation_requests import INK
from brightrun.api.shapes import Answer, Part, RequestModel
from brightrun.domain.conversation_record import (
    ConversationRecord,
    EnrichmentStatus,
    ReviewStatus,
)
from brightrun.domain.pages import Page
from brightrun.domain.review import LONGEST_REASON, AuditAction, AuditEntry


def _said(reason: str) -> str:
    if not reason.strip():
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


class Deleted(Answer):
    """DELETE /api/conversations/{id}."""

    conversation_id: str


class StatusAnswer(Answer):
    """The review of one conversation, and the version that it is at."""

    conversation_id: str
    status: ReviewStatus
    review_notes: str | None
    reviewed_by: str | None
    reviewed_at: str | None
    enrichment_status: EnrichmentStatus
    updated_at: str
    version: int

    @classmethod
    def of(cls, record: ConversationRecord) -> Self:
        """Show a row's review."""
        names = cls.model_fields.keys() - {"success"}
        return cls.model_validate({name: getattr(record, name) for name in names})


class AuditEntryView(Part):
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


class AuditTrail(Answer):
    """GET /api/conversations/{id}/audit."""

    conversation_id: str
    entries: list[AuditEntryView]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, conversation_id: str, page: Page[AuditEntry]) -> Self:
        """Show a page."""
        shown = [AuditEntryView.model_validate(entry) for entry in page.records]
        return cls(
            conversation_id=conversation_id,
            entries=shown,
            count=len(shown),
            next_cursor=page.next_cursor,
        )
