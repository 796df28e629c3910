"""Deletes a conversation: its objects first, then its row, with an entry in the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brightrun.domain import object_keys
from brightrun.domain.conversation_record import ConversationRecord, overtaken
from brightrun.domain.review import Deletion, audit_entry
from brightrun.errors import VersionConflictError
from brightrun.ports import Clock, ConversationReads
from brightrun.ports.conversations import ObjectRemoval, ReviewRepository

_TRIES = 5
"""Times that a row is read again which others change while its objects are being removed."""


@dataclass(frozen=True, slots=True)
class ConversationDeleter:
    """Deletes in the name of a caller, who owns the conversation.

    A training file holds copies in immutable versions, so that no file changes. The row goes last:
    a deletion that was cut short leaves a row that can be deleted again, and never an object that
    nobody can name.
    """

    conversations: ConversationReads
    reviews: ReviewRepository
    conversation_files: ObjectRemoval
    clock: Clock

    def delete(
        self,
        owner_id: str,
        conversation_id: str,
        deletion: Deletion,
        seen_version: int | None = None,
    ) -> None:
        """Delete the version that the caller has seen, or the present one.

        Once objects are gone there is no way back: a change that comes in between is deleted with
        the rest. Raises NotFoundError, VersionConflictError with the present state, StorageError.
        """
        record = self.conversations.conversation(owner_id, conversation_id)
        if seen_version not in (None, record.version):
            raise overtaken(record)
        for _ in range(_TRIES):
            for key in _objects(record):
                self.conversation_files.remove(key)
            entry = audit_entry(
                record,
                "delete",
                to_status=record.status,
                by=owner_id,
                now=self.clock(),
                reason=deletion.reason,
            )
            try:
                return self.reviews.delete(record, entry)
            except VersionConflictError:
                record = self.conversations.conversation(owner_id, conversation_id)
        raise overtaken(record)


def _objects(record: ConversationRecord) -> Iterator[str]:
    """Every object that was made for a conversation, each once."""
    owner, identifier = record.owner_id, record.conversation_id
    keys = [
        record.raw_response_path,
        record.file_path,
        *(revision["file_path"] for revision in record.revisions),
        object_keys.enriched_conversation(owner, identifier),
        object_keys.judgement_answer(owner, identifier),
    ]
    yield from dict.fromkeys(key for key in keys if key)
