"""What people decide about a conversation, and what is kept of each decision."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from brightrun.domain.conversation_record import ConversationRecord, ReviewStatus
from brightrun.domain.moments import iso
from brightrun.errors import InvalidInputError

ReviewAction = Literal["approve", "reject", "archive", "reopen"]
AuditAction = Literal["approve", "reject", "archive", "reopen", "edit", "delete"]

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
"""Characters of a reason; it stands on the row and in the audit trail."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change that a person made: who, when, what, why, and the version it led to.

    `conversation_key` is `{owner}#{conversation_id}`. `entry_id` sorts by time, and within one
    millisecond by version.
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


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decides, and why; a rejection must say why. Raises InvalidInputError."""

    action: ReviewAction
    reason: str | None = None

    def __post_init__(self) -> None:
        if self.action == "reject" and not (self.reason or "").strip():
            raise InvalidInputError(
                "A rejection needs a reason: say in review_notes, or in reason where many are "
                "rejected at once, what is wrong with the conversation."
            )

    @property
    def status(self) -> ReviewStatus:
        """Where the decision leads."""
        return LEADS_TO[self.action]

    def changes(self, record: ConversationRecord) -> bool:
        """Whether the conversation is not yet where the decision leads, or gives other notes."""
        noted = self.reason is None or self.reason == record.review_notes
        return record.status != self.status or not noted

    def applied(
        self, record: ConversationRecord, *, by: str, now: datetime
    ) -> tuple[ConversationRecord, AuditEntry]:
        """Give the row as it shall be, and the entry that goes with it."""
        decided = dataclasses.replace(
            record,
            status=self.status,
            reviewed_by=by,
            reviewed_at=iso(now),
            review_notes=self.reason,
            updated_at=iso(now),
        )
        entry = audit_entry(
            record, self.action, to_status=self.status, by=by, now=now, reason=self.reason
        )
        return decided, entry


@dataclass(frozen=True, slots=True)
class Deletion:
    """The wish to delete conversations, and why."""

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
) -> AuditEntry:
    """Write down the change of a row that is at the version it was read at."""
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
    )


def conversation_key(owner_id: str, conversation_id: str) -> str:
    """The partition of a conversation's audit trail."""
    return f"{owner_id}#{conversation_id}"
