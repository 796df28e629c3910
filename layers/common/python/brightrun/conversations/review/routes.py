"""Routes that review, edit and delete conversations."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.conversations.review.model import ACTION_TO, Decision, Deletion
from brightrun.conversations.review.schemas import (
    AuditTrail,
    BulkAction,
    BulkReviewResponse,
    Deleted,
    DeletionReason,
    StatusChange,
    StatusResponse,
    TurnChange,
    UndoResponse,
)
from brightrun.conversations.review.service import (
    BulkReview,
    ConversationDeleter,
    ConversationEditor,
    ReviewService,
)
from brightrun.conversations.schemas import ConversationResponse
from brightrun.conversations.service import ConversationReader
from brightrun.http.app import owner_of, service
from brightrun.http.etags import IfMatch, seen_versions, with_etag
from brightrun.http.schemas import Cursor, Limit, RecordId

router = APIGatewayHttpRouter()


@router.get("/api/conversations/<conversation_id>/status", tags=["Review"])
def show_review_status(conversation_id: RecordId) -> Response[StatusResponse]:
    """Show the review of a conversation."""
    record = service(router, ConversationReader).get(owner_of(router), conversation_id)
    return with_etag(StatusResponse.model_validate(record), record.version)


@router.patch("/api/conversations/<conversation_id>/status", tags=["Review"])
def change_review_status(
    conversation_id: RecordId, body: StatusChange, if_match: IfMatch = None
) -> Response[StatusResponse]:
    """Approve, reject, archive or reopen a conversation."""
    decision = Decision(ACTION_TO[body.status], body.review_notes)
    record, _ = service(router, ReviewService).decide(
        owner_of(router), conversation_id, decision, seen_versions(if_match)
    )
    return with_etag(StatusResponse.model_validate(record), record.version)


@router.get("/api/conversations/<conversation_id>/audit", tags=["Review"])
def list_audit_trail(
    conversation_id: RecordId, limit: Limit = 25, cursor: Cursor = None
) -> AuditTrail:
    """List the changes of a conversation, newest first."""
    page = service(router, ReviewService).trail(
        owner_of(router), conversation_id, limit=limit, cursor=cursor
    )
    return AuditTrail(
        conversation_id=conversation_id,
        entries=page.records,
        count=len(page.records),
        next_cursor=page.next_cursor,
    )


@router.patch("/api/conversations/<conversation_id>", tags=["Review"])
def edit_conversation(
    conversation_id: RecordId, body: TurnChange, if_match: IfMatch = None
) -> Response[ConversationResponse]:
    """Change the text of a turn; the previous file is kept and listed in `revisions`.

    The conversation is enriched again, and must be reviewed again if it was approved.
    """
    record = service(router, ConversationEditor).edit(
        owner_of(router), conversation_id, body.to_edit(), seen_versions(if_match)
    )
    return with_etag(ConversationResponse(conversation=record), record.version)


@router.delete("/api/conversations/<conversation_id>", tags=["Review"])
def delete_conversation(
    conversation_id: RecordId, reason: DeletionReason = None, if_match: IfMatch = None
) -> Deleted:
    """Delete a conversation with its files; training files keep their copies of its pairs.

    The audit trail is kept.
    """
    service(router, ConversationDeleter).delete(
        owner_of(router), conversation_id, Deletion(reason), seen_versions(if_match)
    )
    return Deleted(conversation_id=conversation_id)


@router.post("/api/conversations/bulk-action", tags=["Review"])
def decide_about_many(body: BulkAction) -> BulkReviewResponse:
    """Approve, reject, archive, reopen or delete up to 100 conversations, by ids or by a filter.

    By a filter, the newest come first; repeat the request while `remaining` is above 0.
    """
    owner, request = owner_of(router), body.to_request()
    bulk = service(router, BulkReview)
    if body.filter is not None:
        return BulkReviewResponse.from_domain(
            bulk.by_filter(owner, body.filter.to_filter(), request)
        )
    return BulkReviewResponse.from_domain(bulk.by_ids(owner, body.conversation_ids or [], request))


@router.post("/api/conversations/bulk-action/<bulk_action_id>/undo", tags=["Review"])
def undo_bulk_action(bulk_action_id: RecordId, cursor: Cursor = None) -> UndoResponse:
    """Take back a bulk action, up to 100 conversations at once; what changed since stays as it is.

    Repeat with `next_cursor` until it is null. What is undone already is `unchanged`.
    """
    undone = service(router, BulkReview).undo(owner_of(router), bulk_action_id, cursor)
    return UndoResponse.from_domain(undone)
