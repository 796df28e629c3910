"""The routes that turn conversations into training pairs."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.conversations.enrichment.schemas import (
    BulkEnrichment,
    BulkResponse,
    EnrichmentResponse,
    EnrichmentState,
    ValidationReportResponse,
)
from brightrun.conversations.enrichment.service import EnrichmentService
from brightrun.conversations.schemas import DownloadResponse
from brightrun.conversations.service import ConversationReader
from brightrun.http.app import owner_of, service
from brightrun.http.schemas import RecordId

router = APIGatewayHttpRouter()


@router.post("/api/conversations/bulk-enrich", tags=["Enrichment"])
def enrich_conversations(body: BulkEnrichment) -> BulkResponse:
    """Enrich up to 100 conversations; those enriched already are skipped."""
    at_once = {"at_once": 1} if body.sequential else {}
    desk = service(router, EnrichmentService)
    return BulkResponse.from_domain(desk.many(owner_of(router), body.conversation_ids, **at_once))


@router.post("/api/conversations/<conversation_id>/enrich", tags=["Enrichment"])
def enrich_conversation(conversation_id: RecordId) -> EnrichmentResponse:
    """Enrich one conversation, anew if it is enriched already."""
    desk = service(router, EnrichmentService)
    return EnrichmentResponse.from_domain(desk.require(owner_of(router), conversation_id))


@router.get("/api/conversations/<conversation_id>/enrich", tags=["Enrichment"])
def show_enrichment(conversation_id: RecordId) -> EnrichmentState:
    """Show how far a conversation's enrichment has come."""
    desk = service(router, EnrichmentService)
    return EnrichmentState.from_domain(desk.state(owner_of(router), conversation_id))


@router.get("/api/conversations/<conversation_id>/validation-report", tags=["Enrichment"])
def show_validation_report(conversation_id: RecordId) -> ValidationReportResponse:
    """Show what validation found, and the original's four stages."""
    desk = service(router, EnrichmentService)
    return ValidationReportResponse.from_domain(desk.state(owner_of(router), conversation_id))


@router.get("/api/conversations/<conversation_id>/download/enriched", tags=["Enrichment"])
def download_enriched_conversation(conversation_id: RecordId) -> DownloadResponse:
    """Give a link to a conversation's training pairs."""
    reader = service(router, ConversationReader)
    return DownloadResponse.model_validate(
        reader.download_enriched(owner_of(router), conversation_id)
    )
