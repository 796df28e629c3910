"""The routes by which people decide about conversations."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.bulk_review_models import BulkAction, BulkReviewAnswer
from brightrun.api.conversation_models import ConversationAnswer, ConversationView
from brightrun.api.edit_models import TurnChange
from brightrun.api.etags import IfMatch, seen_version, with_etag
from brightrun.api.review_models import (
    AuditTrail,
    Deleted,
    DeletionReason,
    StatusAnswer,
    StatusChange,
)
from brightrun.api.shapes import Cursor, Limit, RecordId
from brightrun.bootstrap import reviews as bootstrap_reviews
from brightrun.domain.review import ACTION_TO, Decision, Deletion

router = APIGatewayHttpRouter()


@router.get("/api/conversations/<conversation_id>/status", tags=["Review"])
def show_review_status(conversation_id: RecordId) -> Response[StatusAnswer]:
    """Show what was decided about a conversation."""
    record = bootstrap.conversation_reader().one(owner_of(router), conversation_id)
    return with_etag(StatusAnswer.of(record), record.version)


@router.patch("/api/conversations/<conversation_id>/status", tags=["Review"])
def change_review_status(
    conversation_id: RecordId, body: StatusChange, if_match: IfMatch = None
) -> Response[StatusAnswer]:
    """Approve, reject, archive or reopen a conversation.

    With If-Match, only the version that the caller has seen; another answers 409 with its state.
    """
    decision = Decision(ACTION_TO[body.status], body.review_notes)
    record, _ = bootstrap_reviews.review_desk().decided(
        owner_of(router), conversation_id, decision, seen_version(if_match)
    )
    return with_etag(StatusAnswer.of(record), record.version)


@router.get("/api/conversations/<conversation_id>/audit", tags=["Review"])
def list_audit_trail(
    conversation_id: RecordId, limit: Limit = 25, cursor: Cursor = None
) -> AuditTrail:
    """List who changed a conversation, when and why, newest first."""
    desk = bootstrap_reviews.review_desk()
    page = desk.trail(owner_of(router), conversation_id, limit=limit, cursor=cursor)
    return AuditTrail.of(conversation_id, page)


@router.patch("/api/conversations/<conversation_id>", tags=["Review"])
def edit_conversation(
    conversation_id: RecordId, body: TurnChange, if_match: IfMatch = None
) -> Response[ConversationAnswer]:
    """Change what a turn says; the file before the edit is kept, and named in `revisions`.

    The conversation is enriched again, and waits for review again if it was approved.
    """
    record = bootstrap_reviews.conversation_editor().edit(
        owner_of(router), conversation_id, body.edit(), seen_version(if_match)
    )
    shown = ConversationAnswer(conversation=ConversationView.model_validate(record))
    return with_etag(shown, record.version)


@router.delete("/api/conversations/<conversation_id>", tags=["Review"])
def delete_conversation(
    conversation_id: RecordId, reason: DeletionReason = None, if_match: IfMatch = None
) -> Deleted:
    """Delete a conversation with its files; a training file keeps the pairs it was built with.

    The audit trail stays, and says who deleted it. With If-Match, only the version that the caller
    has seen; another answers 409 with its state.
    """
    bootstrap_reviews.conversation_deleter().delete(
        owner_of(router), conversation_id, Deletion(reason), seen_version(if_match)
    )
    return Deleted(conversation_id=conversation_id)


@router.post("/api/conversations/bulk-action", tags=["Review"])
def decide_about_many(body: BulkAction) -> BulkReviewAnswer:
    """Approve, reject, archive, reopen or delete up to 100 conversations, by ids or by a filter.

    By a filter the newest come first; repeat the request while `remaining` says that some are left.
    """
    owner, decision = owner_of(router), body.decision()
    bulk = bootstrap_reviews.bulk_review()
    if body.filter is not None:
        return BulkReviewAnswer.of(bulk.found(owner, body.filter.wanted(), decision))
    return BulkReviewAnswer.of(bulk.named(owner, body.conversation_ids or [], decision))
