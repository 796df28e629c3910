"""Decisions about conversations, edits of their turns, and the audit trail of both."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from brightrun.conversations.model import (
    ConversationRecord,
    ReviewStatus,
    is_cut_off,
    literal_escape,
    same_words,
)
from brightrun.core.errors import InvalidInputError, InvalidTurnError
from brightrun.core.timestamps import iso

ReviewAction = Literal["approve", "reject", "archive", "reopen"]
AuditAction = Literal["approve", "reject", "archive", "reopen", "edit", "delete", "undo"]
LEADS_TO: Mapping[ReviewAction, ReviewStatus] = {
    "approve": "approved",
    "reject": "rejected",
    "archive": "archived",
    "reopen": "pending_review",
}
ACTION_TO: Mapping[ReviewStatus, ReviewAction] = {
    status: action for action, status in LEADS_TO.items()
}
LONGEST_REASON = 2000
"""Characters of a reason, which is stored on the row and in the audit trail."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change by a person: who, when, what and why, and the resulting version of the row.

    `conversation_key` is `{owner}#{conversation_id}`. `entry_id` sorts by time, and within one
    millisecond by version. `bulk_action_id` names the action about many that made the change, or
    that was undone.
    """

    conversation_key: str
    entry_id: str
    at: str
    by: str
    action: AuditAction
    from_status: ReviewStatus
    to_status: ReviewStatus
    version: int
    reason: str | None = None
    turn_number: int | None = None
    bulk_action_id: str | None = None


REVIEW_FIELDS = ("status", "reviewed_by", "reviewed_at", "review_notes")
"""The fields of a row that a decision changes, and that undoing it puts back."""


def review_of(record: ConversationRecord) -> dict[str, Any]:
    """The review of a conversation."""
    return {name: getattr(record, name) for name in REVIEW_FIELDS}


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What one action about many changed in one conversation, for undoing it.

    It stands in the audit table, in a partition of the action (`bulk_key`), under the
    conversation's id. `version` is that of the row after the change, `before` its review before it.
    """

    conversation_key: str
    entry_id: str
    version: int
    before: dict[str, Any]

    @property
    def conversation_id(self) -> str:
        """The conversation that was changed."""
        return self.entry_id

    def is_undone(self, record: ConversationRecord) -> bool:
        """Whether the conversation has the review that it had before."""
        return all(self.before.get(name) == value for name, value in review_of(record).items())

    def undo(
        self, record: ConversationRecord, *, by: str, now: datetime, bulk_action_id: str
    ) -> tuple[ConversationRecord, AuditEntry]:
        """Return the row with its former review, and the audit entry."""
        before = {name: self.before.get(name) for name in REVIEW_FIELDS}
        restored = dataclasses.replace(record, **before, updated_at=iso(now))  # type: ignore[arg-type]
        entry = audit_entry(
            record,
            "undo",
            to_status=restored.status,
            by=by,
            now=now,
            reason=None,
            bulk_action_id=bulk_action_id,
        )
        return restored, entry


def bulk_change(record: ConversationRecord, entry: AuditEntry) -> BulkChange | None:
    """What undoing needs to know of a change; `record` is the row before it. None for one alone."""
    if entry.bulk_action_id is None:
        return None
    key = bulk_key(record.owner_id, entry.bulk_action_id)
    return BulkChange(key, record.conversation_id, entry.version, review_of(record))


@dataclass(frozen=True, slots=True)
class Decision:
    """A review decision; raises InvalidInputError for a rejection without a reason."""

    action: ReviewAction
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.action == "reject" and not (self.reason or "").strip():
            raise InvalidInputError(
                "A rejection needs a reason: give it in review_notes, or in reason if several "
                "conversations are rejected at once."
            )

    @property
    def status(self) -> ReviewStatus:
        """The status that the decision leads to."""
        return LEADS_TO[self.action]

    def changes(self, record: ConversationRecord) -> bool:
        """Whether the decision would change the conversation's status or notes."""
        same_notes = self.reason is None or self.reason == record.review_notes
        return record.status != self.status or not same_notes

    def apply(
        self,
        record: ConversationRecord,
        *,
        by: str,
        now: datetime,
        bulk_action_id: str | None = None,
    ) -> tuple[ConversationRecord, AuditEntry]:
        """Return the row with the decision, and its audit entry."""
        decided = dataclasses.replace(
            record,
            status=self.status,
            reviewed_by=by,
            reviewed_at=iso(now),
            review_notes=self.reason,
            updated_at=iso(now),
        )
        entry = audit_entry(
            record,
            self.action,
            to_status=self.status,
            by=by,
            now=now,
            reason=self.reason,
            bulk_action_id=bulk_action_id,
        )
        return decided, entry


@dataclass(frozen=True, slots=True)
class Deletion:
    """The decision to delete a conversation."""

    reason: str | None = None


def audit_entry(
    record: ConversationRecord,
    action: AuditAction,
    *,
    to_status: ReviewStatus,
    by: str,
    now: datetime,
    reason: str | None,
    turn_number: int | None = None,
    bulk_action_id: str | None = None,
) -> AuditEntry:
    """Create the audit entry of a change; `record` is the row before it."""
    version = record.version + 1
    return AuditEntry(
        conversation_key=conversation_key(record.owner_id, record.conversation_id),
        entry_id=f"{iso(now)}#{version:08d}",
        at=iso(now),
        by=by,
        action=action,
        from_status=record.status,
        to_status=to_status,
        version=version,
        reason=reason,
        turn_number=turn_number,
        bulk_action_id=bulk_action_id,
    )


def conversation_key(owner_id: str, conversation_id: str) -> str:
    """The partition key of a conversation's audit trail."""
    return f"{owner_id}#{conversation_id}"


def bulk_key(owner_id: str, bulk_action_id: str) -> str:
    """The partition key of the changes of an action about many; no conversation's id holds '#'."""
    return f"{owner_id}#bulk-action#{bulk_action_id}"


LONGEST_TURN = 100_000
"""Characters of a turn's text; Claude writes about 2,000 at most."""


def replace_turn(document: Mapping[str, Any], turn_number: int, content: str) -> dict[str, Any]:
    """Return the conversation with another text at a turn; turns are counted from 1.

    Raises InvalidTurnError if the turn does not exist, or the text is blank, cut off, contains
    escape sequences or repeats another turn; InvalidInputError if the file has no turns.
    """
    edited = copy.deepcopy(dict(document))
    turns = edited.get("turns")
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise InvalidInputError("The conversation's file has no list of turns to edit.")
    if not 1 <= turn_number <= len(turns):
        raise InvalidTurnError(
            "turn_number", f"There is no turn {turn_number}; the conversation has {len(turns)}."
        )
    others = [turn for number, turn in enumerate(turns, 1) if number != turn_number]
    if fault := _text_fault(content, others):
        raise InvalidTurnError("content", fault)
    turns[turn_number - 1]["content"] = content
    return edited


def turn_text(document: Mapping[str, Any], turn_number: int) -> str | None:
    """The current text of a turn; None if there is no such turn."""
    turns = document.get("turns")
    if not isinstance(turns, list) or not 1 <= turn_number <= len(turns):
        return None
    turn = turns[turn_number - 1]
    text = turn.get("content") if isinstance(turn, dict) else None
    return text if isinstance(text, str) else None


def _text_fault(content: str, others: list[dict[str, Any]]) -> str | None:
    if not content.strip():
        return "The text is blank."
    if is_cut_off(content):
        return "The text ends in a backslash, like text that was cut off."
    if escape := literal_escape(content):
        return f"The text holds the escape {escape} where a character belongs."
    repeated = same_words(content)
    if any(same_words(str(turn.get("content") or "")) == repeated for turn in others):
        return "The text repeats another turn of the conversation."
    return None
