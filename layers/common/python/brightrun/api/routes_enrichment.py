"""The routes that turn conversations into training pairs."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.conversation_models import DownloadAnswer
from brightrun.api.enrichment_models import (
    BulkAnswer,
    BulkEnrichment,
    EnrichmentAnswer,
    EnrichmentState,
    ValidationReportAnswer,
)
from brightrun.api.shapes import RecordId

router = APIGatewayHttpRouter()


@router.post("/api/conversations/bulk-enrich", tags=["Enrichment"])
def enrich_conversations(body: BulkEnrichment) -> BulkAnswer:
    """Enrich up to 100 conversations; those enriched already are skipped."""
    at_once = {"at_once": 1} if body.sequential else {}
    desk = bootstrap.enrichment_desk()
    return BulkAnswer.of(desk.many(owner_of(router), body.conversation_ids, **at_once))


@router.post("/api/conversations/<conversation_id>/enrich", tags=["Enrichment"])
def enrich_conversation(conversation_id: RecordId) -> EnrichmentAnswer:
    """Enrich one conversation, anew if it is enriched already."""
    desk = bootstrap.enrichment_desk()
    return EnrichmentAnswer.of(desk.require(owner_of(router), conversation_id))


@router.get("/api/conversations/<conversation_id>/enrich", tags=["Enrichment"])
def show_enrichment(conversation_id: RecordId) -> EnrichmentState:
    """Show how far a conversation's enrichment has come."""
    desk = bootstrap.enrichment_desk()
    return EnrichmentState.of(desk.state(owner_of(router), conversation_id))


@router.get("/api/conversations/<conversation_id>/validation-report", tags=["Enrichment"])
def show_validation_report(conversation_id: RecordId) -> ValidationReportAnswer:
    """Show what validation found, and the original's four stages."""
    desk = bootstrap.enrichment_desk()
    return ValidationReportAnswer.of(desk.state(owner_of(router), conversation_id))


@router.get("/api/conversations/<conversation_id>/download/enriched", tags=["Enrichment"])
def download_enriched_conversation(conversation_id: RecordId) -> DownloadAnswer:
    """Give a link to a conversation's training pairs."""
    reader = bootstrap.conversation_reader()
    return DownloadAnswer.model_validate(
        reader.download_enriched(owner_of(router), conversation_id)
    )
