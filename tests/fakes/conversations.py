"""Conversation rows in memory, and rows to test with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from brightrun.conversations.digests import Change, ConversationDigest, Tombstone
from brightrun.conversations.enrichment.model import TO_BE_RUN
from brightrun.conversations.model import ConversationRecord, version_conflict
from brightrun.core.errors import DuplicateKeyError, NotFoundError
from brightrun.core.timestamps import iso
from tests.builders import OWNER, START


class InMemoryConversations:
    """Conversation rows; `writes` counts what was stored."""

    def __init__(self, *records: ConversationRecord) -> None:
        self._rows = {(one.owner_id, one.conversation_id): one for one in records}
        self._tombstones: list[tuple[str, str, Tombstone]] = []
        self.writes = 0

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        try:
            return self._rows[owner_id, conversation_id]
        except KeyError:
            raise NotFoundError("conversation", conversation_id) from None

    def records(self, owner_id: str, conversation_ids: Sequence[str]) -> list[ConversationRecord]:
        rows = (self._rows.get((owner_id, one)) for one in conversation_ids)
        return [row for row in rows if row is not None]

    def changes(self, owner_id: str, since: str | None) -> Iterator[Sequence[Change]]:
        of_owner = [row for row in self._rows.values() if row.owner_id == owner_id]
        written: list[tuple[str, Change]] = [(row.updated_at, a_digest(row)) for row in of_owner]
        written += [(at, one) for owner, at, one in self._tombstones if owner == owner_id]
        written.sort(key=itemgetter(0))
        yield [change for at, change in written if since is None or at >= since]

    def unenriched(self, owner_id: str, job_id: str, since: str) -> list[ConversationRecord]:
        return [
            row
            for row in self._rows.values()
            if (row.owner_id, row.batch_job_id) == (owner_id, job_id)
            and row.updated_at >= since
            and row.enrichment_status in TO_BE_RUN
        ]

    def add(self, record: ConversationRecord) -> None:
        key = (record.owner_id, record.conversation_id)
        if key in self._rows:
            raise DuplicateKeyError("taken", details={"conversation_id": record.conversation_id})
        self._store(record)

    def replace(self, record: ConversationRecord, seen_version: int) -> ConversationRecord:
        current = self.conversation(record.owner_id, record.conversation_id)
        if current.version != seen_version:
            raise version_conflict(current)
        return self._store(dataclasses.replace(record, version=seen_version + 1))

    def drop(self, record: ConversationRecord, at: str = iso(START)) -> None:
        """Delete the row if it is still at the record's version."""
        current = self.conversation(record.owner_id, record.conversation_id)
        if current.version != record.version:
            raise version_conflict(current)
        del self._rows[record.owner_id, record.conversation_id]
        tombstone = Tombstone(record.conversation_id, record.created_at, record.version + 1)
        self._tombstones.append((record.owner_id, at, tombstone))

    def _store(self, record: ConversationRecord) -> ConversationRecord:
        self.writes += 1
        self._rows[record.owner_id, record.conversation_id] = record
        return record


def a_digest(record: ConversationRecord) -> ConversationDigest:
    """The digest of a row."""
    values = {name: getattr(record, name) for name in ConversationDigest._fields}
    return ConversationDigest(**{**values, "flags": tuple(record.flags)})


def a_record(conversation_id: str = "conversation-1", **changes: Any) -> ConversationRecord:
    """A row as the worker writes it, of conversation.json under its usual key."""
    fields: dict[str, Any] = {
        "owner_id": OWNER,
        "conversation_id": conversation_id,
        "conversation_name": "Marcus Chen - The Overwhelmed Avoider",
        "batch_job_id": "job-1",
        "item_id": "item-1",
        "persona_id": "persona-1",
        "persona_key": "overwhelmed_avoider",
        "emotional_arc_id": "arc-1",
        "emotional_arc_key": "confusion_to_clarity",
        "training_topic_id": "topic-1",
        "training_topic_key": "roth_ira_conversion",
        "template_id": "template-1",
        "tier": "template",
        "turn_count": 8,
        "starting_emotion": "confusion",
        "ending_emotion": "clarity",
        "file_path": f"{OWNER}/{conversation_id}/conversation.json",
        "file_size": 5000,
        "raw_response_path": f"raw/{OWNER}/{conversation_id}.json",
        "raw_response_size": 4000,
        "model": "claude-sonnet-5-5",
        "input_tokens": 2000,
        "output_tokens": 1500,
        "cost_micro_usd": 28_500,
        "simulated": False,
        "created_at": iso(START),
        "updated_at": iso(START),
        "created_by": OWNER,
    }
    return ConversationRecord(**{**fields, **changes})
