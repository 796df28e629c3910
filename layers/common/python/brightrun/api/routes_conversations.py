"""The routes that show conversations."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.conversation_models import (
    ConversationAnswer,
    ConversationList,
    ConversationView,
    DownloadAnswer,
    StatisticsAnswer,
    TurnView,
)
from brightrun.api.etags import with_etag
from brightrun.api.shapes import Cursor, Filter, Limit, RecordId
from brightrun.bootstrap import reviews as bootstrap_reviews
from brightrun.domain.conversation_list import ConversationFilter, SortBy, SortDirection
from brightrun.domain.conversation_record import EnrichmentStatus, ReviewStatus
from brightrun.domain.scaffolding import Tier
from brightrun.services.list_conversations import Wish

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
        str | None, Query(min_length=1, max_length=200, description="Part of the name.")
    ] = None,
    sort_by: Annotated[SortBy, Query(alias="sortBy")] = "created_at",
    sort_direction: Annotated[SortDirection, Query(alias="sortDirection")] = "desc",
    page: Annotated[int | None, Query(ge=1, le=10_000, description="In place of cursor.")] = None,
    limit: Limit = 25,
    cursor: Cursor = None,
) -> ConversationList:
    """List the caller's conversations, the newest first unless asked otherwise.

    In the order of created_at a long list goes on by cursor. Another order, and page, read up to
    10,000 matching conversations, and say how many there are.
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
    wanted = ConversationFilter(
        {name: value for name, value in equal.items() if value is not None},
        quality_min=quality_min,
        quality_max=quality_max,
        search=search,
    )
    wish = Wish(wanted, sort_by, sort_direction, limit=limit, cursor=cursor, page=page)
    return ConversationList.of(
        bootstrap_reviews.conversation_lister().listed(owner_of(router), wish), limit
    )


@router.get("/api/conversations/stats", tags=["Conversations"])
def show_conversation_statistics() -> StatisticsAnswer:
    """Count the caller's conversations by what became of them."""
    return StatisticsAnswer.of(bootstrap_reviews.conversation_lister().statistics(owner_of(router)))


@router.get("/api/conversations/<conversation_id>", tags=["Conversations"])
def show_conversation(
    conversation_id: RecordId,
    include_turns: Annotated[bool, Query(alias="includeTurns")] = False,
) -> Response[ConversationAnswer]:
    """Show one conversation, with its turns if asked."""
    reader = bootstrap.conversation_reader()
    record = reader.one(owner_of(router), conversation_id)
    turns = (
        [TurnView.model_validate(turn) for turn in reader.turns(record)] if include_turns else None
    )
    shown = ConversationAnswer(conversation=ConversationView.model_validate(record), turns=turns)
    return with_etag(shown, record.version)


@router.get("/api/conversations/<conversation_id>/download", tags=["Conversations"])
def download_conversation(conversation_id: RecordId) -> DownloadAnswer:
    """Give a link to the checked conversation."""
    reader = bootstrap.conversation_reader()
    return DownloadAnswer.model_validate(
        reader.download(owner_of(router), conversation_id, raw=False)
    )


@router.get("/api/conversations/<conversation_id>/download/raw", tags=["Conversations"])
def download_raw_conversation(conversation_id: RecordId) -> DownloadAnswer:
    """Give a link to Claude's answer as it came."""
    reader = bootstrap.conversation_reader()
    return DownloadAnswer.model_validate(
        reader.download(owner_of(router), conversation_id, raw=True)
    )
