"""The seams through which conversations are judged, decided about and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from brightrun.ports import ConversationReads, ConversationWrites

if TYPE_CHECKING:
    from brightrun.domain.conversation_record import ConversationRecord
    from brightrun.domain.pages import Page
    from brightrun.domain.review import AuditEntry


class ConversationChanges(ConversationReads, ConversationWrites, Protocol):
    """Conversation rows, read one at a time and changed."""


class ReviewRepository(Protocol):
    """What people decide about conversations, and the trail of it."""

    def record(
        self, decided: ConversationRecord, seen_version: int, entry: AuditEntry
    ) -> ConversationRecord:
        """Store a row over the version that was seen, and its entry, both or neither.

        Raises VersionConflictError with the state stored now, or NotFoundError.
        """

    def delete(self, record: ConversationRecord, entry: AuditEntry) -> None:
        """Delete a row that is at the record's version, and store the entry, both or neither.

        Raises VersionConflictError with the state stored now, or NotFoundError.
        """

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """List a conversation's entries, newest first."""


class ObjectRemoval(Protocol):
    """Takes objects out of one bucket."""

    def remove(self, key: str) -> None:
        """Delete an object; one that is not there is no error."""
