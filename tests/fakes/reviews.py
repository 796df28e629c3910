"""Reviews in memory."""

from __future__ import annotations

from collections import defaultdict

from brightrun.conversations.model import ConversationRecord
from brightrun.conversations.review.model import AuditEntry, conversation_key
from brightrun.core.pages import Page
from tests.fakes.conversations import InMemoryConversations


class InMemoryReviews:
    """Reviews over the rows of an in-memory table."""

    def __init__(self, rows: InMemoryConversations) -> None:
        self._rows = rows
        self._entries: dict[str, list[AuditEntry]] = defaultdict(list)

    def record(
        self, decided: ConversationRecord, seen_version: int, entry: AuditEntry
    ) -> ConversationRecord:
        stored = self._rows.replace(decided, seen_version)
        self._entries[entry.conversation_key].append(entry)
        return stored

    def delete(self, record: ConversationRecord, entry: AuditEntry) -> None:
        self._rows.drop(record)
        self._entries[entry.conversation_key].append(entry)

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        kept = self._entries[conversation_key(owner_id, conversation_id)]
        newest_first = sorted(kept, key=lambda entry: entry.entry_id, reverse=True)
        start = int(cursor or 0)
        following = str(start + limit) if start + limit < len(kept) else None
        return Page(tuple(newest_first[start : start + limit]), following)
