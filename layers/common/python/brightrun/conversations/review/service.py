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
from brightrun.conversations.digests import ConversationFilter
from brightrun.conversations.enrichment.service import EnrichmentService
from brightrun.conversations.model import ConversationRecord, version_conflict
from brightrun.conversations.repository import ConversationRepository, keys_in_use
from brightrun.conversations.review.model import (
    AuditEntry,
    BulkChange,
    Decision,
    Deletion,
    audit_entry,
    bulk_change,
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
from brightrun.core.ids import new_attempt, time_ordered_id
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
        seen_versions: frozenset[int] | None = None,
        bulk_action_id: str | None = None,
    ) -> tuple[ConversationRecord, bool]:
        """Apply a decision to a version that the caller has read; to any version for None.

        Returns the row, and whether it changed; a decision without effect writes nothing. Raises
        VersionConflictError with the current state, and NotFoundError.
        """
        record = self.conversations.conversation(owner_id, conversation_id)
        _require_seen(record, seen_versions)
        if not decision.changes(record):
            return record, False
        after, entry = decision.apply(
            record, by=owner_id, now=self.clock(), bulk_action_id=bulk_action_id
        )
        change = bulk_change(record, entry)
        return self.reviews.record(after, record.version, entry, change), True

    def undo(
        self, owner_id: str, bulk_action_id: str, change: BulkChange
    ) -> tuple[ConversationRecord, bool]:
        """Put back the review that a conversation had before an action about many.

        Returns the row, and whether it changed: it does not if it has that review already. Raises
        VersionConflictError with the current state if it changed since, and NotFoundError.
        """
        record = self.conversations.conversation(owner_id, change.conversation_id)
        if record.version != change.version:
            if change.is_undone(record):
                return record, False
            raise version_conflict(record)
        after, entry = change.undo(
            record, by=owner_id, now=self.clock(), bulk_action_id=bulk_action_id
        )
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


def _require_seen(record: ConversationRecord, versions: frozenset[int] | None) -> None:
    if versions is not None and record.version not in versions:
        raise version_conflict(record)


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
        seen_versions: frozenset[int] | None = None,
    ) -> None:
        """Delete a version that the caller has read; any version for None.

        Once objects are removed, a concurrent change of the row is deleted too. Raises
        NotFoundError, VersionConflictError with the current state, StorageError.
        """
        record = self.conversations.conversation(owner_id, conversation_id)
        _require_seen(record, seen_versions)
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
    """The result of each conversation; `remaining` counts further matches of a filter.

    `bulk_action_id` undoes the action; None if there is nothing to undo.
    """

    results: Sequence[ReviewResult]
    remaining: int | None = None
    bulk_action_id: str | None = None


@dataclass(frozen=True, slots=True)
class UndoResult:
    """The results of a page of an action's conversations, and the cursor of the next page."""

    results: Sequence[ReviewResult]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """A decision about many; `dry_run` only tells what it would do.

    Requests with the same `bulk_action_id` are one action, which is undone as one.
    """

    decision: Decision | Deletion
    dry_run: bool = False
    bulk_action_id: str | None = None

    def named(self, now: datetime) -> BulkRequest:
        """The request with an id, if what it does can be undone."""
        if self.dry_run or isinstance(self.decision, Deletion):
            return dataclasses.replace(self, bulk_action_id=None)
        return dataclasses.replace(self, bulk_action_id=self.bulk_action_id or time_ordered_id(now))


@dataclass(frozen=True, slots=True)
class BulkReview:
    """Applies one decision to many conversations; a failure of one does not affect the others."""

    reviews: ReviewService
    lister: ConversationLister
    deleter: ConversationDeleter

    def by_ids(
        self, owner_id: str, conversation_ids: Sequence[str], request: BulkRequest
    ) -> BulkReviewResult:
        """Apply the decision to conversations by their ids."""
        return self._each(owner_id, tuple(dict.fromkeys(conversation_ids)), request)

    def by_filter(
        self, owner_id: str, where: ConversationFilter, request: BulkRequest
    ) -> BulkReviewResult:
        """Apply the decision to the newest 100 matches that do not have its status yet."""
        decision = request.decision
        ids = [
            digest.conversation_id
            for digest in self.lister.matching(owner_id, where)
            if isinstance(decision, Deletion) or digest.status != decision.status
        ]
        now, later = ids[:MOST_AT_ONCE], ids[MOST_AT_ONCE:]
        return dataclasses.replace(self._each(owner_id, now, request), remaining=len(later))

    def undo(self, owner_id: str, bulk_action_id: str, cursor: str | None) -> UndoResult:
        """Take back an action, of up to 100 conversations; those that changed since stay.

        Raises NotFoundError if no conversation was changed by it, and InvalidCursorError.
        """
        page = self.reviews.reviews.bulk_changes(
            owner_id, bulk_action_id, limit=MOST_AT_ONCE, cursor=cursor
        )
        if not page.records and cursor is None:
            raise NotFoundError("bulk action", bulk_action_id)

        def undo(change: BulkChange) -> ReviewResult:
            return _result(
                change.conversation_id,
                lambda: self.reviews.undo(owner_id, bulk_action_id, change),
            )

        with ThreadPoolExecutor(_CONCURRENCY) as threads:
            return UndoResult(list(threads.map(undo, page.records)), page.next_cursor)

    def _each(
        self, owner_id: str, conversation_ids: Sequence[str], request: BulkRequest
    ) -> BulkReviewResult:
        named = request.named(self.reviews.clock())

        def apply(conversation_id: str) -> ReviewResult:
            return self._one(owner_id, conversation_id, named)

        with ThreadPoolExecutor(_CONCURRENCY) as threads:
            results = list(threads.map(apply, conversation_ids))
        undoable = any(one.outcome == "updated" for one in results)
        return BulkReviewResult(results, bulk_action_id=named.bulk_action_id if undoable else None)

    def _one(self, owner_id: str, conversation_id: str, request: BulkRequest) -> ReviewResult:
        decision = request.decision

        def decide() -> tuple[ConversationRecord | None, bool]:
            if request.dry_run:
                record = self.reviews.conversations.conversation(owner_id, conversation_id)
                return record, isinstance(decision, Deletion) or decision.changes(record)
            if isinstance(decision, Deletion):
                self.deleter.delete(owner_id, conversation_id, decision)
                return None, True
            return self.reviews.decide(
                owner_id, conversation_id, decision, bulk_action_id=request.bulk_action_id
            )

        done: Outcome = "deleted" if isinstance(decision, Deletion) else "updated"
        return _result(conversation_id, decide, done)


def _result(
    conversation_id: str,
    act: Callable[[], tuple[ConversationRecord | None, bool]],
    done: Outcome = "updated",
) -> ReviewResult:
    """Act on one conversation, and tell how it went; `act` returns the row and if it changed."""
    try:
        record, changed = act()
    except NotFoundError:
        return ReviewResult(conversation_id, "not_found")
    except VersionConflictError as conflict:
        now = conflict.details
        return ReviewResult(conversation_id, "conflict", now["status"], now["version"])
    outcome = done if changed else "unchanged"
    if record is None:
        return ReviewResult(conversation_id, outcome)
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
        self,
        owner_id: str,
        conversation_id: str,
        edit: TurnEdit,
        seen_versions: frozenset[int] | None = None,
    ) -> ConversationRecord:
        """Store the edited conversation, enrich it again, and return the updated row.

        An edit without effect writes nothing. A failure of the enrichment is recorded on the row.
        Raises VersionConflictError with the current state, NotFoundError, InvalidTurnError, and
        InvalidInputError after MOST_REVISIONS edits.
        """
        record = self.enrichment.get(owner_id, conversation_id)
        _require_seen(record, seen_versions)
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
