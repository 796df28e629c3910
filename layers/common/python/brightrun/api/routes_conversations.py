"""The routes that show conversations."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.conversation_models import (
    ConversationAnswer,
    ConversationList,
    ConversationView,
    DownloadAnswer,
    TurnView,
)
from brightrun.api.requests import Cursor, Identifier, Limit
from brightrun.domain.conversation_record import ReviewStatus
from brightrun.domain.scaffolding import Tier

router = APIGatewayHttpRouter()

Filter = Annotated[Identifier | None, Query()]


@router.get("/api/conversations", tags=["Conversations"])
def list_conversations(
    status: Annotated[ReviewStatus | None, Query()] = None,
    tier: Annotated[Tier | None, Query()] = None,
    persona_id: Filter = None,
    emotional_arc_id: Filter = None,
    training_topic_id: Filter = None,
    batch_job_id: Filter = None,
    limit: Annotated[Limit, Query()] = 25,
    cursor: Annotated[Cursor, Query()] = None,
) -> ConversationList:
    """List the caller's conversations, newest first."""
    asked = {
        "status": status,
        "tier": tier,
        "persona_id": persona_id,
        "emotional_arc_id": emotional_arc_id,
        "training_topic_id": training_topic_id,
        "batch_job_id": batch_job_id,
    }
    filters = {name: str(value) for name, value in asked.items() if value is not None}
    reader = bootstrap.conversation_reader()
    return ConversationList.of(reader.page(owner_of(router), filters, limit=limit, cursor=cursor))


@router.get("/api/conversations/<conversation_id>", tags=["Conversations"])
def show_conversation(
    conversation_id: str,
    include_turns: Annotated[bool, Query(alias="includeTurns")] = False,
) -> ConversationAnswer:
    """Show one conversation, with its turns if asked."""
    reader = bootstrap.conversation_reader()
    record = reader.one(owner_of(router), conversation_id)
    turns = [TurnView(**turn) for turn in reader.turns(record)] if include_turns else None
    return ConversationAnswer(conversation=ConversationView.of(record), turns=turns)


@router.get("/api/conversations/<conversation_id>/download", tags=["Conversations"])
def download_conversation(conversation_id: str) -> DownloadAnswer:
    """Give a link to the checked conversation."""
    reader = bootstrap.conversation_reader()
    return DownloadAnswer.of(reader.download(owner_of(router), conversation_id, raw=False))


@router.get("/api/conversations/<conversation_id>/download/raw", tags=["Conversations"])
def download_raw_conversation(conversation_id: str) -> DownloadAnswer:
    """Give a link to Claude's answer as it came."""
    reader = bootstrap.conversation_reader()
    return DownloadAnswer.of(reader.download(owner_of(router), conversation_id, raw=True))
