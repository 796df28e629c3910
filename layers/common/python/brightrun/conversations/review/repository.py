"""Stores changes by people in DynamoDB: a conversation's row, and its audit trail."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.aws.dynamodb import newest_first, row_of, to_wire
from brightrun.aws.transactions import transact
from brightrun.conversations.model import ConversationRecord, version_conflict
from brightrun.conversations.repository import DynamoConversations
from brightrun.conversations.review.model import AuditEntry, conversation_key
from brightrun.core.pages import Page
from brightrun.core.rows import from_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class ReviewRepository(Protocol):
    """Changes that people make to conversations, each written with its audit entry.

    Every method raises StorageError when DynamoDB fails.
    """

    def record(
        self, decided: ConversationRecord, seen_version: int, entry: AuditEntry
    ) -> ConversationRecord:
        """Replace the row if it is still at `seen_version`, and add the entry, both or neither.

        Returns the row with its new version. Raises VersionConflictError with the stored state if
        the row changed since it was read, and NotFoundError if it was deleted.
        """

    def delete(self, record: ConversationRecord, entry: AuditEntry) -> None:
        """Delete the row if it is still at the record's version, and add the entry.

        Raises as `record` does.
        """

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """List a conversation's entries, newest first; raises InvalidCursorError."""


class DynamoReviews(ReviewRepository):
    """The conversations table and the audit table, written in one transaction."""

    def __init__(
        self, client: DynamoDBClient, *, conversations_table: str, audit_table: str
    ) -> None:
        self._client = client
        self._conversations_table = conversations_table
        self._audit_table = audit_table

    def record(
        self, decided: ConversationRecord, seen_version: int, entry: AuditEntry
    ) -> ConversationRecord:
        stored = dataclasses.replace(decided, version=seen_version + 1)
        put = {"Item": to_wire(row_of(stored)), **self._at_version(seen_version)}
        self._write({"Put": put}, decided, entry)
        return stored

    def delete(self, record: ConversationRecord, entry: AuditEntry) -> None:
        key = {"owner_id": record.owner_id, "conversation_id": record.conversation_id}
        delete = {"Key": to_wire(key), **self._at_version(record.version)}
        self._write({"Delete": delete}, record, entry)

    def trail(
        self, owner_id: str, conversation_id: str, *, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        rows, following = newest_first(
            self._client,
            self._audit_table,
            ("conversation_key", conversation_key(owner_id, conversation_id)),
            "entry_id",
            limit=limit,
            cursor=cursor,
        )
        return Page(tuple(from_row(AuditEntry, row) for row in rows), following)

    def _at_version(self, version: int) -> dict[str, Any]:
        return {
            "TableName": self._conversations_table,
            "ConditionExpression": "#version = :seen",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": to_wire({":seen": version}),
        }

    def _write(
        self, change: Mapping[str, Any], record: ConversationRecord, entry: AuditEntry
    ) -> None:
        audit = {"Put": {"TableName": self._audit_table, "Item": to_wire(row_of(entry))}}
        if transact(self._client, [change, audit]):
            rows = DynamoConversations(self._client, self._conversations_table)
            raise version_conflict(rows.conversation(record.owner_id, record.conversation_id))
