"""Edits a turn of a conversation: a new file, the old one kept, and the review open again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from brightrun.domain import object_keys
from brightrun.domain.conversation_record import ConversationRecord, overtaken
from brightrun.domain.moments import iso
from brightrun.domain.review import audit_entry
from brightrun.domain.turn_edit import said_in, with_turn
from brightrun.errors import (
    InvalidInputError,
    NotFoundError,
    StorageError,
    VersionConflictError,
)
from brightrun.ports import Clock, ObjectStore
from brightrun.ports.conversations import ReviewRepository
from brightrun.services.request_enrichment import EnrichmentDesk

MOST_REVISIONS = 100
"""Edits of one conversation; each leaves up to 2 KB on the row, which DynamoDB bounds at 400 KB."""


@dataclass(frozen=True, slots=True)
class TurnEdit:
    """What a turn shall say, and why."""

    turn_number: int
    content: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConversationEditor:
    """Edits in the name of a caller, who owns the conversation."""

    reviews: ReviewRepository
    conversation_files: ObjectStore
    enrichment: EnrichmentDesk
    clock: Clock
    new_attempt: Callable[[], str]

    def edit(
        self, owner_id: str, conversation_id: str, edit: TurnEdit, seen_version: int | None
    ) -> ConversationRecord:
        """Store the edited conversation, and enrich it again; gives the row as it then is.

        An edit that changes nothing writes nothing. A failure of the enrichment is told by the row.
        Raises VersionConflictError with the present state, NotFoundError, InvalidTurnError, and
        InvalidInputError after the last of 100 edits.
        """
        record = self.enrichment.state(owner_id, conversation_id)
        if seen_version not in (None, record.version):
            raise overtaken(record)
        document = self._document(record)
        if said_in(document, edit.turn_number) == edit.content:
            return record
        if len(record.revisions) >= MOST_REVISIONS:
            raise InvalidInputError(
                f"The conversation '{conversation_id}' was edited {MOST_REVISIONS} times, which "
                "is the most. Import the mended conversation as a new one."
            )
        edited = with_turn(document, edit.turn_number, edit.content)
        stored = self._stored(record, edited, edit, self.clock())
        try:
            return self.enrichment.one(owner_id, conversation_id)
        except (StorageError, VersionConflictError):
            return stored

    def _document(self, record: ConversationRecord) -> dict[str, Any]:
        stored = self.conversation_files.get(record.file_path)
        if stored is None:
            raise NotFoundError("conversation file", record.conversation_id)
        document: dict[str, Any] = json.loads(stored.text)
        return document

    def _stored(
        self, record: ConversationRecord, edited: dict[str, Any], edit: TurnEdit, now: datetime
    ) -> ConversationRecord:
        path = object_keys.edited_conversation(
            record.owner_id, record.conversation_id, record.version + 1, self.new_attempt()
        )
        body = json.dumps(edited, ensure_ascii=False, indent=2)
        size = self.conversation_files.put(path, body, content_type="application/json")
        after = _edited(record, edit, path, size, iso(now))
        entry = audit_entry(
            record,
            "edit",
            to_status=after.status,
            by=record.owner_id,
            now=now,
            reason=edit.reason,
            turn_number=edit.turn_number,
        )
        return self.reviews.record(after, record.version, entry)


def _edited(
    record: ConversationRecord, edit: TurnEdit, path: str, size: int, now: str
) -> ConversationRecord:
    """The row after an edit: what was made of the old text is void, and so is its approval."""
    revision = {
        "version": record.version,
        "file_path": record.file_path,
        "edited_by": record.owner_id,
        "edited_at": now,
        "reason": edit.reason,
        "turn_number": edit.turn_number,
    }
    reopened = (
        {"status": "pending_review", "reviewed_by": None, "reviewed_at": None, "review_notes": None}
        if record.status == "approved"
        else {}
    )
    return dataclasses.replace(
        record,
        **reopened,  # type: ignore[arg-type]
        file_path=path,
        file_size=size,
        revisions=[*record.revisions, revision],
        enrichment_status="not_started",
        enrichment_error=None,
        enrichment_stages={},
        enriched_file_path=None,
        enriched_file_size=None,
        enriched_at=None,
        judgement=None,
        updated_at=now,
    )
