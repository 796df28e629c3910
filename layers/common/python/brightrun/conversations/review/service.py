"""Reviews conversations one by one or many at once, edits their turns and deletes them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from brightrun.aws.objects import ObjectStore
from brightrun.conversations.enrichment.service import EnrichmentService
from brightrun.conversations.model import ConversationFilter, ConversationRecord, version_conflict
from brightrun.conversations.repository import ConversationRepository
from brightrun.conversations.review.model import (
    AuditEntry,
    Decision,
    Deletion,
    audit_entry,
    said_in,
    with_turn,
)
from brightrun.conversations.review.repository import ReviewRepository
from brightrun.conversations.service import ConversationLister
from brightrun.core import object_keys
from brightrun.core.errors import (
    InvalidInputError,
    NotFoundError,
    StorageError,
    VersionConflictError,
)
from brightrun.core.pages import Page
from brightrun.core.timestamps import Clock, iso


@dataclass(frozen=True, slots=True)
class ReviewService:
    """Decides in the name of a caller, who owns the conversations."""

    conversations: ConversationRepository
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
            raise version_conflict(record)
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


_TRIES = 5
"""Times that a row is read again which others change while its objects are being removed."""


@dataclass(frozen=True, slots=True)
class ConversationDeleter:
    """Deletes in the name of a caller, who owns the conversation.

    A training file holds copies in immutable versions, so that no file changes. The row goes last:
    a deletion that was cut short leaves a row that can be deleted again, and never an object that
    nobody can name.
    """

    conversations: ConversationRepository
    reviews: ReviewRepository
    conversation_files: ObjectStore
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
            raise version_conflict(record)
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
        raise version_conflict(record)


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


MOST_AT_ONCE = 100
"""Conversations that one request decides about; at two AWS calls each, some seconds of its 29."""
_AT_ONCE = 8
"""Decisions side by side: each waits for two AWS calls of some 20 ms."""
Outcome = Literal["updated", "deleted", "unchanged", "not_found", "conflict"]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of one conversation of many."""

    conversation_id: str
    outcome: Outcome
    status: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class DecidedMany:
    """What became of each; `remaining` counts what a filter found beyond these."""

    results: Sequence[Reviewed]
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class BulkReview:
    """Takes one decision many times; what is refused for one conversation stops no other."""

    desk: ReviewService
    lister: ConversationLister
    deleter: ConversationDeleter

    def named(
        self, owner_id: str, conversation_ids: Sequence[str], decision: Decision | Deletion
    ) -> DecidedMany:
        """Decide about conversations by their ids."""
        return DecidedMany(self._each(owner_id, tuple(dict.fromkeys(conversation_ids)), decision))

    def found(
        self, owner_id: str, wanted: ConversationFilter, decision: Decision | Deletion
    ) -> DecidedMany:
        """Decide about the newest 100 that a filter finds and that are not yet where it leads.

        Raises TooManyConversationsError when the filter finds more than one request can read.
        """
        ids = [
            digest.conversation_id
            for digest in self.lister.matching(owner_id, wanted)
            if isinstance(decision, Deletion) or digest.status != decision.status
        ]
        now, later = ids[:MOST_AT_ONCE], ids[MOST_AT_ONCE:]
        return DecidedMany(self._each(owner_id, now, decision), remaining=len(later))

    def _each(
        self, owner_id: str, conversation_ids: Sequence[str], decision: Decision | Deletion
    ) -> list[Reviewed]:
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(
                threads.map(lambda one: self._one(owner_id, one, decision), conversation_ids)
            )

    def _one(self, owner_id: str, conversation_id: str, decision: Decision | Deletion) -> Reviewed:
        try:
            if isinstance(decision, Deletion):
                self.deleter.delete(owner_id, conversation_id, decision)
                return Reviewed(conversation_id, "deleted")
            record, changed = self.desk.decided(owner_id, conversation_id, decision)
        except NotFoundError:
            return Reviewed(conversation_id, "not_found")
        except VersionConflictError as conflict:
            now = conflict.details
            return Reviewed(conversation_id, "conflict", now["status"], now["version"])
        outcome: Outcome = "updated" if changed else "unchanged"
        return Reviewed(conversation_id, outcome, record.status, record.version)


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
    enrichment: EnrichmentService
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
            raise version_conflict(record)
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
