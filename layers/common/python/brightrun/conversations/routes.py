"""Routes that list, read and import conversations."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.conversations.digests import ConversationFilter, SortBy, SortDirection
from brightrun.conversations.import_conversations import ConversationImporter
from brightrun.conversations.model import EnrichmentStatus, ReviewStatus
from brightrun.conversations.schemas import (
    ConversationDetailResponse,
    ConversationList,
    CoverageResponse,
    DownloadResponse,
    ImportRequest,
    ImportResponse,
    StatisticsResponse,
)
from brightrun.conversations.service import (
    ConversationLister,
    ConversationQuery,
    ConversationReader,
)
from brightrun.core.fields import Tier
from brightrun.http.app import owner_of, service
from brightrun.http.etags import with_etag
from brightrun.http.schemas import Cursor, Filter, Limit, RecordId

router = APIGatewayHttpRouter()
QualityBound = Annotated[float | None, Query(ge=0, le=5, description="Of the quality score.")]


@router.get("/api/conversations", tags=["Conversations"])
def list_conversations(
    status: Annotated[ReviewStatus | None, Query()] = None,
    tier: Annotated[Tier | None, Query()] = None,
    persona_id: Filter = None,
    emotional_arc_id: Filter = None,
    training_topic_id: Filter = None,
    batch_job_id: Filter = None,
    enrichment_status: Annotated[EnrichmentStatus | None, Query()] = None,
    quality_min: QualityBound = None,
    quality_max: QualityBound = None,
    search: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="Words of the name, persona, arc or topic, in any case; all must occur.",
        ),
    ] = None,
    sort_by: Annotated[SortBy, Query(alias="sortBy")] = "created_at",
    sort_direction: Annotated[SortDirection, Query(alias="sortDirection")] = "desc",
    page: Annotated[int | None, Query(ge=1, le=10_000, description="In place of cursor.")] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> ConversationList:
    """List the caller's conversations, newest first by default, with the total of those that match.

    A list in any order continues by cursor or by page. Conversations without a score come last in a
    list by quality_score.
    """
    equal = {
        "status": status,
        "tier": tier,
        "persona_id": persona_id,
        "emotional_arc_id": emotional_arc_id,
        "training_topic_id": training_topic_id,
        "batch_job_id": batch_job_id,
        "enrichment_status": enrichment_status,
    }
    where = ConversationFilter(
        {name: value for name, value in equal.items() if value is not None},
        quality_min=quality_min,
        quality_max=quality_max,
        search=search,
    )
    query = ConversationQuery(where, sort_by, sort_direction, limit=limit, cursor=cursor, page=page)
    found = service(router, ConversationLister).page(owner_of(router), query)
    return ConversationList.from_domain(found, limit)


@router.get("/api/conversations/stats", tags=["Conversations"])
def show_conversation_statistics() -> StatisticsResponse:
    """Count the caller's conversations by status, tier and enrichment status."""
    statistics = service(router, ConversationLister).statistics(owner_of(router))
    return StatisticsResponse.model_validate(statistics)


@router.get("/api/conversations/coverage", tags=["Conversations"])
def show_conversation_coverage(
    tier: Annotated[Tier | None, Query()] = None,
    batch_job_id: Filter = None,
    enrichment_status: Annotated[EnrichmentStatus | None, Query()] = None,
) -> CoverageResponse:
    """Count the caller's conversations by persona, arc and topic, and by review status in each.

    The most frequent combinations come first; `omitted` counts those beyond 2,000.
    """
    equal = {
        "tier": tier,
        "batch_job_id": batch_job_id,
        "enrichment_status": enrichment_status,
    }
    where = ConversationFilter({name: value for name, value in equal.items() if value is not None})
    found = service(router, ConversationLister).coverage(owner_of(router), where)
    return CoverageResponse.model_validate(found)


@router.get("/api/conversations/<conversation_id>", tags=["Conversations"])
def show_conversation(
    conversation_id: RecordId,
    include_turns: Annotated[bool, Query(alias="includeTurns")] = False,
) -> Response[ConversationDetailResponse]:
    """Show one conversation with its scaffolding, and with its turns on request."""
    reader = service(router, ConversationReader)
    record = reader.get(owner_of(router), conversation_id)
    turns = reader.turns(record) if include_turns else None
    shown = ConversationDetailResponse.from_domain(record, reader.scaffolding(record), turns)
    return with_etag(shown, record.version)


@router.get("/api/conversations/<conversation_id>/download", tags=["Conversations"])
def download_conversation(conversation_id: RecordId) -> DownloadResponse:
    """Return a link to the parsed conversation."""
    reader = service(router, ConversationReader)
    return DownloadResponse.model_validate(
        reader.download(owner_of(router), conversation_id, raw=False)
    )


@router.get("/api/conversations/<conversation_id>/download/raw", tags=["Conversations"])
def download_raw_conversation(conversation_id: RecordId) -> DownloadResponse:
    """Return a link to Claude's raw answer."""
    reader = service(router, ConversationReader)
    return DownloadResponse.model_validate(
        reader.download(owner_of(router), conversation_id, raw=True)
    )


@router.post("/api/conversations", status_code=201, tags=["Conversations"])
def import_conversations(body: ImportRequest) -> ImportResponse:
    """Store the conversations of a file, and enrich them like new ones.

    The response lists every conversation with its warnings, or with the error it was rejected for.
    """
    importer = service(router, ConversationImporter)
    return ImportResponse.from_domain(importer.import_document(owner_of(router), body.document))
