"""One decision about many conversations: those that are named, or those that a filter finds."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from brightrun.domain.conversation_list import ConversationFilter
from brightrun.domain.review import Decision, Deletion
from brightrun.errors import NotFoundError, VersionConflictError
from brightrun.services.delete_conversation import ConversationDeleter
from brightrun.services.list_conversations import ConversationLister
from brightrun.services.review_conversations import ReviewDesk

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

    desk: ReviewDesk
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
