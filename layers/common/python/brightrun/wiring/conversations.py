"""Composition of the conversations function."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.conversations.enrichment.service import EnrichmentService
from brightrun.conversations.generation_log.repository import DynamoGenerationLog
from brightrun.conversations.generation_log.service import GenerationLogReader
from brightrun.conversations.import_conversations import ConversationImporter
from brightrun.conversations.review.repository import DynamoReviews
from brightrun.conversations.review.service import (
    BulkReview,
    ConversationDeleter,
    ConversationEditor,
    ReviewService,
)
from brightrun.conversations.service import ConversationLister, ConversationReader
from brightrun.http.app import Services
from brightrun.wiring import clients, conversation_table, enrichment


class ConversationsSettings(enrichment.EnrichmentSettings):
    """The environment of the conversations function."""

    review_audit_table: str
    generation_logs_table: str
    failed_generations_table: str
    failed_generation_files_bucket: str
    scaffolding_table: str


def conversation_reader() -> ConversationReader:
    """Compose the service that reads conversations."""
    settings = ConversationsSettings.from_environment()
    return ConversationReader(
        conversations=enrichment.conversations(settings),
        conversation_files=enrichment.conversation_files(settings),
        scaffolds=enrichment.scaffolds(settings),
        clock=clients.clock,
    )


def conversation_lister() -> ConversationLister:
    """Compose the service that lists conversations."""
    settings = ConversationsSettings.from_environment()
    return conversation_table.lister(
        settings.conversations_table, settings.conversation_files_bucket
    )


def enrichment_service() -> EnrichmentService:
    """Compose the service that enriches conversations on request."""
    settings = ConversationsSettings.from_environment()
    return EnrichmentService(enrichment.conversations(settings), enrichment.enricher(settings))


def generation_log_reader() -> GenerationLogReader:
    """Compose the service that reads the generation log."""
    settings = ConversationsSettings.from_environment()
    return GenerationLogReader(
        records=DynamoGenerationLog(
            clients.dynamodb(), settings.generation_logs_table, settings.failed_generations_table
        ),
        failure_reports=S3Objects(clients.s3(), settings.failed_generation_files_bucket),
        clock=clients.clock,
    )


def review_service() -> ReviewService:
    """Compose the service that reviews a conversation."""
    settings = ConversationsSettings.from_environment()
    conversations = enrichment.conversations(settings)
    return ReviewService(conversations, _reviews(settings), clients.clock)


def bulk_review() -> BulkReview:
    """Compose the service that reviews many conversations."""
    return BulkReview(review_service(), conversation_lister(), conversation_deleter())


def conversation_deleter() -> ConversationDeleter:
    """Compose the service that deletes conversations."""
    settings = ConversationsSettings.from_environment()
    return ConversationDeleter(
        conversations=enrichment.conversations(settings),
        reviews=_reviews(settings),
        conversation_files=enrichment.conversation_files(settings),
        clock=clients.clock,
    )


def conversation_editor() -> ConversationEditor:
    """Compose the service that edits turns."""
    settings = ConversationsSettings.from_environment()
    return ConversationEditor(
        reviews=_reviews(settings),
        conversation_files=enrichment.conversation_files(settings),
        enrichment=enrichment_service(),
        clock=clients.clock,
    )


def conversation_importer() -> ConversationImporter:
    """Compose the service that imports files of v1."""
    # Nothing else that this function does needs the module.
    from brightrun.wiring.scaffolding import scaffolding_editor

    settings = ConversationsSettings.from_environment()
    return ConversationImporter(
        conversations=enrichment.conversations(settings),
        conversation_files=enrichment.conversation_files(settings),
        enricher=enrichment.enricher(settings),
        catalog=scaffolding_editor().catalog,
        clock=clients.clock,
    )


def _reviews(settings: ConversationsSettings) -> DynamoReviews:
    return DynamoReviews(
        clients.dynamodb(),
        conversations_table=settings.conversations_table,
        audit_table=settings.review_audit_table,
    )


SERVICES: Services = {
    BulkReview: bulk_review,
    ConversationDeleter: conversation_deleter,
    ConversationEditor: conversation_editor,
    ConversationImporter: conversation_importer,
    ConversationLister: conversation_lister,
    ConversationReader: conversation_reader,
    EnrichmentService: enrichment_service,
    GenerationLogReader: generation_log_reader,
    ReviewService: review_service,
}
