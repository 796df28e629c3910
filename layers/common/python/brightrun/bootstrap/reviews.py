"""The composition root's third part: what lists conversations, decides about them and edits them.

The clients are those that bootstrap keeps; what is built around them costs nothing to build anew.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from brightrun import bootstrap
from brightrun.repositories.objects import S3Objects
from brightrun.settings import ConversationsSettings

if TYPE_CHECKING:
    from brightrun.repositories.reviews import DynamoReviews
    from brightrun.services.delete_conversation import ConversationDeleter
    from brightrun.services.edit_conversation import ConversationEditor
    from brightrun.services.list_conversations import ConversationLister
    from brightrun.services.review_conversations import ReviewDesk
    from brightrun.services.review_many import BulkReview


def conversation_lister() -> ConversationLister:
    """Build what lists conversations."""
    from brightrun.services.list_conversations import ConversationLister

    return ConversationLister(bootstrap.conversations(ConversationsSettings.from_environment()))


def review_desk() -> ReviewDesk:
    """Build what people decide about conversations with."""
    from brightrun.services.review_conversations import ReviewDesk

    environment = ConversationsSettings.from_environment()
    conversations = bootstrap.conversations(environment)
    return ReviewDesk(conversations, _reviews(environment), bootstrap.clock)


def bulk_review() -> BulkReview:
    """Build what people decide about many conversations with."""
    from brightrun.services.review_many import BulkReview

    return BulkReview(review_desk(), conversation_lister(), conversation_deleter())


def conversation_deleter() -> ConversationDeleter:
    """Build what deletes conversations."""
    from brightrun.services.delete_conversation import ConversationDeleter

    environment = ConversationsSettings.from_environment()
    return ConversationDeleter(
        conversations=bootstrap.conversations(environment),
        reviews=_reviews(environment),
        conversation_files=S3Objects(bootstrap.s3(), environment.conversation_files_bucket),
        clock=bootstrap.clock,
    )


def conversation_editor() -> ConversationEditor:
    """Build what edits conversations."""
    from brightrun.services.edit_conversation import ConversationEditor

    environment = ConversationsSettings.from_environment()
    return ConversationEditor(
        reviews=_reviews(environment),
        conversation_files=S3Objects(bootstrap.s3(), environment.conversation_files_bucket),
        enrichment=bootstrap.enrichment_desk(),
        clock=bootstrap.clock,
        new_attempt=lambda: uuid.uuid4().hex[:12],
    )


def _reviews(environment: ConversationsSettings) -> DynamoReviews:
    from brightrun.repositories.reviews import DynamoReviews

    return DynamoReviews(
        bootstrap.dynamodb(),
        conversations_table=environment.conversations_table,
        audit_table=environment.review_audit_table,
    )
