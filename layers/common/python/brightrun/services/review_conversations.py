"""What people decide about a conversation, and the trail that it leaves."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.domain.conversation_record import ConversationRecord, overtaken
from brightrun.domain.pages import Page
from brightrun.domain.review import AuditEntry, Decision
from brightrun.ports import Clock, ConversationReads
from brightrun.ports.conversations import ReviewRepository


@dataclass(frozen=True, slots=True)
class ReviewDesk:
    """Decides in the name of a caller, who owns the conversations."""

    conversations: ConversationReads
    reviews: ReviewRepository
    clock: Clock

    def decided(
        self,
        owner_id: str,
        conversation_id: str,
        decision: Decision,
        seen_version: int | None = None,
    ) -> tuple[ConversationRecord, bool]:
        """Take a decision about the version that the caller has seen, or about the present one.

        Gives the row and whether it changed: a decision that changes nothing writes nothing.
        Raises VersionConflictError with the present state, and NotFoundError.
        """
        record = self.conversations.conversation(owner_id, conversation_id)
        if seen_version not in (None, record.version):
            raise overtaken(record)
        if not decision.changes(record):
            return record, False
        after, entry = decision.applied(record, by=owner_id, now=self.clock())
        return self.reviews.record(after, record.version, entry), True

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """List who changed a conversation, newest first, also after it was deleted.

        Raises NotFoundError where there is neither a conversation nor a trace of one.
        """
        page = self.reviews.trail(owner_id, conversation_id, limit=limit, cursor=cursor)
        if not page.records:
            self.conversations.conversation(owner_id, conversation_id)
        return page
