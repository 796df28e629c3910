"""Reviews, edits and deletes conversations."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from brightrun.aws.objects import ObjectStore, discarded_if_lost
from brightrun.conversations.enrichment.service import EnrichmentService
from brightrun.conversations.model import ConversationFilter, ConversationRecord, version_conflict
from brightrun.conversations.objects import keys_in_use
from brightrun.conversations.repository import ConversationRepository
from brightrun.conversations.review.model import (
    AuditEntry,
    Decision,
    Deletion,
    audit_entry,
    replace_turn,
    turn_text,
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
from brightrun.core.ids import new_attempt
from brightrun.core.pages import Page
from brightrun.core.timestamps import Clock, iso


@dataclass(frozen=True, slots=True)
class ReviewService:
    """Applies review decisions, and lists the audit trail."""

    conversations: ConversationRepository
    reviews: ReviewRepository
    clock: Clock

    def decide(
        self,
        owner_id: str,
        conversation_id: str,
        decision: Decision,
        seen_version: int | None = None,
    ) -> tuple[ConversationRecord, bool]:
        """Apply a decision to the version that the caller has read, or to the current one.

        Returns the row, and whether it changed; a decision without effect writes nothing. Raises
        VersionConflictError with the current state, and NotFoundError.
        """
        record = self.conversations.conversation(owner_id, conversation_id)
        if seen_version not in (None, record.version):
            raise version_conflict(record)
        if not decision.changes(record):
            return record, False
        after, entry = decision.apply(record, by=owner_id, now=self.clock())
        return self.reviews.record(after, record.version, entry), True

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """List the changes of a conversation, newest first, also after it was deleted.

        Raises NotFoundError if there is neither a conversation nor an entry.
        """
        page = self.reviews.trail(owner_id, conversation_id, limit=limit, cursor=cursor)
        if not page.records:
            self.conversations.conversation(owner_id, conversation_id)
        return page


_TRIES = 5
"""Attempts to delete a row that keeps changing while its objects are removed."""


@dataclass(frozen=True, slots=True)
class ConversationDeleter:
    """Deletes a conversation with its objects; training files keep the copies that they hold.

    Objects are removed before the row, so that an interrupted deletion can be repeated, and once
    more after it: what a concurrent writer stored meanwhile goes too, and one that stores later
    finds no row, and removes its own.
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
        """Delete the version that the caller has read, or the current one.

        Once objects are removed, a concurrent change of the row is deleted too. Raises
        NotFoundError, VersionConflictError with the current state, StorageError.
        """
        record = self.conversations.conversation(owner_id, conversation_id)
        if seen_version not in (None, record.version):
            raise version_conflict(record)
        for _ in range(_TRIES):
            self._remove_objects(record)
            entry = audit_entry(
                record,
                "delete",
                to_status=record.status,
                by=owner_id,
                now=self.clock(),
                reason=deletion.reason,
            )
            try:
                self.reviews.delete(record, entry)
            except VersionConflictError:
                record = self.conversations.conversation(owner_id, conversation_id)
            else:
                return self._remove_objects(record)
        raise version_conflict(record)

    def _remove_objects(self, record: ConversationRecord) -> None:
        """Remove what any attempt stored, and the raw answer where older versions put it."""
        for prefix in object_keys.conversation_prefixes(record.owner_id, record.conversation_id):
            self.conversation_files.remove_all(prefix)
        self.conversation_files.remove(record.raw_response_path)


MOST_AT_ONCE = 100
"""Conversations of one bulk request, which takes some of its 29 seconds at two AWS calls each."""
_CONCURRENCY = 8
"""Concurrent decisions: each waits for two AWS calls of about 20 ms."""
Outcome = Literal["updated", "deleted", "unchanged", "not_found", "conflict"]


@dataclass(frozen=True, slots=True)
class ReviewResult:
    """The result of one conversation of many."""

    conversation_id: str
    outcome: Outcome
    status: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class BulkReviewResult:
    """The result of each conversation; `remaining` counts further matches of a filter."""

    results: Sequence[ReviewResult]
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class BulkReview:
    """Applies one decision to many conversations; a failure of one does not affect the others."""

    reviews: ReviewService
    lister: ConversationLister
    deleter: ConversationDeleter

    def by_ids(
        self, owner_id: str, conversation_ids: Sequence[str], decision: Decision | Deletion
    ) -> BulkReviewResult:
        """Apply the decision to conversations by their ids."""
        return BulkReviewResult(
            self._each(owner_id, tuple(dict.fromkeys(conversation_ids)), decision)
        )

    def by_filter(
        self, owner_id: str, where: ConversationFilter, decision: Decision | Deletion
    ) -> BulkReviewResult:
        """Apply the decision to the newest 100 matches that do not have its status yet.

        Raises TooManyConversationsError if more conversations match than one request can read.
        """
        ids = [
            digest.conversation_id
            for digest in self.lister.matching(owner_id, where)
            if isinstance(decision, Deletion) or digest.status != decision.status
        ]
        now, later = ids[:MOST_AT_ONCE], ids[MOST_AT_ONCE:]
        return BulkReviewResult(self._each(owner_id, now, decision), remaining=len(later))

    def _each(
        self, owner_id: str, conversation_ids: Sequence[str], decision: Decision | Deletion
    ) -> list[ReviewResult]:
        with ThreadPoolExecutor(_CONCURRENCY) as threads:
            return list(
                threads.map(lambda one: self._one(owner_id, one, decision), conversation_ids)
            )

    def _one(
        self, owner_id: str, conversation_id: str, decision: Decision | Deletion
    ) -> ReviewResult:
        try:
            if isinstance(decision, Deletion):
                self.deleter.delete(owner_id, conversation_id, decision)
                return ReviewResult(conversation_id, "deleted")
            record, changed = self.reviews.decide(owner_id, conversation_id, decision)
        except NotFoundError:
            return ReviewResult(conversation_id, "not_found")
        except VersionConflictError as conflict:
            now = conflict.details
            return ReviewResult(conversation_id, "conflict", now["status"], now["version"])
        outcome: Outcome = "updated" if changed else "unchanged"
        return ReviewResult(conversation_id, outcome, record.status, record.version)


MOST_REVISIONS = 100
"""Edits of one conversation; each adds up to 2 KB to the row, which DynamoDB limits to 400 KB."""


@dataclass(frozen=True, slots=True)
class TurnEdit:
    """The new text of a turn, and the reason for the change."""

    turn_number: int
    content: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConversationEditor:
    """Edits turns of a conversation, and enriches it again."""

    reviews: ReviewRepository
    conversation_files: ObjectStore
    enrichment: EnrichmentService
    clock: Clock
    new_attempt: Callable[[], str] = new_attempt

    def edit(
        self, owner_id: str, conversation_id: str, edit: TurnEdit, seen_version: int | None
    ) -> ConversationRecord:
        """Store the edited conversation, enrich it again, and return the updated row.

        An edit without effect writes nothing. A failure of the enrichment is recorded on the row.
        Raises VersionConflictError with the current state, NotFoundError, InvalidTurnError, and
        InvalidInputError after MOST_REVISIONS edits.
        """
        record = self.enrichment.get(owner_id, conversation_id)
        if seen_version not in (None, record.version):
            raise version_conflict(record)
        document = self._document(record)
        if turn_text(document, edit.turn_number) == edit.content:
            return record
        if len(record.revisions) >= MOST_REVISIONS:
            raise InvalidInputError(
                f"The conversation '{conversation_id}' was edited {MOST_REVISIONS} times, which "
                "is the limit. Import the corrected conversation as a new one."
            )
        edited = replace_turn(document, edit.turn_number, edit.content)
        stored = self._stored(record, edited, edit, self.clock())
        try:
            return self.enrichment.enrich(owner_id, conversation_id)
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
        path = object_keys.parsed_conversation(
            record.owner_id, record.conversation_id, self.new_attempt()
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
        in_use = partial(
            keys_in_use, self.enrichment.conversations, record.owner_id, record.conversation_id
        )
        with discarded_if_lost(self.conversation_files, in_use, path):
            return self.reviews.record(after, record.version, entry)


def _edited(
    record: ConversationRecord, edit: TurnEdit, path: str, size: int, now: str
) -> ConversationRecord:
    """The row after an edit: the approval and the results of the old text are cleared."""
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
