"""The enrichment of conversations, for every function that stores them."""

from __future__ import annotations

from brightrun.aws.objects import S3Objects
from brightrun.batches.plan import PlanScaffoldingResolver
from brightrun.conversations.enrichment.service import ConversationEnricher
from brightrun.conversations.repository import DynamoConversations
from brightrun.core.settings import Settings
from brightrun.wiring import clients


class EnrichmentSettings(Settings):
    """Where conversations, their files and the plans of their jobs are."""

    conversations_table: str
    conversation_files_bucket: str
    batch_logs_bucket: str


def conversations(settings: EnrichmentSettings) -> DynamoConversations:
    """Open the conversations table."""
    return DynamoConversations(clients.dynamodb(), settings.conversations_table)


def conversation_files(settings: EnrichmentSettings) -> S3Objects:
    """Open the bucket of conversations' files."""
    return S3Objects(clients.s3(), settings.conversation_files_bucket)


def enricher(settings: EnrichmentSettings) -> ConversationEnricher:
    """Compose what enriches conversations."""
    return ConversationEnricher(
        conversations=conversations(settings),
        conversation_files=conversation_files(settings),
        scaffolds=PlanScaffoldingResolver(S3Objects(clients.s3(), settings.batch_logs_bucket)),
        clock=clients.clock,
    )
