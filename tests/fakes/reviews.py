"""Reviews in memory."""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.review.model import (
    AuditEntry,
    BulkChange,
    bulk_key,
    conversation_key,
)
from brightrun.core.pages import Page
from tests.fakes.conversations import InMemoryConversations


class InMemoryReviews:
    """Reviews over the rows of an in-memory table."""

    def __init__(self, rows: InMemoryConversations) -> None:
        self._rows = rows
        self._entries: dict[str, list[AuditEntry]] = defaultdict(list)
        self._changes: dict[str, dict[str, BulkChange]] = defaultdict(dict)

    def record(
        self,
        decided: ConversationRecord,
        seen_version: int,
        entry: AuditEntry,
        change: BulkChange | None = None,
    ) -> ConversationRecord:
        stored = self._rows.replace(decided, seen_version)
        self._entries[entry.conversation_key].append(entry)
        if change is not None:
            self._changes[change.conversation_key][change.entry_id] = change
        return stored

    def delete(self, record: ConversationRecord, entry: AuditEntry) -> None:
        self._rows.drop(record, entry.at)
        self._entries[entry.conversation_key].append(entry)

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        return _page(self._entries[conversation_key(owner_id, conversation_id)], limit, cursor)

    def bulk_changes(
        self, owner_id: str, bulk_action_id: str, *, limit: int, cursor: str | None
    ) -> Page[BulkChange]:
        changes = self._changes[bulk_key(owner_id, bulk_action_id)]
        return _page(list(changes.values()), limit, cursor)


E = TypeVar("E", AuditEntry, BulkChange)


def _page(kept: list[E], limit: int, cursor: str | None) -> Page[E]:
    newest_first = sorted(kept, key=lambda entry: entry.entry_id, reverse=True)
    start = int(cursor or 0)
    following = str(start + limit) if start + limit < len(kept) else None
    return Page(tuple(newest_first[start : start + limit]), following)
