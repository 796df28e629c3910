"""How the batch routes show items and log lines."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from brightrun.api.shapes import Answer, Part
from brightrun.domain.batch import BatchItem
from brightrun.domain.batch_log import LogLine
from brightrun.domain.pages import Page
from brightrun.domain.scaffolding import Tier
from brightrun.domain.transitions import ItemStatus


class ItemSummary(Part):
    """An item as the lists show it."""

    id: str = Field(validation_alias="item_id")
    position: int
    status: ItemStatus
    persona_key: str
    emotional_arc_key: str
    training_topic_key: str
    tier: Tier
    conversation_id: str | None
    attempts: int
    error_code: str | None
    error_message: str | None
    updated_at: str = Field(serialization_alias="updatedAt")


class ItemList(Answer):
    """GET /api/conversations/batch/{id}/items."""

    items: list[ItemSummary]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[BatchItem]) -> Self:
        """Show a page of items."""
        items = [ItemSummary.model_validate(item) for item in page.records]
        return cls(items=items, count=len(items), next_cursor=page.next_cursor)


class LogPage(Answer):
    """GET /api/batch-jobs/{id}/log."""

    lines: list[str]
    count: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[LogLine]) -> Self:
        """Show a page of log lines."""
        lines = [line.text() for line in page.records]
        return cls(lines=lines, count=len(lines), next_cursor=page.next_cursor)
