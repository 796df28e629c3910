"""Composition of the enrichment, for all functions that store conversations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightrun.aws.objects import S3Objects
from brightrun.conversations.repository import DynamoConversations
from brightrun.core.settings import Settings
from brightrun.wiring import clients, conversation_table

if TYPE_CHECKING:
    from brightrun.batches.plan import PlanScaffoldingResolver
    from brightrun.conversations.enrichment.pipeline import ConversationEnricher


class EnrichmentSettings(Settings):
    """The conversations table, and the buckets of their files and of their jobs' plans."""

    conversations_table: str
    conversation_files_bucket: str
    batch_logs_bucket: str


def conversations(settings: EnrichmentSettings) -> DynamoConversations:
    """Compose the repository of conversations."""
    return conversation_table.conversations(settings.conversations_table)


def conversation_files(settings: EnrichmentSettings) -> S3Objects:
    """Compose the store of conversation files."""
    return S3Objects(clients.s3(), settings.conversation_files_bucket)


def scaffolds(settings: EnrichmentSettings) -> PlanScaffoldingResolver:
    """Compose the resolver of what conversations were made with."""
    from brightrun.batches.plan import PlanScaffoldingResolver

    plans = S3Objects(clients.s3(), settings.batch_logs_bucket)
    return PlanScaffoldingResolver(plans, conversation_files(settings))


def enricher(settings: EnrichmentSettings) -> ConversationEnricher:
    """Compose the enricher."""
    from brightrun.conversations.enrichment.pipeline import ConversationEnricher

    return ConversationEnricher(
        conversations=conversations(settings),
        conversation_files=conversation_files(settings),
        scaffolds=scaffolds(settings),
        clock=clients.clock,
    )
