"""Routes that enrich conversations, and show the results."""

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
    """Enrich up to 100 conversations; enriched ones are skipped."""
    options = {"concurrency": 1} if body.sequential else {}
    enrichment = service(router, EnrichmentService)
    return BulkResponse.from_domain(
        enrichment.enrich_many(owner_of(router), body.conversation_ids, **options)
    )


@router.post("/api/conversations/<conversation_id>/enrich", tags=["Enrichment"])
def enrich_conversation(conversation_id: RecordId) -> EnrichmentResponse:
    """Enrich a conversation, also if it is enriched already."""
    enrichment = service(router, EnrichmentService)
    return EnrichmentResponse.from_domain(
        enrichment.enrich_or_raise(owner_of(router), conversation_id)
    )


@router.get("/api/conversations/<conversation_id>/enrich", tags=["Enrichment"])
def show_enrichment(conversation_id: RecordId) -> EnrichmentState:
    """Show the status of a conversation's enrichment."""
    enrichment = service(router, EnrichmentService)
    return EnrichmentState.from_domain(enrichment.get(owner_of(router), conversation_id))


@router.get("/api/conversations/<conversation_id>/validation-report", tags=["Enrichment"])
def show_validation_report(conversation_id: RecordId) -> ValidationReportResponse:
    """Show the validation report, and the four stages of v1."""
    enrichment = service(router, EnrichmentService)
    return ValidationReportResponse.from_domain(enrichment.get(owner_of(router), conversation_id))


@router.get("/api/conversations/<conversation_id>/download/enriched", tags=["Enrichment"])
def download_enriched_conversation(conversation_id: RecordId) -> DownloadResponse:
    """Return a link to a conversation's training pairs."""
    reader = service(router, ConversationReader)
    return DownloadResponse.model_validate(
        reader.download_enriched(owner_of(router), conversation_id)
    )
