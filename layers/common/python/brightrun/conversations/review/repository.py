"""Stores changes by people in DynamoDB: a conversation's row, and its audit trail."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.dynamodb import newest_first, row_of, to_wire
from brightrun.aws.transactions import transact
from brightrun.conversations.model import ConversationRecord, version_conflict
from brightrun.conversations.repository import DynamoConversations, tombstone_row
from brightrun.conversations.review.model import (
    AuditEntry,
    BulkChange,
    bulk_key,
    conversation_key,
)
from brightrun.core.pages import Page
from brightrun.core.rows import from_row
from brightrun.core.timestamps import from_iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class ReviewRepository(Protocol):
    """Changes that people make to conversations, each written with its audit entry.

    Every method raises StorageError when DynamoDB fails.
    """

    def record(
        self,
        decided: ConversationRecord,
        seen_version: int,
        entry: AuditEntry,
        change: BulkChange | None = None,
    ) -> ConversationRecord:
        """Replace the row if it is still at `seen_version`, and add the entry, all or nothing.

        With `change`, which is part of an action about many, that is stored too.

        Returns the row with its new version. Raises VersionConflictError with the stored state if
        the row changed since it was read, and NotFoundError if it was deleted.
        """

    def delete(self, record: ConversationRecord, entry: AuditEntry) -> None:
        """Delete the row if it is still at the record's version, and add the entry.

        Readers of changes learn of it by a tombstone. Raises as `record` does.
        """

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """List a conversation's entries, newest first; raises InvalidCursorError."""

    def bulk_changes(
        self, owner_id: str, bulk_action_id: str, *, limit: int, cursor: str | None
    ) -> Page[BulkChange]:
        """List what an action about many changed, by conversation; raises InvalidCursorError."""


class DynamoReviews(ReviewRepository):
    """The conversations table and the audit table, written in one transaction."""

    def __init__(
        self, client: DynamoDBClient, *, conversations_table: str, audit_table: str
    ) -> None:
        self._client = client
        self._conversations_table = conversations_table
        self._audit_table = audit_table

    def record(
        self,
        decided: ConversationRecord,
        seen_version: int,
        entry: AuditEntry,
        change: BulkChange | None = None,
    ) -> ConversationRecord:
        stored = dataclasses.replace(decided, version=seen_version + 1)
        put = {"Item": to_wire(row_of(stored)), **self._at_version(seen_version)}
        self._write([{"Put": put}], decided, entry, change)
        return stored

    def delete(self, record: ConversationRecord, entry: AuditEntry) -> None:
        key = {"owner_id": record.owner_id, "conversation_id": record.conversation_id}
        delete = {"Key": to_wire(key), **self._at_version(record.version)}
        tombstone = tombstone_row(record, from_iso(entry.at))
        put = {"TableName": self._conversations_table, "Item": to_wire(tombstone)}
        self._write([{"Delete": delete}, {"Put": put}], record, entry)

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        key = conversation_key(owner_id, conversation_id)
        return self._partition(key, limit, cursor).map(lambda row: from_row(AuditEntry, row))

    def bulk_changes(
        self, owner_id: str, bulk_action_id: str, *, limit: int, cursor: str | None
    ) -> Page[BulkChange]:
        key = bulk_key(owner_id, bulk_action_id)
        return self._partition(key, limit, cursor).map(lambda row: from_row(BulkChange, row))

    def _partition(self, key: str, limit: int, cursor: str | None) -> Page[dict[str, Any]]:
        rows, following = newest_first(
            self._client,
            self._audit_table,
            ("conversation_key", key),
            "entry_id",
            limit=limit,
            cursor=cursor,
        )
        return Page(tuple(rows), following)

    def _at_version(self, version: int) -> dict[str, Any]:
        return {
            "TableName": self._conversations_table,
            "ConditionExpression": "#version = :seen",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": to_wire({":seen": version}),
        }

    def _write(
        self,
        writes: Sequence[Mapping[str, Any]],
        record: ConversationRecord,
        entry: AuditEntry,
        change: BulkChange | None = None,
    ) -> None:
        audit = [
            {"Put": {"TableName": self._audit_table, "Item": to_wire(row_of(one))}}
            for one in (entry, change)
            if one is not None
        ]
        if transact(self._client, [*writes, *audit]):
            rows = DynamoConversations(self._client, self._conversations_table)
            raise version_conflict(rows.conversation(record.owner_id, record.conversation_id))
